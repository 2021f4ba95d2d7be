/**
 * What foreign clients and resource servers are shown with: our server, with one tenant, and an API; each a child process over TLS.
 * Vitest's global setup of the `interop` project; where INTEROP_PROFILE is set already, it starts nothing.
 */
import { generateKeyPairSync, hash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Agent,
  APIS,
  type Api,
  type InteropTarget,
  type Jwk,
  ROLES,
  TEAMS,
  type Team,
  type TeamName,
} from '../../conformance/interop/target.ts'
import { type Child, freePort, serveActchain, startChild } from './child-server.ts'
import { makeCertificates } from './run-certificates.ts'
import { type TenantDocuments, writeTenantFolder } from './tenant-folder.ts'

const IDP = 'https://idp.example'

export async function setup(): Promise<() => Promise<void>> {
  if (process.env['INTEROP_PROFILE'] !== undefined) return () => Promise.resolve()
  const folder = mkdtempSync(join(tmpdir(), 'actchain-interop-'))
  const children: Child[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const tls = await makeCertificates(join(folder, 'tls'))
    const nextPort = await portsOf(2 + APIS.length + TEAMS.length * ROLES.length)
    const port = nextPort()
    const publicUrl = `https://127.0.0.1:${port}`
    const target: InteropTarget = {
      issuer: `${publicUrl}/t/acme`,
      ca: tls.ca,
      tls: { cert: tls.cert, key: tls.key },
      idp: { issuer: IDP, subject: 'alice', jwk: newKey('idp-1') },
      teams: eachOf(TEAMS, (team) => newTeam(team, nextPort)),
      apis: eachOf(APIS, (name) => newApi(name, nextPort())),
    }
    const tenants = join(folder, 'tenants')
    mkdirSync(tenants)
    writeTenant(tenants, target)
    const path = join(folder, 'target.json')
    writeFileSync(path, JSON.stringify(target), { mode: 0o600 })
    const data = join(folder, 'data')
    const started = await Promise.allSettled([
      serveActchain({ tls, tenants, data, port, management: nextPort(), publicUrl }),
      startChild({
        script: 'conformance/interop/ledger.ts',
        args: [],
        env: { INTEROP_PROFILE: path },
      }),
    ])
    children.push(...started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])))
    for (const one of started) if (one.status === 'rejected') throw one.reason
    process.env['INTEROP_PROFILE'] = path
  } catch (fault) {
    await stop()
    throw fault
  }
  return stop
}

/** Hands out ports that nothing listened on, each once. */
async function portsOf(count: number): Promise<() => number> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  return () => {
    const port = ports.pop()
    if (port === undefined) throw new Error('too few ports')
    return port
  }
}

function eachOf<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>
}

const hasSecret = (team: TeamName): boolean => team === 'basic' || team === 'posted'

function newTeam(team: TeamName, nextPort: () => number): Team {
  return eachOf(ROLES, (role): Agent => {
    const port = nextPort()
    const client_id = `${team}-${role}`
    const proof = hasSecret(team) ? { secret: newSecret() } : { jwk: newKey(`${client_id}-1`) }
    return { client_id, endpoint: `https://127.0.0.1:${port}/a2a`, port, ...proof }
  })
}

function newApi(name: string, port: number): Api {
  return {
    client_id: `${name}-api`,
    // What an MCP server is known by is where it is spoken to.
    uri: `https://127.0.0.1:${port}/${name === 'mcp' ? 'mcp' : 'api'}`,
    port,
    read: `${name}:read`,
    write: `${name}:write`,
    jwk: newKey(`${name}-api-1`),
  }
}

function newKey(kid: string): Jwk {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
}

function publicOf(jwk: Jwk): Jwk {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => name !== 'd'))
}

/** As `actchain agents secret` prints one. */
function newSecret(): string {
  return `acs_${randomBytes(32).toString('base64url')}`
}

function writeTenant(tenants: string, { idp, teams, apis }: InteropTarget): void {
  const scopes = Object.values(apis).flatMap(({ read, write }) => [read, write])
  const places = Object.values(apis).map(({ client_id }) => client_id)
  writeTenantFolder(tenants, 'acme', {
    idp: { issuer: idp.issuer, jwks: [publicOf(idp.jwk)] },
    change: (documents: TenantDocuments) => {
      documents.tenant['client_secrets'] = true
      documents.agents.agents = TEAMS.flatMap((team) => agentEntries(team, teams[team], places))
      const doors = TEAMS.flatMap((team) => doorEntries(teams[team], scopes))
      documents.resources.resources = [...doors, ...Object.values(apis).map(apiEntry)]
      documents.taskTypes.task_types = [
        ...TEAMS.map((team) => taskType(team, teams[team], places)),
        ownWork(apis.mcp, [teams.basic.planner, teams.signed.planner]),
      ]
    },
  })

  function agentEntries(name: TeamName, team: Team, reach: readonly string[]) {
    return ROLES.map((role, at) => {
      const { client_id: id } = team[role]
      return {
        id,
        owner: 'team@acme.example',
        class: role === 'planner' ? 'orchestrator' : 'worker',
        // Who is handed work may do less than who hands it on.
        scopes: role === 'writer' ? scopes.filter((scope) => scope.endsWith(':read')) : scopes,
        may_reach: [...ROLES.slice(at + 1).map((next) => `${team[next].client_id}-a2a`), ...reach],
        auth: authOf(name, team[role]),
        ...(name === 'bound' || name === 'served' ? {} : { binding: 'bearer' }),
        issuer_clients: { idp: id },
      }
    })
  }

  function taskType(name: TeamName, team: Team, reach: readonly string[]) {
    return {
      id: `${name}-work`,
      basis: 'policy',
      openers: [team.planner.client_id],
      subjects_from: ['idp'],
      scopes,
      reach: [...doorEntries(team, scopes).map(({ id }) => id), ...reach],
      max_depth: 3,
      lifetime: '10m',
      token_lifetime: '5m',
    }
  }
}

function authOf(team: TeamName, { jwk, secret }: Agent) {
  if (jwk !== undefined) return { method: 'private_key_jwt', jwks: { keys: [publicOf(jwk)] } }
  return {
    method: team === 'basic' ? 'client_secret_basic' : 'client_secret_post',
    secret_sha256: [hash('sha256', secret ?? '', 'base64url')],
  }
}

/** For clients that can ask for no user: the MCP SDK's own providers. */
function ownWork({ client_id, read, write }: Api, openers: readonly Agent[]) {
  return {
    id: 'own-work',
    basis: 'client',
    openers: openers.map(({ client_id: id }) => id),
    scopes: [read, write],
    reach: [client_id],
    max_depth: 1,
    lifetime: '10m',
    token_lifetime: '5m',
  }
}

/** Where the agents of a team are handed work. */
function doorEntries(team: Team, scopes: readonly string[]) {
  return ROLES.map((role) => {
    const { client_id: agent, endpoint: uri } = team[role]
    return { id: `${agent}-a2a`, uri, kind: 'agent', agent, scopes }
  })
}

function apiEntry({ client_id: id, uri, read, write, jwk }: Api) {
  return {
    id,
    uri,
    kind: 'api',
    scopes: { [read]: { tier: 'read' }, [write]: { tier: 'propose' } },
    keys: { keys: [publicOf(jwk)] },
  }
}
