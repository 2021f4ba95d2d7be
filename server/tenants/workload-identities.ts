/** Nobody is two agents: what one credential proves is the identity of one agent at most. */
import { quote } from '../core/problem.ts'
import { type AuthEntry, type AuthOf, CERTIFICATE_NAMES } from './agent-auth.ts'
import type { AgentEntry } from './agents-file.ts'
import type { Listing } from './entries.ts'
import { isFull, type Report, refuse } from './report.ts'

type WorkloadAuth = AuthOf<'workload_jwt'>
interface NamedWorkload {
  readonly agent: string
  readonly auth: WorkloadAuth
}

export function checkIdentities(report: Report, agents: Listing<AgentEntry>): void {
  checkStated(report, agents)
  checkBeneath(report, agents)
  checkWorkloads(report, agents)
}

/** What two agents state in the same words. */
function checkStated(report: Report, { document, entries }: Listing<AgentEntry>): void {
  const owners = new Map<string, string>()
  for (const { value, path } of entries) {
    for (const identity of identitiesOf(value.auth)) {
      const owner = owners.get(identity)
      if (owner !== undefined && owner !== value.id) {
        const text = `agent ${quote(owner)} proves itself by this already`
        refuse(report, document, [...path, 'auth'], { text })
      }
      owners.set(identity, owner ?? value.id)
    }
  }
}

function identitiesOf(auth: AuthEntry): readonly string[] {
  switch (auth.method) {
    case 'spiffe_jwt':
    case 'spiffe_x509':
      return [auth.spiffe_id]
    case 'tls_client_auth': {
      const names = CERTIFICATE_NAMES.map((name) => auth[name] ?? '')
      return [JSON.stringify([auth.authority, ...names])]
    }
    case 'self_signed_tls_client_auth':
      return auth.certificates
    case 'client_secret_basic':
    case 'client_secret_post':
      return auth.secret_sha256
    case 'private_key_jwt':
    case 'workload_jwt':
    case 'attest_jwt_client_auth':
      return []
  }
}

/** SPIFFE IDs beneath the `/*` of another agent. */
function checkBeneath(report: Report, { document, entries }: Listing<AgentEntry>): void {
  const owners = new Map<string, string>()
  for (const { value } of entries) {
    if ('spiffe_id' in value.auth) owners.set(value.auth.spiffe_id, value.id)
  }
  for (const { value, path } of entries) {
    if (!('spiffe_id' in value.auth)) continue
    for (const pattern of patternsAbove(value.auth.spiffe_id)) {
      const owner = owners.get(pattern)
      if (owner === undefined || owner === value.id) continue
      const text = `agent ${quote(owner)} has every SPIFFE ID beneath ${quote(pattern)}`
      refuse(report, document, [...path, 'auth', 'spiffe_id'], { text })
    }
  }
}

/** Of `spiffe://d/a/b` these: `spiffe://d/*`, `spiffe://d/a/*`. */
function patternsAbove(spiffeId: string): readonly string[] {
  const [, domain = '', path = ''] = /^(spiffe:\/\/[^/]*)(.*?)(?:\/\*)?$/.exec(spiffeId) ?? []
  const segments = path.split('/').slice(0, -1)
  return segments.map((_, index) => `${domain}${segments.slice(0, index + 1).join('/')}/*`)
}

/** Claims that say which workload it is; others say only whose, or where it runs. */
export const NAMING_CLAIMS = [
  '/sub',
  '/repository_id',
  '/repository',
  '/job_workflow_ref',
  '/project_id',
  '/project_path',
  '/oid',
] as const

/** Workloads of one issuer that are named by the same claim. */
interface Namesakes {
  readonly all: NamedWorkload[]
  readonly byName: Map<string, NamedWorkload[]>
}

/**
 * Two rules that one token of a platform could meet: there must be a claim they both have and in which they differ. Mostly that is
 * the one that names them, so that ten thousand agents of one cluster are not compared each with each.
 */
function checkWorkloads(report: Report, { document, entries }: Listing<AgentEntry>): void {
  const issuers = new Map<string, Map<string, Namesakes>>()
  for (const { value, path } of entries) {
    const { auth, id: agent } = value
    if (auth.method !== 'workload_jwt') continue
    if (isFull(report)) return
    const pointer = NAMING_CLAIMS.find((claim) => auth.claims[claim] !== undefined) ?? ''
    const names = auth.claims[pointer] ?? []
    const byPointer = issuers.get(auth.issuer) ?? new Map<string, Namesakes>()
    issuers.set(auth.issuer, byPointer)
    const other = findOther(byPointer, { pointer, names, auth })
    if (other !== undefined) {
      const text = `the same token could be agent ${quote(other.agent)}: give both a claim in which they differ`
      refuse(report, document, [...path, 'auth', 'claims'], { text })
    }
    const namesakes: Namesakes = byPointer.get(pointer) ?? { all: [], byName: new Map() }
    byPointer.set(pointer, namesakes)
    namesakes.all.push({ agent, auth })
    for (const name of names) {
      const known = namesakes.byName.get(name)
      if (known === undefined) namesakes.byName.set(name, [{ agent, auth }])
      else known.push({ agent, auth })
    }
  }
}

function findOther(
  byPointer: ReadonlyMap<string, Namesakes>,
  {
    pointer,
    names,
    auth,
  }: {
    readonly pointer: string
    readonly names: readonly string[]
    readonly auth: WorkloadAuth
  },
): NamedWorkload | undefined {
  const isSame = (it: NamedWorkload): boolean => !differ(it.auth, auth)
  for (const [named, { all, byName }] of byPointer) {
    const lists = named === pointer ? names.map((name) => byName.get(name) ?? []) : [all]
    for (const list of lists) {
      const other = list.find(isSame)
      if (other !== undefined) return other
    }
  }
  return undefined
}

function differ(one: WorkloadAuth, other: WorkloadAuth): boolean {
  return Object.entries(one.claims).some(([pointer, values]) => {
    const others = other.claims[pointer]
    return others !== undefined && !others.some((value) => values.includes(value))
  })
}
