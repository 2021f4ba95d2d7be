/**
 * Management tokens: JWTs of a kind of their own (`typ: manage+jwt`), for the management API only, bound to a key and short.
 * They carry no chain; at every other endpoint their type alone refuses them, as it refuses every other kind here.
 */
import type { Keyring } from '../../keys/keyring.ts'
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import { ROLES, type Role, type Tenant } from '../core/tenant.ts'
import { OPERATOR } from '../use-cases/author.ts'
import { readCompactJws, readNumericDate, type UnverifiedJws, verifyJwt } from './verified-jwt.ts'

/** Seconds. */
export const MANAGEMENT_LIFETIME = 300
const CLOCK_SKEW = 5
const TYPE = 'manage+jwt'
const TYPES: ReadonlySet<string> = new Set([TYPE])

/** What every management token says. */
interface SharedClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string
  /** `operator`, or the client an identity provider issued the ID token to. */
  readonly client_id: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly cnf: { readonly jkt: string }
}

export interface OperatorClaims extends SharedClaims {
  readonly scope: typeof OPERATOR
}

/** Of a person: signed by the tenant's own key, good for that tenant. */
export interface PersonClaims extends SharedClaims {
  /** Roles, separated by a space. */
  readonly scope: string
  readonly tenant: string
  /** Trusted issuer id of the subject. */
  readonly sub_from: string
}

export type ManagementClaims = OperatorClaims | PersonClaims

export interface VerifiedOperator {
  readonly kind: 'operator'
  readonly claims: OperatorClaims
}

export interface VerifiedPerson {
  readonly kind: 'person'
  readonly claims: PersonClaims
  readonly tenant: Tenant
  readonly roles: readonly Role[]
}

/** Whose keys may have signed one. */
export interface ManagementIssuers {
  /** `{public}/admin/v1`: issuer of the operator's tokens and audience of all. */
  readonly audience: string
  readonly platformKeyring: Keyring
  readonly findTenant: (id: string) => Tenant | undefined
  readonly keyringOf: (tenant: Tenant) => Keyring
}

export async function mintManagementToken(
  keyring: Keyring,
  claims: ManagementClaims,
): Promise<string> {
  const { alg, kid } = keyring.active
  const input = `${encode({ alg, typ: TYPE, kid })}.${encode(claims)}`
  return `${input}.${await keyring.active.sign(input)}`
}

/** The token, if the key of the issuer it names signed exactly this text as one; a guard's name otherwise. */
export function readManagementToken(
  issuers: ManagementIssuers,
  text: string,
  now: number,
): VerifiedOperator | VerifiedPerson | string {
  const jws = readCompactJws(text)
  if (jws === undefined) return 'token_malformed'
  // Unverified, so it only selects the one issuer whose keys are tried; the claims are judged after the signature.
  const { tenant: named } = jws.payload
  if (named === undefined) {
    const { platformKeyring: keyring, audience } = issuers
    const claims = readSigned(jws, { keyring, issuer: audience, audience, now })
    if (typeof claims === 'string') return claims
    if (claims['scope'] !== OPERATOR || claims['sub'] !== OPERATOR) return 'claims_malformed'
    return { kind: 'operator', claims: claims as unknown as OperatorClaims }
  }
  const tenant = typeof named === 'string' ? issuers.findTenant(named) : undefined
  if (tenant === undefined) return 'tenant_unknown'
  const keyring = issuers.keyringOf(tenant)
  const { audience } = issuers
  const claims = readSigned(jws, { keyring, issuer: tenant.issuer, audience, now })
  if (typeof claims === 'string') return claims
  const roles = readRoles(claims['scope'])
  if (roles === undefined || typeof claims['sub_from'] !== 'string') return 'claims_malformed'
  return { kind: 'person', claims: claims as unknown as PersonClaims, tenant, roles }
}

interface Expected {
  readonly keyring: Keyring
  readonly issuer: string
  readonly audience: string
  readonly now: number
}

function readSigned(jws: UnverifiedJws, expected: Expected): JsonObject | string {
  const { keyring, issuer, audience, now } = expected
  const claims = verifyJwt(jws, {
    types: TYPES,
    keyFor: ({ kid }) => (kid === undefined ? undefined : keyring.verificationKeys.get(kid)),
  })
  if (typeof claims === 'string') return claims
  const { iss, aud, sub, client_id: client, jti, cnf } = claims
  if (iss !== issuer) return 'issuer_mismatch'
  if (aud !== audience) return 'audience_mismatch'
  const texts = [sub, client, jti]
  if (!texts.every((item) => typeof item === 'string' && item !== '')) return 'claims_malformed'
  if (!isJsonObject(cnf) || typeof cnf['jkt'] !== 'string') return 'binding_missing'
  return checkTimes(claims, now) ?? claims
}

function checkTimes(claims: JsonObject, now: number): string | undefined {
  const issuedAt = readNumericDate(claims['iat'])
  const expiresAt = readNumericDate(claims['exp'])
  if (issuedAt === undefined || expiresAt === undefined) return 'times_malformed'
  if (issuedAt > now + CLOCK_SKEW || expiresAt > issuedAt + MANAGEMENT_LIFETIME) {
    return 'times_malformed'
  }
  return expiresAt <= now ? 'token_expired' : undefined
}

/** Only roles a person can have: `operator` is nobody's role. */
function readRoles(scope: unknown): readonly Role[] | undefined {
  if (typeof scope !== 'string') return undefined
  const named = scope.split(' ')
  const roles = ROLES.filter((role) => named.includes(role))
  return roles.length === named.length ? roles : undefined
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
