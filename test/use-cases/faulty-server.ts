/**
 * The OAuth endpoints of one tenant on a real socket, over a real store in a folder of its own, with ports that fail when
 * a test says so. The audit file fails below the log, as a disk does.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyringOf } from '../../keys/keyring.ts'
import { createLocalSigner, generatePrivateJwk } from '../../keys/signer.ts'
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import { type AppendFile, openAppendFile } from '../../server/audit/append-file.ts'
import type { Rules } from '../../server/core/rules.ts'
import type { Tenant } from '../../server/core/tenant.ts'
import { createDispatch } from '../../server/http/dispatch.ts'
import { mintAccessToken } from '../../server/oauth/access-token.ts'
import { createDpopNonces } from '../../server/oauth/dpop-nonces.ts'
import { createPeerLimits } from '../../server/oauth/peer-limits.ts'
import { createOAuthListener, type ProviderDeps } from '../../server/oauth/provider.ts'
import { createProofChecker } from '../../server/oauth/sender-proof.ts'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import type { Counted, StoredEntry } from '../../server/use-cases/ports.ts'
import { createRateLimits } from '../../server/use-cases/rate-limit.ts'
import { NO_SECURITY_EVENTS } from '../../server/use-cases/security-events.ts'
import { NO_TELEMETRY } from '../../server/use-cases/telemetry.ts'
import { permitAll } from '../core/facts.ts'
import { AgentClient } from '../support/agent-client.ts'
import { freePort, IDP } from '../support/authorization-server.ts'
import {
  type RecordedStore as EmbeddedStore,
  openEmbeddedStore,
  readEntries,
} from '../support/embedded-store.ts'
import { NO_USAGE } from '../support/no-usage.ts'
import { epoch, newKey, signJwt } from '../support/signing.ts'
import { verbsOf } from '../support/task-ports.ts'
import { writeTenantFolder } from '../support/tenant-folder.ts'

export const FAULTS = [
  'claim assertion',
  'claim proof',
  'issuer keys',
  'keyring',
  'rules',
  'allocate',
  'find hop',
  'count',
  'open task',
  'record hop',
  'revoke hop',
  'settle hop',
  'mint',
  'audit write',
  'audit part of a write',
  'audit sync',
] as const
export type Fault = (typeof FAULTS)[number]

const HARMLESS = { on: 'exchanges', more_than: 60_000, within: '8h', then: 'suspend' }

/** An address that speaks for many. */
export const PROXY = '203.0.113.1'

/** Inside every fault: it must not come out. */
export const INSIDE = 'inside-of-a-fault'

export interface Logged {
  readonly fault: unknown
  readonly ref: string
  readonly tenant: string
}

export interface FaultyServer {
  readonly planner: AgentClient
  readonly researcher: AgentClient
  readonly store: EmbeddedStore
  readonly logged: Logged[]
  /** Claims of every token that was about to be signed. */
  readonly claims: DelegatedClaims[]
  /** Address that every socket comes from, from now on; undefined: its own. */
  comeFrom(address: string | undefined): void
  /** The faults that happen from now on. */
  fail(...faults: readonly Fault[]): void
  /** The next time this would happen, it waits. */
  hold(moment: Fault): Held
  idToken(): string
  entries(): readonly StoredEntry[]
  close(): Promise<void>
}

export interface Held {
  /** Resolves when a request is there. */
  readonly reached: Promise<void>
  release(): void
}

export async function startFaultyServer(): Promise<FaultyServer> {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-faults-'))
  const port = await freePort()
  const keys = { planner: newKey('planner-1'), researcher: newKey('researcher-1') }
  const idpKey = newKey('idp-1')
  const faults = new Set<Fault>()
  const holds = new Map<Fault, Gate>()
  const failOn = (fault: Fault): void => {
    if (faults.has(fault)) throw Object.assign(new Error(INSIDE), { token: INSIDE })
  }
  const loaded = loadTenant(folder, port, {
    idp: { issuer: IDP, jwks: [idpKey.publicJwk] },
    agentKeys: { planner: keys.planner.publicJwk, researcher: keys.researcher.publicJwk },
    // So that every exchange is counted in the store.
    change: ({ taskTypes }) => {
      for (const type of taskTypes.task_types) type['triggers'] = [HARMLESS]
    },
  })
  const tenant = { ...loaded, rules: failingRules(permitAll, failOn) }
  const clock = { now: epoch }
  let elapsed = 0
  const store = await openEmbeddedStore({
    dataFolder: join(folder, 'data'),
    clock,
    openFile: async (path) => failingFile(await openAppendFile(path), failOn),
    elapsed: () => elapsed,
  })
  const logged: Logged[] = []
  const claims: DelegatedClaims[] = []
  const waitOn = async (moment: Fault): Promise<void> => {
    const gate = holds.get(moment)
    holds.delete(moment)
    gate?.reach()
    await gate?.released
  }
  const deps = failingPorts(store, { tenant, claims, failOn, waitOn })
  const listener = createOAuthListener(tenant, {
    ...deps,
    clock,
    onFault: (fault, ref, id) => void logged.push({ fault, ref, tenant: id }),
  })
  const dispatch = createDispatch({
    receive: () => {},
    oauthOf: () => listener,
    admin: (_, res) => void res.writeHead(404).end(),
    status: (_, res) => void res.writeHead(404).end(),
    events: (_, res) => void res.writeHead(404).end(),
    documents: (_, res) => void res.writeHead(404).end(),
  })
  let peer: string | undefined
  const server = createServer((req, res) => {
    if (peer !== undefined) {
      Object.defineProperty(req.socket, 'remoteAddress', { value: peer, configurable: true })
    }
    dispatch(req, res)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    planner: new AgentClient(tenant.issuer, 'planner', keys.planner),
    researcher: new AgentClient(tenant.issuer, 'researcher', keys.researcher),
    store,
    logged,
    claims,
    comeFrom: (address) => {
      peer = address
    },
    fail: (...now) => {
      faults.clear()
      elapsed += 1000 // what failed before is tried again
      for (const fault of now) faults.add(fault)
    },
    hold: (moment) => {
      const gate = newGate()
      holds.set(moment, gate)
      return gate
    },
    idToken: () => {
      const times = { iat: epoch(), exp: epoch() + 600 }
      const payload = { iss: IDP, sub: 'alice', aud: 'planner', ...times }
      return signJwt(idpKey, { alg: 'ES256', kid: 'idp-1', typ: 'JWT' }, payload)
    },
    entries: () => readEntries(join(folder, 'data')),
    close: async () => {
      faults.clear()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function loadTenant(
  folder: string,
  port: number,
  changes: Parameters<typeof writeTenantFolder>[2],
): Tenant {
  writeTenantFolder(join(folder, 'tenants'), 'acme', changes)
  const publicUrl = `http://127.0.0.1:${port}`
  const loaded = loadTenants({ folder: join(folder, 'tenants'), publicUrl })
  const tenant = loaded.kind === 'loaded' ? loaded.tenants.get('acme')?.tenant : undefined
  if (tenant === undefined) throw new Error('the fixture is a good tenant')
  return tenant
}

type FailOn = (fault: Fault) => void

function failingRules(rules: Rules, failOn: FailOn): Rules {
  return {
    ...rules,
    answer: (question) => {
      failOn('rules')
      return rules.answer(question)
    },
  }
}

interface Gate extends Held {
  readonly reach: () => void
  readonly released: Promise<void>
}

function newGate(): Gate {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  return { reached, reach, released, release }
}

interface Wiring {
  readonly waitOn: (moment: Fault) => Promise<void>
  readonly tenant: Tenant
  readonly claims: DelegatedClaims[]
  readonly failOn: FailOn
}

/** The store's ports and the others, each asked for its fault first. */
function failingPorts(
  { tasks, statusIndexes, counters: stored, audit, replay }: EmbeddedStore,
  { tenant, claims, failOn, waitOn }: Wiring,
): Omit<ProviderDeps, 'clock' | 'onFault'> {
  const keyring = keyringOf(createLocalSigner(generatePrivateJwk('ES256'), 'ES256'))
  const on =
    <Input extends readonly unknown[], Output>(
      fault: Fault,
      verb: (...input: Input) => Promise<Output>,
    ) =>
    async (...input: Input): Promise<Output> => {
      await waitOn(fault)
      failOn(fault)
      return verb(...input)
    }
  const guard: ProviderDeps['replay'] = {
    claimReplay: (claim) => {
      const fault = claim.kind === 'dpop_proof' ? 'claim proof' : 'claim assertion'
      return on(fault, () => replay.claimReplay(claim))()
    },
  }
  const counters = { count: on('count', (counted: Counted) => stored.count(counted)) }
  let ids = 0
  return {
    tenants: { find: (id) => (id === tenant.id ? tenant : undefined) },
    usage: NO_USAGE,
    telemetry: NO_TELEMETRY,
    tasks: {
      ...verbsOf(tasks),
      openTask: on('open task', (...input) => tasks.openTask(...input)),
      recordHop: on('record hop', (...input) => tasks.recordHop(...input)),
      findHop: on('find hop', (...input) => tasks.findHop(...input)),
      revokeHop: on('revoke hop', (...input) => tasks.revokeHop(...input)),
      settleHop: on('settle hop', (...input) => tasks.settleHop(...input)),
    },
    statusIndexes: {
      listAt: (...input) => statusIndexes.listAt(...input),
      allocate: on('allocate', (...input) => statusIndexes.allocate(...input)),
    },
    counters,
    rates: createRateLimits(counters),
    peers: createPeerLimits([PROXY]),
    onLimit: () => {},
    securityEvents: NO_SECURITY_EVENTS,
    audit,
    replay: guard,
    proofs: createProofChecker(guard),
    nonces: createDpopNonces('of this server'),
    issuerKeys: on('issuer keys', async (_, { keys }) => ('jwks' in keys ? keys.jwks : [])),
    trust: NO_TRUST,
    certificateOf: () => undefined,
    keyringOf: () => {
      failOn('keyring')
      return keyring
    },
    randomId: () => `id-${(ids += 1)}`.padEnd(22, '_'),
    mint: async (_, made) => {
      claims.push(made)
      await waitOn('mint')
      failOn('mint')
      return mintAccessToken(keyring, made)
    },
  }
}

const NO_TRUST: ProviderDeps['trust'] = {
  issuerKeys: async () => [],
  bundle: async () => ({ jwtKeys: [], authorities: [] }),
  revocationList: async () => new Uint8Array(),
  reviewToken: async () => undefined,
}

function failingFile(file: AppendFile, failOn: FailOn): AppendFile {
  return {
    append: async (bytes) => {
      failOn('audit write')
      try {
        failOn('audit part of a write')
      } catch {
        return file.append(bytes.subarray(0, 20))
      }
      const written = await file.append(bytes)
      failOn('audit sync')
      return written
    },
    close: () => file.close(),
  }
}
