/**
 * Access tokens of this tenant, presented again: as subject, as actor, for introspection or revocation.
 * Expiry, revocation and rights are judged by the use cases.
 */
import type { Keyring } from '../../keys/keyring.ts'
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import { readChain } from '../../lib/src/chain.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/src/strict-json.ts'
import type { OwnToken } from '../core/input-token.ts'
import type { Tenant } from '../core/tenant.ts'
import { readCompactJws, readNumericDate, verifyJwt } from './verified-jwt.ts'

/** RFC 9068 §4: no other kind of JWT passes for an access token. */
const ACCESS_TOKEN: ReadonlySet<string> = new Set(['at+jwt'])

/** The token, if this tenant's key signed exactly this text as an access token; a guard's name otherwise. */
export function readOwnToken(tenant: Tenant, keyring: Keyring, text: string): OwnToken | string {
  const jws = readCompactJws(text)
  if (jws === undefined) return 'token_malformed'
  const claims = verifyJwt(jws, {
    types: ACCESS_TOKEN,
    keyFor: ({ kid }) => (kid === undefined ? undefined : keyring.verificationKeys.get(kid)),
  })
  if (typeof claims === 'string') return claims
  if (claims['iss'] !== tenant.issuer) return 'issuer_mismatch'
  const reading = readChain(claims)
  if (!reading.ok) return reading.reason
  if (!hasIssuedShape(claims)) return 'claims_malformed'
  // Signed by this tenant and of the one shape it issues: its members are what delegatedClaims() wrote.
  return { kind: 'own', claims: claims as unknown as DelegatedClaims }
}

/** What the chain's rules leave open. A signature makes a claim ours, not of the right type (attack case J08). */
function hasIssuedShape(claims: JsonObject): boolean {
  const { sub, sub_profile: profile, cnf, auth_time: authTime, acr, amr } = claims
  return (
    typeof sub === 'string' &&
    sub !== '' &&
    (profile === undefined || typeof profile === 'string') &&
    (cnf === undefined || isConfirmation(cnf)) &&
    (authTime === undefined || readNumericDate(authTime) !== undefined) &&
    (acr === undefined || typeof acr === 'string') &&
    (amr === undefined || (Array.isArray(amr) && amr.every((item) => typeof item === 'string')))
  )
}

/** RFC 7800 §3.1: at least one confirmation, each a thumbprint. */
function isConfirmation(cnf: JsonValue): boolean {
  if (!isJsonObject(cnf)) return false
  const members = Object.values(cnf)
  return members.length > 0 && members.every((member) => typeof member === 'string')
}
