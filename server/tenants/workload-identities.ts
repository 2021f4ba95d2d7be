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

/**
 * Two rules that one token of a platform could meet: there must be a claim they both have and in which they differ. Mostly that is
 * `sub`, so that ten thousand agents of one cluster are not compared each with each.
 */
function checkWorkloads(report: Report, { document, entries }: Listing<AgentEntry>): void {
  const all = new Map<string, NamedWorkload[]>()
  const bySubject = new Map<string, NamedWorkload[]>()
  for (const { value, path } of entries) {
    const { auth, id: agent } = value
    if (auth.method !== 'workload_jwt') continue
    if (isFull(report)) return
    const keys = (auth.claims['/sub'] ?? ['']).map((subject) => keyOf(auth.issuer, subject))
    const others =
      auth.claims['/sub'] === undefined
        ? (all.get(auth.issuer) ?? [])
        : [keyOf(auth.issuer, ''), ...keys].flatMap((key) => bySubject.get(key) ?? [])
    const other = others.find((it) => !differ(it.auth, auth))
    if (other !== undefined) {
      const text = `the same token could be agent ${quote(other.agent)}: give both a claim in which they differ`
      refuse(report, document, [...path, 'auth', 'claims'], { text })
    }
    add(all, auth.issuer, { agent, auth })
    for (const key of keys) add(bySubject, key, { agent, auth })
  }
}

/** No subject is empty: that stands for any. */
function keyOf(issuer: string, subject: string): string {
  return `${issuer} ${subject}`
}

function add(to: Map<string, NamedWorkload[]>, key: string, workload: NamedWorkload): void {
  const known = to.get(key)
  if (known === undefined) to.set(key, [workload])
  else known.push(workload)
}

function differ(one: WorkloadAuth, other: WorkloadAuth): boolean {
  return Object.entries(one.claims).some(([pointer, values]) => {
    const others = other.claims[pointer]
    return others !== undefined && !others.some((value) => values.includes(value))
  })
}
