/**
 * The only place that wires things together: tenants from their folder, keys, the store, the OAuth endpoints, the public
 * documents. Everything it makes it also closes.
 */
import { randomBytes, randomFillSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createWhole } from '../keys/sealed-file.ts'
import { type AnchorSettings, readAnchorsFile } from './anchors-file.ts'
import { createFindIssued } from './audit/issued-tokens.ts'
import type { Config } from './config.ts'
import { healTasks } from './heal-tasks.ts'
import { createClientCertificates } from './http/client-certificate.ts'
import { answerUnavailable, createDispatch, type RequestListener } from './http/dispatch.ts'
import { createDocuments } from './http/documents.ts'
import { createHealth } from './http/health.ts'
import { mintAccessToken } from './oauth/access-token.ts'
import { createDpopNonces } from './oauth/dpop-nonces.ts'
import { createMetadata } from './oauth/metadata.ts'
import { createPeerLimits } from './oauth/peer-limits.ts'
import type { ProviderDeps } from './oauth/provider.ts'
import { createProofChecker } from './oauth/sender-proof.ts'
import { openAdmin } from './open-admin.ts'
import { type OpenedAnchors, openAnchors } from './open-anchors.ts'
import { type OpenedAudit, openAudit } from './open-audit.ts'
import { openEvents } from './open-events.ts'
import { type OpenedKeys, openKeys } from './open-keys.ts'
import { openStatus } from './open-status.ts'
import { type OpenedTelemetry, openTelemetry } from './open-telemetry.ts'
import { type OpenedTenants, openTenants, readFolder } from './open-tenants.ts'
import { openUsage } from './open-usage.ts'
import { recordStart } from './start-record.ts'
import { type EmbeddedStore, openEmbeddedStore } from './store/embedded/store.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import { createListeners } from './tenant-listeners.ts'
import { TenantUnavailable } from './tenants/live-tenants.ts'
import type { LoadedTenant } from './tenants/load-tenants.ts'
import { createTrustMaterial } from './trust-material.ts'
import { interruptedEntry } from './use-cases/interrupted-hop.ts'
import type { AuditLog, Clock } from './use-cases/ports.ts'
import { createRateLimits } from './use-cases/rate-limit.ts'

export interface App {
  readonly listener: RequestListener
  readonly health: RequestListener
  readonly issuers: readonly string[]
  /** From now on `/readyz` says so, and nobody listens to the feed any more. */
  drain(): void
  close(): Promise<void>
}

export interface AppEdges {
  readonly log: Log
  readonly clock: Clock
  /** In place of the record: what issuing costs without one. For the benchmark, which no setting can be. */
  readonly audit?: AuditLog
}

/** Seconds a copy of a public document may be used; less where keys change faster. */
const LONGEST_COPY = 300

/** Throws StartRefused where the operator has to change something first. */
export async function createApp(config: Config, edges: AppEdges): Promise<App> {
  const outside = await readAnchorsFile(config)
  const loaded = readFolder(config, edges.log)
  /** Closed in the other order, whether the start succeeds or not. */
  const closing = new AsyncDisposableStack()
  try {
    return await open(config, { ...edges, outside, loaded, closing })
  } catch (fault) {
    await closing.disposeAsync()
    throw fault
  }
}

interface Opening extends AppEdges {
  readonly outside: AnchorSettings
  readonly loaded: ReadonlyMap<string, LoadedTenant>
  readonly closing: AsyncDisposableStack
}

async function open(config: Config, opening: Opening): Promise<App> {
  const { log, clock, outside, loaded, closing } = opening
  const watch = await openTelemetry(config, log)
  closing.defer(() => watch.close())
  const store = openEmbeddedStore({
    dataFolder: config.dataFolder,
    clock,
    findIssued: createFindIssued(config),
    onLost: (folder) => log.warn({ event: 'store_set_aside', reason: folder }),
    onFault: (fault) => log.error({ event: 'recovery_failed', reason: faultReason(fault) }),
  })
  closing.defer(() => store.close())
  const { versions, witnessed } = store
  const opened = openTenants(config, { log, clock, loaded, versions })
  const secret = keySecret(config)
  const { present, tenants } = opened
  const keys = await openKeys(config, { log, clock, versions, present, secret })
  closing.defer(() => keys.close())
  const record = await openAudit(config, { log, versions, loaded, tenants, watch, secret })
  closing.defer(() => record.close())
  const { audit, trees } = record
  await recordStart({ clock, audit, versions }, { present, keys: keys.changes })
  // Journals are in their logs by now: what is recovered comes after it.
  await store.recover((hop) => {
    const { version = '' } = versions.live(hop.tenant)
    return audit.appendRevocation(interruptedEntry(hop, { now: clock.now(), version }))
  })
  const edges = { log, clock, audit, trees, witnessed, secret }
  const anchors = await openAnchors(config, outside, edges)
  closing.defer(() => anchors.close())
  return wire(config, { ...opening, ...opened, store, keys, record, anchors, watch, secret })
}

interface Opened extends Opening, OpenedTenants {
  readonly store: EmbeddedStore
  readonly keys: OpenedKeys
  readonly record: OpenedAudit
  readonly anchors: OpenedAnchors
  readonly watch: OpenedTelemetry
  readonly secret: string
}

function wire(config: Config, opened: Opened): App {
  const { log, clock, store, loaded, tenants, present, keys, record, anchors, watch, secret } =
    opened
  const { telemetry } = watch
  const { audit = record.audit } = opened
  const { keyringOf } = keys.keyrings
  const tell = (fault: unknown, fields: { readonly ref?: string; readonly tenant?: string }) => {
    if (fault instanceof TenantUnavailable) return // told when it was found
    log.error({ event: 'request_failed', ...fields, reason: faultReason(fault) })
  }
  const peers = createPeerLimits(config.proxies)
  const certificates = createClientCertificates(config.proxies)
  const metadataOf = createMetadata({ seesCertificates: config.tls !== undefined })
  const trust = createTrustMaterial(config, { log, clock })
  const randomId = createRandomId()
  const usage = openUsage({ log, clock, tenants, present, store: store.uses })
  const events = openEvents(config, {
    log,
    clock,
    tenants,
    present,
    store: { ...store, audit },
    issuerKeys: trust.issuerKeys,
    peers,
    randomId,
    secret,
    telemetry,
    onFault: (fault, ref, tenant) => tell(fault, { ...(ref !== undefined && { ref }), tenant }),
  })
  const deps: ProviderDeps = {
    clock,
    tenants,
    tasks: watch.traced('store', store.tasks),
    statusIndexes: watch.traced('store', store.statusIndexes),
    counters: store.counters,
    rates: createRateLimits(store.counters),
    peers,
    securityEvents: events.securityEvents,
    audit,
    usage: usage.log,
    telemetry,
    replay: watch.traced('store', store.replay),
    proofs: watch.traced('prove', createProofChecker(store.replay)),
    nonces: createDpopNonces(secret),
    issuerKeys: trust.issuerKeys,
    trust,
    certificateOf: certificates.certificateOf,
    keyringOf,
    randomId,
    mint: (tenant, claims) =>
      telemetry.span('sign', () => mintAccessToken(keyringOf(tenant), claims)),
    onLimit: ({ guard, ...who }) => log.warn({ event: 'rate_limited', ...who, reason: guard }),
    onFault: (fault, ref, tenant) => tell(fault, { ref, tenant }),
  }
  const listenerOf = createListeners(tenants, deps)
  const documents = createDocuments({
    documentsOf: (id) => {
      const tenant = tenants.find(id)
      if (tenant === undefined) return undefined
      return {
        metadata: metadataOf(tenant),
        jwks: keyringOf(tenant).jwks,
        maxAge: Math.min(LONGEST_COPY, tenant.keyCachePeriod),
      }
    },
    onFault: (fault) => tell(fault, {}),
  })
  const healing = healTasks({
    deps,
    tenants,
    present: present.map(({ id }) => id),
    onFault: (fault, tenant) => {
      if (fault instanceof TenantUnavailable) return
      log.error({ event: 'recovery_failed', tenant, reason: faultReason(fault) })
    },
  })
  const status = openStatus({
    log,
    clock,
    tenants,
    statusLists: store.statusLists,
    proxies: config.proxies,
    keyringOf,
    onFault: tell,
  })
  let isReady = true
  const health = createHealth({
    isReady: () => isReady,
    isFailing: () => audit.isFailing,
    isDamaged: () => record.damaged.size > 0,
    metrics: async () => ({
      type: watch.metrics.contentType,
      text: await watch.metrics.text({
        isAuditFailing: audit.isFailing,
        journalOctets: record.journalOctets(),
        feedListeners: status.listeners(),
        damagedLogs: record.damaged,
        conflictingLogs: anchors.conflicts(),
      }),
    }),
  })
  return {
    listener: createDispatch({
      receive: certificates.receive,
      oauthOf: (id) => {
        try {
          return listenerOf(id)
        } catch (fault) {
          tell(fault, { tenant: id })
          return answerUnavailable
        }
      },
      admin: openAdmin(config, {
        deps,
        versions: store.versions,
        keys: keys.keyrings,
        sharedSignals: events.sharedSignals,
        usage: usage.log,
        records: record.records,
        digests: record.digests,
        loaded,
        secret,
      }),
      status: watch.watched('status', status.listener),
      events: events.listener,
      witness: anchors.listener,
      documents: watch.watched('documents', documents.callback() as RequestListener),
    }),
    health: health.callback() as RequestListener,
    issuers: present.map((tenant) => tenant.issuer),
    drain: () => {
      isReady = false
      status.drain()
      events.drain()
    },
    close: async () => {
      await healing.stop()
      await events.close()
      await usage.close()
      await opened.closing.disposeAsync()
    },
  }
}

/** 128 random bits each. Drawn in blocks: a call to the system costs as much as a hash. No byte is used twice. */
function createRandomId(): () => string {
  const block = Buffer.alloc(4096)
  let used = block.length
  return () => {
    if (used === block.length) {
      randomFillSync(block)
      used = 0
    }
    used += 16
    return block.toString('base64url', used - 16, used)
  }
}

/** In development a secret is made once in the data folder; production never gets here without one. */
function keySecret(config: Config): string {
  if (config.keySecret !== undefined) return config.keySecret.reveal()
  const path = join(config.dataFolder, 'key-secret')
  createWhole(path, randomBytes(32).toString('base64url'))
  return readFileSync(path, 'utf8')
}
