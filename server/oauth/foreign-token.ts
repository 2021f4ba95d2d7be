/**
 * Subject tokens of configured issuers (ID tokens and other JWTs). The issuer is chosen by an exact match with the
 * configuration, its keys come from there too; of the claims only what its trust rule names is believed.
 */
import { hash } from 'node:crypto'
import type { VerificationKey } from '../../keys/verification-key.ts'
import type { UnverifiedHeader } from '../../lib/src/compact-jws.ts'
import { readScope } from '../../lib/src/scope.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import type { Authentication, ForeignToken } from '../core/input-token.ts'
import { isItsOwnSubject } from '../core/own-subject.ts'
import type { PublicJwk, Tenant, TrustedIssuer } from '../core/tenant.ts'
import { findSignerKey } from './signer-key.ts'
import { readCompactJws, readNumericDate, verifyJwt } from './verified-jwt.ts'

export type ForeignType = 'id_token' | 'jwt'

/** Public keys of an issuer. `isRetry`: a `kid` was not among them; the source may look again, within its cooldown. */
export type IssuerKeys = (
  tenant: string,
  issuer: Pick<TrustedIssuer, 'keys'>,
  isRetry: boolean,
) => Promise<readonly PublicJwk[]>

const TYPES: Readonly<Record<ForeignType, ReadonlySet<string>>> = {
  // OpenID Connect Core §2 names no typ; an access token is never an ID token.
  id_token: new Set(['', 'jwt', 'id+jwt']),
  jwt: new Set(['', 'jwt', 'at+jwt']),
}
/** Seconds a foreign clock may be ahead. */
const CLOCK_SKEW = 5
const MAX_SUBJECT = 255
/** Printable ASCII: an identifier that reads as it compares (attack case J10). */
const PRINTABLE = /^[\x21-\x7e]+$/
/** Of one claim that rules may read: as many values, each of as many characters, no control or invisible ones. */
const MOST_VALUES = 32
const VALUE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,255}$/u

/** A payload its issuer's key signed. Which of its claims count is the reader's business. */
export interface SignedByIssuer {
  readonly issuer: TrustedIssuer
  readonly claims: JsonObject
  /** What was signed, for a token that has no `jti`. */
  readonly signingInput: string
}

/** The token as far as its trust rule believes it; a guard's name otherwise. Expiry is judged after the way in. */
export async function readForeignToken(
  tenant: Tenant,
  issuerKeys: IssuerKeys,
  input: { readonly text: string; readonly type: ForeignType; readonly now: number },
): Promise<ForeignToken | string> {
  const signed = await verifyForeignToken(tenant, issuerKeys, input)
  return typeof signed === 'string' ? signed : believe(tenant, signed, input.now)
}

/** Issuer, type and signature; a guard's name otherwise. */
export async function verifyForeignToken(
  tenant: Tenant,
  issuerKeys: IssuerKeys,
  input: { readonly text: string; readonly type: ForeignType },
): Promise<SignedByIssuer | string> {
  const jws = readCompactJws(input.text)
  if (jws === undefined) return 'token_malformed'
  const claimedIssuer = jws.payload['iss']
  // Our own tokens are never a foreign issuer's, whatever they are declared as.
  if (typeof claimedIssuer !== 'string' || claimedIssuer === tenant.issuer)
    return 'issuer_untrusted'
  const issuer = tenant.trustedIssuers.get(claimedIssuer)
  if (issuer === undefined || !issuer.tokenTypes.has(input.type)) return 'issuer_untrusted'
  const key = await findKey(issuerKeys, { tenant: tenant.id, signer: issuer, header: jws.header })
  const claims = verifyJwt(jws, { types: TYPES[input.type], keyFor: () => key })
  return typeof claims === 'string' ? claims : { issuer, claims, signingInput: jws.signingInput }
}

/** Whose keys may have signed something, and with which algorithms. */
export type Signer = Pick<TrustedIssuer, 'keys' | 'algorithms'>

/** The key of this signer that a header names; looked for once more where it is not among those at hand. */
export async function findKey(
  issuerKeys: IssuerKeys,
  {
    tenant,
    signer,
    header,
  }: { readonly tenant: string; readonly signer: Signer; readonly header: UnverifiedHeader },
): Promise<VerificationKey | undefined> {
  const { algorithms } = signer
  return findSignerKey(
    { algorithms, keys: (isRetry) => issuerKeys(tenant, signer, isRetry) },
    header,
  )
}

/** What its trust rule takes from a verified payload, and nothing else. */
export function believe(
  tenant: Tenant,
  { issuer, claims, signingInput }: SignedByIssuer,
  now: number,
): ForeignToken | string {
  const { sub, aud, azp, may_act: mayAct } = claims
  if (typeof sub !== 'string' || sub.length > MAX_SUBJECT || !PRINTABLE.test(sub)) {
    return 'subject_malformed'
  }
  const subject = `${issuer.subjectPrefix}${sub}`
  if (!isItsOwnSubject(tenant, issuer, subject)) return 'subject_collides'
  const audience = typeof aud === 'string' ? [aud] : aud
  if (!isStrings(audience)) return 'audience_malformed'
  if (azp !== undefined && typeof azp !== 'string') return 'azp_malformed'
  const expiresAt = readNumericDate(claims['exp'])
  const issuedAt = readNumericDate(claims['iat'])
  if (expiresAt === undefined || issuedAt === undefined) return 'times_malformed'
  if (issuedAt > now + CLOCK_SKEW) return 'issued_in_future'
  const { nbf } = claims
  if (nbf !== undefined && !((readNumericDate(nbf) ?? Infinity) <= now + CLOCK_SKEW)) {
    return 'not_yet_valid'
  }
  const client = issuer.clientClaim === undefined ? undefined : claims[issuer.clientClaim]
  const scope = readScopeClaim(issuer, claims)
  if (scope === 'malformed') return 'scope_claim_malformed'
  return {
    kind: 'foreign',
    issuer,
    subject,
    audience,
    azp,
    client: typeof client === 'string' ? client : undefined,
    issuedAt,
    expiresAt,
    id: readId(claims, signingInput),
    scope,
    claims: readSubjectClaims(issuer, claims),
    mayAct,
    hasChain: 'act' in claims || 'act_bounds' in claims,
    authentication: readAuthentication(claims),
  }
}

/** A signature can be made again over the same text, so it is no part of what tells tokens apart (RFC 7515 §A.3). */
function readId({ jti }: JsonObject, signingInput: string): string {
  if (typeof jti === 'string' && jti !== '') return `jti:${jti}`
  return `sha256:${hash('sha256', signingInput, 'base64url')}`
}

/** Where a trust rule names a scope claim it bounds the task: missing means no scope at all. */
function readScopeClaim(
  issuer: TrustedIssuer,
  claims: JsonObject,
): readonly string[] | undefined | 'malformed' {
  if (issuer.scopeClaim === undefined) return undefined
  const scope = claims[issuer.scopeClaim] ?? ''
  if (typeof scope !== 'string') return 'malformed'
  return scope === '' ? [] : (readScope(scope) ?? 'malformed')
}

/** A claim of another form is left out whole: a rule that permits by it then does not hold. */
function readSubjectClaims(issuer: TrustedIssuer, claims: JsonObject): ForeignToken['claims'] {
  const believed: Record<string, readonly string[]> = {}
  for (const name of issuer.subjectClaims) {
    if (!Object.hasOwn(claims, name)) continue
    const stated = claims[name]
    const values = typeof stated === 'string' ? [stated] : stated
    if (!isStrings(values) || values.length > MOST_VALUES) continue
    if (values.every((value) => VALUE.test(value))) believed[name] = values
  }
  return believed
}

function readAuthentication(claims: JsonObject): Authentication {
  const authTime = readNumericDate(claims['auth_time'])
  const { acr, amr } = claims
  return {
    ...(authTime === undefined ? {} : { auth_time: authTime }),
    ...(typeof acr === 'string' && acr.length <= 256 ? { acr } : {}),
    ...(isStrings(amr) && amr.length <= 8 ? { amr } : {}),
  }
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')
}
