/**
 * What another product says of a subject (RFC 8935, CAEP 1.0, RISC 1.0): its session is over, its account is disabled, so every
 * task of it here ends (attack case H10). A transmitter speaks of the subjects of one trusted issuer, and of nobody else's.
 */
import { isItsOwnSubject } from '../core/own-subject.ts'
import { ENDS_SUBJECT } from '../core/security-event.ts'
import type { EventTransmitter, Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { ReplayGuard } from './ports.ts'
import { type RevokeEverywhereDeps, revokeEverywhere } from './revoke-everywhere.ts'

/** Seconds an event may be on its way. */
export const LONGEST_WAY = 24 * 3600
/** A claim outlives its event by this, so that no clock sees the one without the other. */
const CLAIM_MARGIN = 60
/** How often an event is begun at most, where a fault or a crash ended each time before. */
const TRIES: readonly number[] = Array.from({ length: 16 }, (_, attempt) => attempt)

/** Of a security event token whose signature, type, issuer, audience and times hold. */
export interface InboundEvent {
  readonly jti: string
  readonly issuedAt: number
  /** URI of the event's type. */
  readonly type: string
  /** Undefined where it is named in a way that is not understood here. */
  readonly subject: { readonly iss: string; readonly sub: string } | undefined
}

/** RFC 8935 §2.4. */
export const EVENT_ERRORS = {
  invalid_request: 'this is not one security event token of the form that is taken here',
  invalid_key: 'no key of this transmitter signed this',
  invalid_issuer: 'this is not the issuer that is configured for this transmitter',
  invalid_audience: 'this is meant for somebody else',
} as const

export interface EventFault {
  readonly kind: 'event_fault'
  readonly err: keyof typeof EVENT_ERRORS
  /** On record only. */
  readonly guard: string
}

export type ReadEvent = (
  tenant: Tenant,
  transmitter: EventTransmitter,
  text: string,
) => Promise<InboundEvent | EventFault>

export interface ReceiveEventDeps extends RevokeEverywhereDeps {
  readonly replay: ReplayGuard
}

export interface ReceiveEventInput {
  readonly tenant: Tenant
  readonly transmitter: EventTransmitter
  readonly event: InboundEvent
  readonly record: DecisionRecord
}

/** Resolves when all it ends is over and on record: only then is it acknowledged. */
export async function receiveEvent(
  deps: ReceiveEventDeps,
  input: ReceiveEventInput,
): Promise<void> {
  const { tenant, transmitter, event, record } = input
  record.note({ jti: event.jti, changes: [event.type] })
  const subject = subjectOf(tenant, transmitter, event)
  if (!ENDS_SUBJECT.has(event.type)) return passOver(deps, record, 'event_without_effect')
  if (subject === undefined) return passOver(deps, record, 'subject_of_others')
  record.note({ subject })
  const at = await endsUntil(deps, input)
  if (at === undefined) return passOver(deps, record, 'event_repeated')
  const ending = {
    at,
    by: `transmitter:${transmitter.id}`,
    reason: event.type.slice(event.type.lastIndexOf('/') + 1),
  }
  record.note({ ended_because: ending.reason })
  await revokeEverywhere(deps, { tenant, scope: { kind: 'subject', id: subject }, ending, record })
  await Promise.all(TRIES.map(async (attempt) => deps.replay.claimReplay(claimOf(input, attempt))))
}

/**
 * Until when tasks were opened that it ends. The first time: until now. One that comes again and may not be done, after a crash
 * or a fault or beside the first, ends what was there when it was made: whoever keeps a copy can end nothing newer with it.
 * Undefined: it is done, since then no try is left.
 */
async function endsUntil(
  { clock, replay }: ReceiveEventDeps,
  input: ReceiveEventInput,
): Promise<number | undefined> {
  for (const attempt of TRIES) {
    if (!(await replay.claimReplay(claimOf(input, attempt)))) continue
    return attempt === 0 ? clock.now() : input.event.issuedAt
  }
  return undefined
}

function claimOf({ tenant, transmitter, event }: ReceiveEventInput, attempt: number) {
  return {
    tenant: tenant.id,
    kind: 'security_event',
    id: [transmitter.id, event.jti, `${attempt}`],
    expiresAt: event.issuedAt + LONGEST_WAY + CLAIM_MARGIN,
  } as const
}

/**
 * The tenant's own name of the subject. Of another issuer's, and of an agent, there is none, whoever signs: with an empty prefix
 * a `sub` could spell either (attack case H09).
 */
function subjectOf(
  tenant: Tenant,
  transmitter: EventTransmitter,
  { subject }: InboundEvent,
): string | undefined {
  const issuer = subject === undefined ? undefined : tenant.trustedIssuers.get(subject.iss)
  if (subject === undefined || issuer?.id !== transmitter.subjectsOf) return undefined
  const name = `${issuer.subjectPrefix}${subject.sub}`
  return isItsOwnSubject(tenant, issuer, name) ? name : undefined
}

/** Acknowledged and on record, without effect: to say so would tell who is known here. */
async function passOver(
  { audit, clock }: ReceiveEventDeps,
  record: DecisionRecord,
  guard: string,
): Promise<void> {
  await audit.appendRevocation({ ...record.permitted(clock.now()), outcome: 'refuse', guard })
}
