/** What differs between two versions of a tenant, entry by entry, for a diff and for the record of who made it live. */
import { isDeepStrictEqual } from 'node:util'
import { quote } from '../core/problem.ts'
import type { CheckedTenant } from './check-tenant.ts'

/** Told in one record. */
const MOST = 1000

/**
 * Such as `agents.yaml: researcher changed (scopes)`, `policies: + read-docs`. Names only, no values. Comments, order of
 * members and the order of entries are no difference.
 */
export function describeChanges(before: CheckedTenant, after: CheckedTenant): readonly string[] {
  const [from, to] = [before.entries, after.entries]
  const changes = [
    ...memberChanges('tenant.yaml', tenantMembers(before), tenantMembers(after)),
    ...listChanges('tenant.yaml: trusted issuer', byId(from.issuers), byId(to.issuers)),
    ...listChanges('tenant.yaml: role', roles(before), roles(after)),
    ...listChanges('tenant.yaml: event receiver', byId(from.receivers), byId(to.receivers)),
    ...listChanges(
      'tenant.yaml: event transmitter',
      byId(from.transmitters),
      byId(to.transmitters),
    ),
    ...listChanges('tenant.yaml: trust domain', byName(from.trustDomains), byName(to.trustDomains)),
    ...listChanges(
      'tenant.yaml: certificate authority',
      byId(from.authorities),
      byId(to.authorities),
    ),
    ...listChanges(
      'tenant.yaml: workload issuer',
      byId(from.workloadIssuers),
      byId(to.workloadIssuers),
    ),
    ...listChanges('tenant.yaml: attester', byId(from.attesters), byId(to.attesters)),
    ...listChanges('agents.yaml:', byId(from.agents), byId(to.agents)),
    ...listChanges('resources.yaml:', byId(from.resources), byId(to.resources)),
    ...listChanges('task-types.yaml:', byId(from.taskTypes), byId(to.taskTypes)),
    ...listChanges('policies:', policies(before), policies(after)),
    ...listChanges('tests:', cases(before), cases(after)),
  ]
  if (changes.length <= MOST) return changes
  return [...changes.slice(0, MOST), `and ${changes.length - MOST} more`]
}

type Entries = ReadonlyMap<string, object>

function byId(entries: readonly { readonly id: string }[]): Entries {
  return new Map(entries.map((entry) => [entry.id, entry]))
}

function byName(entries: readonly { readonly name: string }[]): Entries {
  return new Map(entries.map((entry) => [entry.name, entry]))
}

const TOLD_BY_ENTRY: ReadonlySet<string> = new Set([
  'trusted_issuers',
  'roles',
  'event_receivers',
  'event_transmitters',
  'trust_domains',
  'certificate_authorities',
  'workload_issuers',
  'attesters',
])

/** Without the lists that are told entry by entry. */
function tenantMembers({ entries }: CheckedTenant): object {
  const members = Object.entries(entries.tenant).filter(([member]) => !TOLD_BY_ENTRY.has(member))
  return Object.fromEntries(members)
}

function roles({ entries }: CheckedTenant): Entries {
  return new Map(
    entries.roles.map((grant) => [
      `${grant.role} (${grant.issuer}: ${grant.claim} = ${quote(grant.value)})`,
      grant,
    ]),
  )
}

/** Where a policy stands decides nothing. */
function policies({ policies: compiled }: CheckedTenant): Entries {
  return new Map(compiled.map(({ id, text }) => [id, { text }]))
}

function cases({ cases: named }: CheckedTenant): Entries {
  return new Map(named.map(({ name, asked, at, expect }) => [quote(name), { asked, at, expect }]))
}

function listChanges(what: string, before: Entries, after: Entries): readonly string[] {
  const gone = [...before.keys()].filter((name) => !after.has(name))
  const changed = [...after].flatMap(([name, entry]) => {
    const old = before.get(name)
    if (old === undefined) return [`${what} + ${name}`]
    const members = changedMembers(old, entry)
    return members.length === 0 ? [] : [`${what} ${name} changed (${members.join(', ')})`]
  })
  return [...changed, ...gone.map((name) => `${what} - ${name}`)]
}

function memberChanges(what: string, before: object, after: object): readonly string[] {
  return changedMembers(before, after).map((member) => `${what}: ${member} changed`)
}

function changedMembers(before: object, after: object): readonly string[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  const members = new Set([...old.keys(), ...now.keys()])
  // By `undefined` a member is as absent as one that JSON left out.
  return [...members].filter(
    (member) => !isDeepStrictEqual(plain(old.get(member)), plain(now.get(member))),
  )
}

/** One side may have been stored as JSON, which leaves out what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
}
