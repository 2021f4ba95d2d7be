/**
 * Security event tokens of configured transmitters (RFC 8417, SSF 1.0 §4.1): the issuer and its keys come from the tenant's
 * configuration, and of the claims only what an ending needs is read.
 */
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import type { EventTransmitter } from '../core/tenant.ts'
import type { Clock } from '../use-cases/ports.ts'
import {
  type EventFault,
  type InboundEvent,
  LONGEST_WAY,
  type ReadEvent,
} from '../use-cases/receive-event.ts'
import { findKey, type IssuerKeys } from './foreign-token.ts'
import { EVENT_TOKEN_TYPE } from './security-event-token.ts'
import { readCompactJws, readNumericDate, type UnverifiedJws, verifyJwt } from './verified-jwt.ts'

const TYPES: ReadonlySet<string> = new Set([EVENT_TOKEN_TYPE])
/** Seconds a transmitter's clock may be ahead. */
const CLOCK_SKEW = 5
const PRINTABLE = /^[\x21-\x7e]{1,255}$/

export function createEventReader({
  issuerKeys,
  clock,
}: {
  readonly issuerKeys: IssuerKeys
  readonly clock: Clock
}): ReadEvent {
  return async (tenant, transmitter, text) => {
    const jws = readCompactJws(text)
    if (jws === undefined) return fault('invalid_request', 'token_malformed')
    const stranger = refuseStranger(transmitter, jws)
    if (stranger !== undefined) return stranger
    const named = { tenant: tenant.id, signer: transmitter, header: jws.header }
    const key = await findKey(issuerKeys, named)
    const claims = verifyJwt(jws, { types: TYPES, keyFor: () => key })
    if (typeof claims !== 'string') return readClaims(claims, clock.now())
    return fault(claims === 'type_mismatch' ? 'invalid_request' : 'invalid_key', claims)
  }
}

/** Before keys are looked for: who it says it is from and for. Both are signed, so they hold once the signature does. */
function refuseStranger(
  { issuer, audience }: EventTransmitter,
  { payload }: UnverifiedJws,
): EventFault | undefined {
  const { iss, aud } = payload
  if (iss !== issuer) return fault('invalid_issuer', 'issuer_mismatch')
  const named = Array.isArray(aud) ? aud : [aud]
  return named.includes(audience) ? undefined : fault('invalid_audience', 'audience_mismatch')
}

function readClaims(claims: JsonObject, now: number): InboundEvent | EventFault {
  const { jti, sub, exp, events } = claims
  if (typeof jti !== 'string' || !PRINTABLE.test(jti))
    return fault('invalid_request', 'jti_malformed')
  // SSF 1.0 §4.1.2, §4.1.7: what has one of them is another kind of JWT.
  if (sub !== undefined || exp !== undefined)
    return fault('invalid_request', 'claims_of_another_kind')
  const issuedAt = readNumericDate(claims['iat'])
  if (issuedAt === undefined) return fault('invalid_request', 'times_malformed')
  if (issuedAt > now + CLOCK_SKEW) return fault('invalid_request', 'issued_in_future')
  if (issuedAt <= now - LONGEST_WAY) return fault('invalid_request', 'too_old')
  const [event, ...more] = isJsonObject(events) ? Object.entries(events) : []
  // CAEP interoperability profile §2.8.1: one.
  if (event === undefined || more.length > 0) return fault('invalid_request', 'not_one_event')
  const [type, members] = event
  if (!PRINTABLE.test(type) || !isJsonObject(members))
    return fault('invalid_request', 'event_malformed')
  return { jti, issuedAt, type, subject: readSubject(claims['sub_id']) }
}

/** RFC 9493 §3.2.3; of a complex subject (SSF 1.0 §3.3) the user. Narrower members narrow nothing: a task has no device. */
function readSubject(id: unknown): InboundEvent['subject'] {
  if (!isJsonObject(id)) return undefined
  const named = id['format'] === 'complex' ? id['user'] : id
  if (!isJsonObject(named) || named['format'] !== 'iss_sub') return undefined
  const { iss, sub } = named
  if (typeof iss !== 'string' || typeof sub !== 'string' || !PRINTABLE.test(sub)) return undefined
  return { iss, sub }
}

function fault(err: EventFault['err'], guard: string): EventFault {
  return { kind: 'event_fault', err, guard }
}
