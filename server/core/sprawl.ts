/**
 * What of a tenant's facts nobody uses, and what will end by itself: per agent, task type, rule and authority, with the smaller
 * fact that would do. Pure. Nothing is said to be unused that was not looked at for as long as it is said to be (`observedSince`).
 */
import type { Agent, RoleGrant, TaskType, Tenant } from './tenant.ts'
import {
  agentName,
  clientName,
  keyName,
  kidsOf,
  openerName,
  placeName,
  roleName,
  ruleName,
  scopeName,
  typeName,
  typePlaceName,
  typeScopeName,
} from './usage-names.ts'

/** What is known of one name; times in seconds since the epoch. */
export interface Use {
  /** Since when its uses are noted. */
  readonly firstSeen: number
  /** Undefined: not since then. */
  readonly lastUsed: number | undefined
}

export const FINDINGS = [
  'unused',
  'scope_unused',
  'place_unused',
  'opener_unused',
  'key_unused',
  'no_expiry',
  'expired',
  'expires_soon',
  'owner_gone',
  'certificate_expired',
  'certificate_expires_soon',
] as const
export type FindingKind = (typeof FINDINGS)[number]

export interface Finding {
  readonly kind: FindingKind
  /** Of what is not used; empty where it is the whole. */
  readonly names: readonly string[]
  /** When it ends or ended. */
  readonly at: number | undefined
}

export interface Sprawl {
  readonly kind: 'agent' | 'task_type' | 'rule' | 'role' | 'authority'
  readonly id: string
  /** Where it is written, in the tenant's folder. */
  readonly file: string
  /** Agents have one. */
  readonly owner: string | undefined
  readonly lastUsed: number | undefined
  readonly observedSince: number | undefined
  readonly findings: readonly Finding[]
  /** Members as they would be written instead. */
  readonly suggestion: readonly string[]
}

/** A certificate of an agent or an authority and its end. */
export interface DatedCertificate {
  readonly kind: 'agent' | 'authority'
  readonly id: string
  readonly expiresAt: number
}

export interface SprawlQuestion {
  readonly tenant: Tenant
  readonly uses: ReadonlyMap<string, Use>
  readonly certificates: readonly DatedCertificate[]
  /** What was not used for longer. */
  readonly days: number
  readonly now: number
}

const DAY = 86_400
/** Seconds before an end at which it is said. */
const SOON = 30 * DAY

/** Every agent; of everything else what there is something to say of. */
export function findSprawl(question: SprawlQuestion): readonly Sprawl[] {
  const { tenant } = question
  const others = [
    ...[...tenant.taskTypes.values()].map((type) => ofTaskType(question, type)),
    ...tenant.rules.permits.map(({ id, file, line }) => ({
      ...blank(question, 'rule', { id, file: `${file}:${line}`, name: ruleName(id) }),
      findings: unused(question, ruleName(id)),
    })),
    ...tenant.roles.map((grant) => ({
      ...blank(question, 'role', {
        id: roleText(grant),
        file: 'tenant.yaml',
        name: roleName(grant),
      }),
      findings: unused(question, roleName(grant)),
    })),
    ...authorities(question),
  ]
  const agents = [...tenant.agents.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return [
    ...agents.map((agent) => ofAgent(question, agent)),
    ...others.filter(({ findings }) => findings.length > 0),
  ]
}

function ofAgent(question: SprawlQuestion, agent: Agent): Sprawl {
  const { tenant, uses, now } = question
  const { id, auth, scopes, mayReach, expires, owner, disabled } = agent
  const item = blank(question, 'agent', { id, file: 'agents.yaml', name: agentName(id) })
  const lastClient = uses.get(clientName(id))?.lastUsed
  const lastUsed = latest(item.lastUsed, lastClient)
  const isUnused = isIdle(question, agentName(id)) && isIdle(question, clientName(id))
  const scope = idle(question, scopes, (name) => scopeName(id, name))
  const place = idle(question, mayReach, (name) => placeName(id, name))
  const kids = auth.method === 'private_key_jwt' ? kidsOf(auth) : []
  const keys = idle(question, kids, (kid) => keyName(id, kid))
  const parts: readonly Finding[] = isUnused
    ? [finding('unused')]
    : [
        ...named('scope_unused', scope),
        ...named('place_unused', place),
        ...named('key_unused', keys),
      ]
  const findings = [
    ...parts,
    ...(tenant.disabledSubjects.has(owner) ? [finding('owner_gone')] : []),
    ...(expires === undefined ? [finding('no_expiry')] : ending(expires, now, EXPIRY)),
    ...certificates(question, 'agent', id),
  ]
  const gone = disabled ? [] : ['disabled: true']
  const suggestion = isUnused
    ? gone
    : [...smaller('scopes', scopes, scope), ...smaller('may_reach', mayReach, place)]
  return { ...item, owner, lastUsed, findings, suggestion }
}

function ofTaskType(question: SprawlQuestion, type: TaskType): Sprawl {
  const { id, scopes, reach, openers } = type
  const item = blank(question, 'task_type', { id, file: 'task-types.yaml', name: typeName(id) })
  if (isIdle(question, typeName(id))) return { ...item, findings: [finding('unused')] }
  const scope = idle(question, scopes, (name) => typeScopeName(id, name))
  const place = idle(question, reach, (name) => typePlaceName(id, name))
  const opener = idle(question, openers, (name) => openerName(id, name))
  return {
    ...item,
    findings: [
      ...named('scope_unused', scope),
      ...named('place_unused', place),
      ...named('opener_unused', opener),
    ],
    suggestion: [
      ...smaller('scopes', scopes, scope),
      ...smaller('reach', reach, place),
      ...smaller('openers', openers, opener),
    ],
  }
}

/** It has no id of its own. */
function roleText({ role, issuer, claim, value }: RoleGrant): string {
  return `${role} of ${issuer} by ${claim} ${value}`
}

function authorities(question: SprawlQuestion): readonly Sprawl[] {
  const ids = question.certificates.filter(({ kind }) => kind === 'authority').map(({ id }) => id)
  return [...new Set(ids)].map((id) => ({
    ...blank(question, 'authority', { id, file: 'tenant.yaml', name: '' }),
    findings: certificates(question, 'authority', id),
  }))
}

function blank(
  { uses }: SprawlQuestion,
  kind: Sprawl['kind'],
  { id, file, name }: { readonly id: string; readonly file: string; readonly name: string },
): Sprawl {
  const use = uses.get(name)
  return {
    kind,
    id,
    file,
    owner: undefined,
    lastUsed: use?.lastUsed,
    observedSince: use?.firstSeen,
    findings: [],
    suggestion: [],
  }
}

/** Looked at for long enough, and not used in that time. What is not known of is not judged. */
function isIdle({ uses, days, now }: SprawlQuestion, name: string): boolean {
  const use = uses.get(name)
  if (use === undefined) return false
  return now - Math.max(use.firstSeen, use.lastUsed ?? 0) >= days * DAY
}

function idle(
  question: SprawlQuestion,
  all: Iterable<string>,
  nameOf: (part: string) => string,
): readonly string[] {
  return [...all].filter((part) => isIdle(question, nameOf(part)))
}

function unused(question: SprawlQuestion, name: string): readonly Finding[] {
  return isIdle(question, name) ? [finding('unused')] : []
}

function finding(kind: FindingKind, at?: number): Finding {
  return { kind, names: [], at }
}

function named(kind: FindingKind, names: readonly string[]): readonly Finding[] {
  return names.length === 0 ? [] : [{ kind, names, at: undefined }]
}

const EXPIRY = { over: 'expired', soon: 'expires_soon' } as const
const CERTIFICATE = { over: 'certificate_expired', soon: 'certificate_expires_soon' } as const

function ending(
  at: number,
  now: number,
  kinds: { readonly over: FindingKind; readonly soon: FindingKind },
): readonly Finding[] {
  if (at <= now) return [finding(kinds.over, at)]
  return at <= now + SOON ? [finding(kinds.soon, at)] : []
}

function certificates(
  { certificates: all, now }: SprawlQuestion,
  kind: DatedCertificate['kind'],
  id: string,
): readonly Finding[] {
  const own = all.filter((each) => each.kind === kind && each.id === id)
  return own.flatMap(({ expiresAt }) => ending(expiresAt, now, CERTIFICATE))
}

/** The member without what is idle, in its order; nothing where nothing is. */
function smaller(
  member: string,
  all: Iterable<string>,
  idleParts: readonly string[],
): readonly string[] {
  if (idleParts.length === 0) return []
  const kept = [...all].filter((part) => !idleParts.includes(part))
  return [`${member}: [${kept.join(', ')}]`]
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)
}
