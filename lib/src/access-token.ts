/**
 * One access token, from text to verified claims (RFC 9068 §4, RFC 8725 §3). Cheap checks first, the signature
 * before any claim is believed, then a full schema: a signature says who wrote the claims, not that they make sense.
 */

import type { DelegatedClaims } from './act-bounds.ts'
import { isName } from './actors.ts'
import { isCount } from './bounds-form.ts'
import { readChain } from './chain.ts'
import { readCompactJws, type UnverifiedHeader } from './compact-jws.ts'
import { VerificationError } from './errors.ts'
import type { KeySource } from './jwks.ts'
import {
  readAlgorithm,
  type SignatureAlgorithm,
  type VerificationKey,
  verifySignature,
} from './public-key.ts'
import { readReport, type StandingReport } from './report.ts'
import type { StatusReference } from './revocation.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './strict-json.ts'

export interface TokenRules {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Seconds, 0 to 5; used for the token's own times against the clock and nowhere else. */
  readonly clockTolerance: number
}

interface ReadToken {
  readonly claims: VerifiedClaims
  readonly standing: StandingReport
  readonly status: StatusReference
}

/** A token whose signature, claims and chain hold. Its times are to be checked at every use. */
export interface VerifiedToken extends ReadToken {
  /** How the key was found and which it was: a key that left the set verifies nothing any more. */
  readonly kid: string | undefined
  readonly key: VerificationKey
}

export interface VerifiedClaims {
  readonly sub: string
  readonly scope: string
  readonly txn: string
  readonly jti: string
  readonly exp: number
  readonly iat: number
  readonly nbf: number | undefined
  readonly cnf: JsonObject | undefined
}

/** Resolves to the verified token; throws VerificationError with the first reason that applies. */
export async function verifyAccessToken(
  rules: TokenRules,
  keys: KeySource,
  token: string,
): Promise<VerifiedToken> {
  const jws = readCompactJws(token)
  if (jws === undefined) throw new VerificationError('token_malformed')
  const algorithm = readHeader(rules, jws.header)
  // Only to refuse: a token of another issuer must not make us fetch. RFC 9068 §4: exact comparison.
  if (jws.payload['iss'] !== rules.issuer) throw new VerificationError('issuer_mismatch')
  const { kid } = jws.header
  const key = await keys.find(kid, algorithm)
  if (key === 'unavailable') throw new VerificationError('keys_unavailable')
  if (key === 'unknown') throw new VerificationError('key_unknown')
  const verifying = verifySignature(key, jws.signingInput, jws.signature)
  // Pure, bounded and cheap, and the token is at hand now: read while another thread checks the signature. Nothing of it
  // counts before that, not even what is wrong with it.
  const read = readPayload(rules, jws.payload)
  if (!(await verifying)) throw new VerificationError('signature_invalid')
  if (read instanceof VerificationError) throw read
  return { ...read, kid, key }
}

function readPayload(rules: TokenRules, payload: JsonObject): ReadToken | VerificationError {
  const claims = readClaims(rules, payload)
  if (claims instanceof VerificationError) return claims
  const reading = readChain(payload)
  if (!reading.ok) return new VerificationError(reading.reason)
  const { root, hops } = reading.chain.bounds
  // Its form was read with the chain.
  const { uri } = (payload as unknown as DelegatedClaims).status.status_list
  return {
    claims,
    standing: readReport(claims, reading.chain, rules.issuer),
    status: { uri, indexes: [root, ...hops].map(({ idx }) => idx) },
  }
}

function readHeader(rules: TokenRules, header: UnverifiedHeader): SignatureAlgorithm {
  // RFC 9068 §4: no other kind of JWT passes, whoever signed it.
  if (!/^(application\/)?at\+jwt$/i.test(header.typ ?? ''))
    throw new VerificationError('token_type_wrong')
  const algorithm = readAlgorithm(header.alg)
  if (algorithm === undefined || !rules.algorithms.includes(algorithm))
    throw new VerificationError('algorithm_refused')
  return algorithm
}

function readClaims(rules: TokenRules, payload: JsonObject): VerifiedClaims | VerificationError {
  const { sub, scope, txn, jti, exp, iat, nbf, cnf, aud } = payload
  // One audience, one string: a token for two is for neither.
  if (aud !== rules.audience) return new VerificationError('audience_mismatch')
  if (!isName(sub) || !isName(jti) || !isName(payload['client_id'])) return malformed()
  if (typeof scope !== 'string' || !isCount(exp) || !isCount(iat)) return malformed()
  if (nbf !== undefined && !isCount(nbf)) return malformed()
  if (cnf !== undefined && !isJsonObject(cnf)) return malformed()
  if (!areOptionalClaimsTyped(payload)) return malformed()
  // Absent is the chain's own reason.
  return { sub, scope, txn: typeof txn === 'string' ? txn : '', jti, exp, iat, nbf, cnf }
}

function malformed(): VerificationError {
  return new VerificationError('claim_malformed')
}

/** RFC 9068 §2.2.1: what is said of the subject's authentication. */
function areOptionalClaimsTyped(payload: JsonObject): boolean {
  const { auth_time, acr, amr, sub_profile } = payload
  return (
    (auth_time === undefined || isCount(auth_time)) &&
    (acr === undefined || typeof acr === 'string') &&
    (sub_profile === undefined || typeof sub_profile === 'string') &&
    (amr === undefined ||
      (Array.isArray(amr) && amr.every((method: JsonValue) => typeof method === 'string')))
  )
}

/** RFC 9068 §4, RFC 7519 §4.1.4 to §4.1.6: throws unless the token is valid now. `now` in seconds. */
export function checkTimes(rules: TokenRules, claims: VerifiedClaims, now: number): void {
  const { exp, iat, nbf } = claims
  if (now >= exp + rules.clockTolerance) throw new VerificationError('token_expired')
  if (Math.max(iat, nbf ?? 0) > now + rules.clockTolerance)
    throw new VerificationError('token_not_yet_valid')
}
