/**
 * What is said of an ending, in the words of CAEP 1.0 and the Shared Signals Framework 1.0: type, subject and members of one
 * event. Pure; an ending told again says the same.
 */
import type { Tenant } from './tenant.ts'

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type'
const RISC = 'https://schemas.openid.net/secevent/risc/event-type'
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type'

export const EVENT_TYPES = {
  sessionRevoked: `${CAEP}/session-revoked`,
  tokenClaimsChange: `${CAEP}/token-claims-change`,
  verification: `${SSF}/verification`,
  streamUpdated: `${SSF}/stream-updated`,
} as const

/** What a receiver may ask for. The other two concern a stream itself and are sent whatever it asked for. */
export const EVENTS_SUPPORTED: readonly string[] = [
  EVENT_TYPES.sessionRevoked,
  EVENT_TYPES.tokenClaimsChange,
]

/**
 * Events of others after which nothing goes on for their subject: its session is over, its account is disabled or gone, or who
 * uses it is not known any more (CAEP 1.0 §3.1, RISC 1.0 §2).
 */
export const ENDS_SUBJECT: ReadonlySet<string> = new Set([
  EVENT_TYPES.sessionRevoked,
  `${RISC}/sessions-revoked`,
  `${RISC}/account-disabled`,
  `${RISC}/account-purged`,
  `${RISC}/account-credential-change-required`,
  `${RISC}/credential-compromise`,
])

/** RFC 9493 §3.2.3 and §3.2.4, SSF 1.0 §3.5.1. */
export type SubjectId =
  | { readonly format: 'iss_sub'; readonly iss: string; readonly sub: string }
  | { readonly format: 'jwt_id'; readonly iss: string; readonly jti: string }
  | { readonly format: 'opaque'; readonly id: string }

/** A security event token without the claims that its receiver and the moment decide. */
export interface EventContent {
  readonly type: string
  readonly subject: SubjectId
  /** The event's own members (RFC 8417 §2: payload). */
  readonly members: Readonly<Record<string, unknown>>
  /** SSF 1.0 §4.1.9: one value for all events of one cause; undefined where nothing caused it but a receiver's request. */
  readonly txn: string | undefined
  readonly issuedAt: number
}

/** When, by whom and why, as on record (server/use-cases/task-store.ts, `Ending`). */
export interface Cause {
  readonly at: number
  readonly by: string
  readonly reason: string
}

/** What of a task's record an event is made of. */
export interface TaskOfEvent {
  readonly txn: string
  readonly subject: string
  /** Undefined with basis `client`. */
  readonly subjectFrom: { readonly issuer: string } | undefined
  readonly rootJti: string
}

export interface EndedTask extends TaskOfEvent {
  /** What it became, not what it was. */
  readonly state: 'closed' | 'revoked' | 'suspended'
}

export interface RevokedSubject {
  /** The tenant's own identifier, with the issuer's prefix. */
  readonly id: string
  /** Id of the revocation: the events of one cause share it. */
  readonly revocation: string
}

export type SecurityEvent =
  /** Its state became closed, revoked or suspended. */
  | { readonly kind: 'task_ended'; readonly task: EndedTask; readonly ending: Cause }
  /** A suspended task is open again, with this scope. */
  | {
      readonly kind: 'task_resumed'
      readonly task: TaskOfEvent
      readonly ending: Cause
      readonly scope: readonly string[]
    }
  /** Tokens that were taken out one by one or with their place; the task goes on. */
  | {
      readonly kind: 'tokens_revoked'
      readonly task: TaskOfEvent
      readonly ending: Cause
      readonly jtis: readonly string[]
    }
  /** Everything of a subject, once, however many tasks there were; `task_ended` is not told for each. */
  | { readonly kind: 'subject_revoked'; readonly subject: RevokedSubject; readonly ending: Cause }

/**
 * The events an ending makes. A revoked task ends its subject's work: `session-revoked`. One that is closed or suspended, and
 * tokens that are taken out, leave the subject alone: `token-claims-change` of the tokens, or of the task's root id, which
 * every token of the task carries as `act_bounds.root.jti`.
 */
export function contentsOf(
  tenant: Tenant,
  event: SecurityEvent,
  issuedAt: number,
): readonly EventContent[] {
  const { ending } = event
  if (event.kind === 'subject_revoked') {
    const { id, revocation } = event.subject
    const subject = subjectIdOf(tenant, id, undefined)
    const members = causeOf(ending, undefined)
    return [{ type: EVENT_TYPES.sessionRevoked, subject, members, txn: revocation, issuedAt }]
  }
  const { task } = event
  const cause = causeOf(ending, task)
  if (event.kind === 'task_ended' && event.task.state === 'revoked') {
    const subject = subjectIdOf(tenant, task.subject, task.subjectFrom)
    const { txn } = task
    return [{ type: EVENT_TYPES.sessionRevoked, subject, members: cause, txn, issuedAt }]
  }
  const change = (jti: string, scope: string, txn: string): EventContent => ({
    type: EVENT_TYPES.tokenClaimsChange,
    subject: { format: 'jwt_id', iss: tenant.issuer, jti },
    members: { ...cause, claims: { scope } },
    txn: `${task.txn}.${txn}`,
    issuedAt,
  })
  switch (event.kind) {
    case 'task_ended':
      return [change(task.rootJti, '', `${event.task.state}.${ending.at}`)]
    case 'task_resumed':
      return [change(task.rootJti, event.scope.join(' '), `resumed.${ending.at}`)]
    case 'tokens_revoked':
      return event.jtis.map((jti) => change(jti, '', event.jtis[0] ?? ''))
  }
}

export function verificationOf(
  stream: string,
  state: string | undefined,
  issuedAt: number,
): EventContent {
  return {
    type: EVENT_TYPES.verification,
    subject: { format: 'opaque', id: stream },
    // SSF 1.0 §8.1.4.1: what was sent is echoed; none is invented.
    members: state === undefined ? {} : { state },
    txn: undefined,
    issuedAt,
  }
}

export function streamUpdatedOf(stream: string, reason: string, issuedAt: number): EventContent {
  return {
    type: EVENT_TYPES.streamUpdated,
    subject: { format: 'opaque', id: stream },
    members: { status: 'paused', reason },
    txn: undefined,
    issuedAt,
  }
}

/**
 * A subject as its own issuer names it: without the tenant's prefix. Of an agent on its own behalf, and of an issuer that is
 * trusted no more, our own name.
 */
export function subjectIdOf(
  tenant: Tenant,
  subject: string,
  from: { readonly issuer: string } | undefined,
): SubjectId {
  const isAgent = from === undefined && tenant.agents.has(subject)
  const candidates = isAgent ? [] : [...tenant.trustedIssuers.values()]
  const [issuer] = candidates
    .filter(({ id }) => from === undefined || id === from.issuer)
    .filter(({ subjectPrefix }) => subject.startsWith(subjectPrefix))
    // A subject belongs to the issuer with the longest prefix it begins with (docs/chain-format.md §1).
    .toSorted((a, b) => b.subjectPrefix.length - a.subjectPrefix.length)
  if (issuer === undefined) return { format: 'iss_sub', iss: tenant.issuer, sub: subject }
  const sub = subject.slice(issuer.subjectPrefix.length)
  return { format: 'iss_sub', iss: issuer.issuer, sub }
}

const LONGEST_REASON = 512

/** CAEP 1.0 §2: optional claims of every event. Interoperability profile: `reason_admin` is never empty. */
function causeOf({ at, by, reason }: Cause, task: TaskOfEvent | undefined) {
  const text = reason.trim().slice(0, LONGEST_REASON).toWellFormed()
  return {
    event_timestamp: Math.floor(at),
    initiating_entity: initiatorOf(by, task),
    reason_admin: { en: text === '' ? 'No reason was given.' : text },
  }
}

function initiatorOf(by: string, task: TaskOfEvent | undefined) {
  if (by === 'trigger' || by === 'facts') return 'policy'
  if (by.startsWith('agent:') || by.startsWith('transmitter:')) return 'system'
  const own =
    task?.subjectFrom === undefined ? undefined : `${task.subjectFrom.issuer}:${task.subject}`
  return by === own ? 'user' : 'admin'
}
