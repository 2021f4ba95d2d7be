/**
 * The only place that wires things together: tenants from their folder, keys, the store, the OAuth endpoints, the public
 * documents. Everything it makes it also closes.
 */
import { randomBytes, randomFillSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { type Keyring, openKeyring } from '../keys/keyring.ts'
import { createWhole } from '../keys/sealed-file.ts'
import type { Config } from './config.ts'
import { developmentDefaults } from './core/development-defaults.ts'
import { formatProblem } from './core/problem.ts'
import type { Tenant } from './core/tenant.ts'
import { ensureDevelopmentKeys } from './development-keys.ts'
import { createDispatch, type RequestListener } from './http/dispatch.ts'
import { createDocuments } from './http/documents.ts'
import { createHealth } from './http/health.ts'
import { createIssuerKeys } from './issuer-keys.ts'
import { mintAccessToken } from './oauth/access-token.ts'
import { authorizationServerMetadata } from './oauth/metadata.ts'
import { createOAuthListener, type ProviderDeps } from './oauth/provider.ts'
import { createProofChecker } from './oauth/sender-proof.ts'
import { StartRefused } from './start-refused.ts'
import { openEmbeddedStore } from './store/embedded/store.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import { loadTenants } from './tenants/load-tenants.ts'
import type { Clock } from './use-cases/ports.ts'

export interface App {
  readonly listener: RequestListener
  readonly health: RequestListener
  readonly issuers: readonly string[]
  /** From now on `/readyz` says so. */
  drain(): void
  close(): Promise<void>
}

export interface AppEdges {
  readonly log: Log
  readonly clock: Clock
}

/** Instances of the base library kept at a time: about 38 KB each, made again when asked for. */
const MAX_LISTENERS = 200

/** Throws StartRefused where the operator has to change something first. */
export async function createApp(config: Config, edges: AppEdges): Promise<App> {
  const { log, clock } = edges
  const tenants = await readTenants(config, log)
  const secret = keySecret(config)
  const keyrings = new Map<string, Keyring>()
  for (const { id, signingAlgorithm } of tenants.values()) {
    const place = { dataFolder: config.dataFolder, tenant: id, secret }
    keyrings.set(id, openKeyring(place, signingAlgorithm))
  }
  const keyringOf = (tenant: Tenant): Keyring => required(keyrings.get(tenant.id))
  const store = await openEmbeddedStore({
    dataFolder: config.dataFolder,
    clock,
    onLost: (folder) => log.warn({ event: 'store_set_aside', reason: folder }),
    onFault: (fault) => log.error({ event: 'recovery_failed', reason: faultReason(fault) }),
  })
  const deps: ProviderDeps = {
    clock,
    tenants: { find: (id) => tenants.get(id) },
    tasks: store.tasks,
    statusIndexes: store.statusIndexes,
    audit: store.audit,
    replay: store.replay,
    proofs: createProofChecker(store.replay),
    issuerKeys: createIssuerKeys(config, edges),
    keyringOf,
    randomId: createRandomId(),
    mint: (tenant, claims) => mintAccessToken(keyringOf(tenant), claims),
    onFault: (fault, ref, tenant) =>
      log.error({ event: 'request_failed', ref, tenant, reason: faultReason(fault) }),
  }
  const listeners = new LRUCache<string, RequestListener>({ max: MAX_LISTENERS })
  const documents = createDocuments((id) => {
    const tenant = tenants.get(id)
    if (tenant === undefined) return undefined
    return { metadata: authorizationServerMetadata(tenant), jwks: keyringOf(tenant).jwks }
  })
  let isReady = true
  return {
    listener: createDispatch({
      oauthOf: (id) => {
        const tenant = tenants.get(id)
        if (tenant === undefined) return undefined
        const key = `${id} ${tenant.version}`
        const listener = listeners.get(key) ?? createOAuthListener(tenant, deps)
        listeners.set(key, listener)
        return listener
      },
      documents: documents.callback() as RequestListener,
    }),
    health: createHealth(() => isReady).callback() as RequestListener,
    issuers: [...tenants.values()].map((tenant) => tenant.issuer),
    drain: () => {
      isReady = false
    },
    close: () => store.close(),
  }
}

async function readTenants(config: Config, log: Log): Promise<ReadonlyMap<string, Tenant>> {
  const { tenantsFolder: folder, publicUrl, dataFolder } = config
  const loaded = loadTenants({ folder, publicUrl })
  for (const warning of loaded.warnings) {
    log.warn({ event: 'tenant_warning', reason: formatProblem(warning) })
  }
  if (loaded.kind === 'refused') throw new StartRefused(loaded.problems.map(formatProblem))
  const tenants = [...loaded.tenants.values()].map(({ tenant }) => tenant)
  if (config.mode === 'production') {
    const defaults = developmentDefaults(config, tenants)
    if (defaults.length > 0) throw new StartRefused(defaults)
    return new Map(tenants.map((tenant) => [tenant.id, tenant]))
  }
  const withKeys = await Promise.all(
    tenants.map((tenant) => ensureDevelopmentKeys({ dataFolder, tenant })),
  )
  return new Map(withKeys.map((tenant) => [tenant.id, tenant]))
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

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a tenant has no keyring')
  return value
}
