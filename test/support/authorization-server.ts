/**
 * The real server in this process, on real sockets, with a data folder of its own: tenants of the test fixture, an
 * identity provider whose keys the tenants know, and a client for every agent.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, isProblems, readConfig } from '../../server/config.ts'
import { type RunningServer, startServer } from '../../server/main.ts'
import type { Flags } from '../../server/settings.ts'
import type { Log, LogFields } from '../../server/telemetry/log.ts'
import { AgentClient } from './agent-client.ts'
import { readLogs } from './embedded-store.ts'
import { epoch, newKey, signJwt, type TestKey } from './signing.ts'
import { PERMIT_ALL, type TenantDocuments, writeTenantFolder } from './tenant-folder.ts'

export const AGENTS = ['planner', 'researcher', 'coder', 'rogue'] as const
export const RESOURCE_SERVERS = ['files-api', 'mail-api', 'pay-api'] as const
export const IDP = 'https://idp.example'

export interface TestServerOptions {
  /** Changes of one tenant's documents, by tenant id. Default: `acme` and `globex`, unchanged. */
  readonly tenants?: Readonly<Record<string, (documents: TenantDocuments) => void>>
  /** Cedar text by file name, by tenant id. Default: everything the facts allow is permitted. */
  readonly rules?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly environment?: Readonly<Record<string, string>>
  /** Where the log goes too; what is told above `debug` is collected either way. */
  readonly log?: Log
  /** Flags of the command line. */
  readonly flags?: Flags
}

export interface TestServer {
  readonly config: Config
  readonly folder: string
  readonly idpKey: TestKey
  readonly logged: LogFields[]
  issuer(tenant?: string): string
  client(id: string, tenant?: string): AgentClient
  /** An ID token of the trusted issuer for `user`, addressed to `agent`. */
  idToken(user?: string, agent?: string, claims?: Readonly<Record<string, unknown>>): string
  /** Every entry on record, parsed, the oldest first. */
  audit(): Record<string, any>[]
  /** Rewrites a tenant's folder; seen by the next start. */
  rewrite(tenant: string, change: (documents: TenantDocuments) => void): void
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

export async function startAuthorizationServer(
  options: TestServerOptions = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-test-'))
  const tenants = options.tenants ?? { acme: () => {}, globex: () => {} }
  const idpKey = newKey('idp-1')
  const keys = new Map<string, TestKey>()
  const keyOf = (tenant: string, id: string): TestKey => {
    const name = `${tenant} ${id}`
    const key = keys.get(name) ?? newKey(`${id}-1`)
    keys.set(name, key)
    return key
  }
  const write = (tenant: string, change: (documents: TenantDocuments) => void): void => {
    writeTenantFolder(join(folder, 'tenants'), tenant, {
      idp: { issuer: IDP, jwks: [idpKey.publicJwk] },
      agentKeys: Object.fromEntries(AGENTS.map((id) => [id, keyOf(tenant, id).publicJwk])),
      rules: options.rules?.[tenant] ?? PERMIT_ALL,
      change: (documents) => {
        for (const resource of documents.resources.resources) {
          const id = String(resource['id'])
          if ((RESOURCE_SERVERS as readonly string[]).includes(id)) {
            resource['keys'] = { keys: [keyOf(tenant, id).publicJwk] }
          }
        }
        change(documents)
      },
    })
  }
  for (const [tenant, change] of Object.entries(tenants)) write(tenant, change)
  const [port, managementPort] = await Promise.all([freePort(), freePort()])
  const config = readConfig(
    {
      ACTCHAIN_MODE: 'development',
      ACTCHAIN_PORT: String(port),
      ACTCHAIN_MANAGEMENT_PORT: String(managementPort),
      ACTCHAIN_DATA: join(folder, 'data'),
      ACTCHAIN_TENANTS: join(folder, 'tenants'),
      ...options.environment,
    },
    options.flags,
  )
  if (isProblems(config)) throw new Error(JSON.stringify(config))
  const logged: LogFields[] = []
  const log = collectLog(logged, options.log)
  let running: RunningServer | undefined = await startServer(config, { log })
  const issuer = (tenant = 'acme'): string => `${config.publicUrl}/t/${tenant}`
  const stop = async (): Promise<void> => {
    await running?.close()
    running = undefined
  }
  return {
    config,
    folder,
    idpKey,
    logged,
    issuer,
    client: (id, tenant = 'acme') => new AgentClient(issuer(tenant), id, keyOf(tenant, id)),
    idToken: (user = 'alice', agent = 'planner', claims = {}) => {
      const now = epoch()
      const times = { iat: now, exp: now + 600, auth_time: now - 30 }
      const payload = {
        iss: IDP,
        sub: user,
        aud: agent,
        // Two of one second are two: what is revoked spends the one that opened it.
        jti: randomUUID(),
        acr: 'urn:test:acr',
        amr: ['pwd'],
        ...times,
        ...claims,
      }
      return signJwt(idpKey, { alg: 'ES256', kid: 'idp-1', typ: 'JWT' }, payload)
    },
    audit: () =>
      readLogs(join(folder, 'data'))
        .map((line) => JSON.parse(line))
        .toSorted((one, other) => one.time - other.time || isOfStart(other) - isOfStart(one)),
    rewrite: write,
    stop,
    start: async () => {
      running = await startServer(config, { log })
    },
    close: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Entries of one second in several logs: those of a start came before any request. */
const isOfStart = ({ author }: { author?: string }): number => (author === 'server' ? 1 : 0)

/** A port nothing listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function collectLog(logged: LogFields[], also?: Log): Log {
  const push = (level: 'info' | 'warn' | 'error') => (fields: LogFields) => {
    logged.push(fields)
    also?.[level](fields)
  }
  return {
    debug: (fields) => also?.debug(fields),
    info: push('info'),
    warn: push('warn'),
    error: push('error'),
    child: (fields) => collectLog(logged, also?.child(fields)),
  }
}
