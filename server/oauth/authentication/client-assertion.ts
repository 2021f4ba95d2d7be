/**
 * Client assertions (RFC 7523 §2.2, §3, with the audience rule of draft-ietf-oauth-rfc7523bis), by the server's one JWT helper:
 * one canonical form, one audience, short times, the client's own keys. Whose keys they are is the caller's business.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { type VerificationKey, verifySignature } from '../../../keys/verification-key.ts'
import type { JsonObject } from '../../../lib/src/strict-json.ts'
import type { ReplayClaim } from '../../use-cases/ports.ts'
import { readNumericDate, type UnverifiedJws, verifyJwt } from '../verified-jwt.ts'
import { CLOCK_SKEW, isSoleAudience, readTimes } from './assertion-claims.ts'
import type { Authenticated, PresentedAssertion } from './credentials.ts'

/** RFC 7523bis §3.2: typed so, or, from older clients, not at all. */
const TYPES: ReadonlySet<string> = new Set(['', 'jwt', 'client-authentication+jwt'])
const MAX_LIFETIME = 300
/** Keys tried for one assertion: a client in the middle of a rotation has two. */
const MAX_KEYS_TRIED = 4

export interface ExpectedAssertion {
  /** Whose single uses these are. */
  readonly tenant: string
  /** The only audience an assertion may have. */
  readonly audience: string
  readonly keysOf: (client: string) => readonly VerificationKey[] | undefined
}

/**
 * The client whose assertion the form carries, or the guard that failed. Pure but for the cost of one signature check,
 * which an unknown client costs too: neither bytes nor work tell it from a known one (attack case E11).
 */
export function verifyAssertion(
  expected: ExpectedAssertion,
  { jws, clientId, now }: PresentedAssertion,
): Authenticated | string {
  const client = jws.payload['sub']
  if (typeof client !== 'string' || client === '') return 'assertion_subject'
  // RFC 7521 §4.2: client_id may be left out; sent, it names the assertion's client.
  if (clientId !== undefined && clientId !== client) return 'client_id_mismatch'
  const claim = readClaims(expected, client, jws.payload, now)
  if (typeof claim === 'string') return claim
  const known = expected.keysOf(client)
  if (known === undefined) {
    verifyDecoy()
    return 'client_unknown'
  }
  const key = findSigner(jws, known)
  if (typeof key === 'string') return key
  const use = { kind: 'single', claim } as const
  return { client, method: 'private_key_jwt', credential: key.kid ?? 'key', use }
}

/** What the assertion says, and the single use it is good for. Nothing here costs cryptography. */
function readClaims(
  { tenant, audience }: ExpectedAssertion,
  client: string,
  payload: JsonObject,
  now: number,
): ReplayClaim | string {
  const { iss, aud, jti } = payload
  // RFC 7521 §5.2: self-issued.
  if (iss !== client) return 'assertion_issuer'
  if (!isSoleAudience(aud, audience)) return 'assertion_audience'
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) return 'assertion_jti'
  const expiresAt = readTimes(payload, { now, maxLifetime: MAX_LIFETIME })
  if (typeof expiresAt === 'string') return expiresAt
  const issuedAt = readNumericDate(payload['iat'])
  if (issuedAt !== undefined && issuedAt < now - MAX_LIFETIME - CLOCK_SKEW) return 'assertion_old'
  return { tenant, kind: 'client_assertion', id: [client, jti], expiresAt }
}

/** The one of the client's keys that signed it; `kid` selects among them and nothing else. */
function findSigner(
  jws: UnverifiedJws,
  keys: readonly VerificationKey[],
): VerificationKey | string {
  const { kid } = jws.header
  const candidates = keys.filter((key) => kid === undefined || (key.kid ?? kid) === kid)
  let fault: string = 'key_unknown'
  for (const key of candidates.slice(0, MAX_KEYS_TRIED)) {
    const verified = verifyJwt(jws, { types: TYPES, keyFor: () => key })
    if (typeof verified !== 'string') return key
    fault = verified
  }
  return `assertion_${fault}`
}

const DECOY_TEXT = 'decoy'
const decoy = makeDecoy()

function makeDecoy(): { readonly key: VerificationKey; readonly signature: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signature = sign('sha256', Buffer.from(DECOY_TEXT), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return { key: { kid: undefined, alg: 'ES256', key: publicKey }, signature }
}

/** What a credential costs of whom nobody knows: one signature check, as anybody's. */
export function verifyDecoy(): void {
  verifySignature(decoy.key, DECOY_TEXT, decoy.signature)
}
