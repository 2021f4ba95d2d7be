/**
 * Management tokens: JWTs of a kind of their own (`typ: manage+jwt`), for the one audience they name, short, and bound to a
 * key; an event receiver's may be bound to none. They carry no chain; at every other endpoint their type alone refuses them,
 * as it refuses every other kind here.
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
  /** `{public}/admin/v1`, or the `{issuer}/manage` of one tenant. */
  readonly aud: string
  /** `operator`, an agent, receiver or resource, or the client an identity provider issued the ID token to. */
  readonly client_id: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly cnf?: { readonly jkt: string }
}

export interface OperatorClaims extends SharedClaims {
  readonly scope: typeof OPERATOR
}

/** Signed by a tenant's own key, good for that tenant. */
interface TenantClaims extends SharedClaims {
  readonly tenant: string
}

export interface PersonClaims extends TenantClaims {
  /** Roles, separated by a space; at `{issuer}/manage` with `subject` among them. */
  readonly scope: string
  /** Trusted issuer id of the subject. */
  readonly sub_from: string
}

/** Of a client of the tenant. */
export interface ClientClaims extends TenantClaims {
  readonly scope: ClientRole
}

/** Which clients of a tenant have management tokens. */
export type ClientRole = 'agent' | 'receiver' | 'resource'

export type ManagementClaims = OperatorClaims | PersonClaims | ClientClaims

export interface VerifiedOperator {
  readonly kind: typeof OPERATOR
  readonly claims: OperatorClaims
}

export interface VerifiedPerson {
  readonly kind: 'person'
  readonly claims: PersonClaims
  readonly tenant: Tenant
  readonly roles: readonly (Role | typeof SUBJECT)[]
}

export interface VerifiedClient {
  readonly kind: ClientRole
  readonly claims: ClientClaims
  readonly tenant: Tenant
}

export type VerifiedManagement = VerifiedOperator | VerifiedPerson | VerifiedClient

/** What every person is at `{issuer}/manage`: whoever something is done for. */
export const SUBJECT = 'subject'

/** Whose keys may have signed one, and what it has to be good for. */
export interface ManagementIssuers {
  /** `{public}/admin/v1`: issuer of the operator's tokens. */
  readonly platform: string
  /** The only audience: of the admin API, or of the one tenant. */
  readonly audience: string
  /** Id of that tenant; undefined for the admin API, where a person of any tenant may come. */
  readonly manageOf: string | undefined
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
): VerifiedManagement | string {
  const jws = readCompactJws(text)
  if (jws === undefined) return 'token_malformed'
  const { audience, manageOf } = issuers
  // Unverified, so it only selects the one issuer whose keys are tried; the claims are judged after the signature.
  const { tenant: named } = jws.payload
  if (named === undefined) {
    const { platformKeyring: keyring, platform: issuer } = issuers
    const claims = readSigned(jws, { keyring, issuer, audience, now })
    if (typeof claims === 'string') return claims
    if (claims['scope'] !== OPERATOR || claims['sub'] !== OPERATOR) return 'claims_malformed'
    return claims['cnf'] === undefined
      ? 'binding_missing'
      : { kind: OPERATOR, claims: claims as unknown as OperatorClaims }
  }
  if (manageOf !== undefined && named !== manageOf) return 'tenant_mismatch'
  const tenant = typeof named === 'string' ? issuers.findTenant(named) : undefined
  if (tenant === undefined) return 'tenant_unknown'
  const keyring = issuers.keyringOf(tenant)
  const claims = readSigned(jws, { keyring, issuer: tenant.issuer, audience, now })
  if (typeof claims === 'string') return claims
  return readHolder(tenant, claims, manageOf !== undefined)
}

/** Who holds it, by its scope and nothing else. Clients have tokens for `{issuer}/manage` alone, and so have subjects. */
function readHolder(
  tenant: Tenant,
  claims: JsonObject,
  isManage: boolean,
): VerifiedPerson | VerifiedClient | string {
  const { scope, sub, client_id: client, sub_from: from, cnf } = claims
  if (scope === 'agent' || scope === 'receiver' || scope === 'resource') {
    if (!isManage || from !== undefined || sub !== client) return 'claims_malformed'
    if (cnf === undefined && scope !== 'receiver') return 'binding_missing'
    return { kind: scope, claims: claims as unknown as ClientClaims, tenant }
  }
  const roles = readRoles(scope, isManage ? [...ROLES, SUBJECT] : ROLES)
  if (roles === undefined || typeof from !== 'string') return 'claims_malformed'
  if (cnf === undefined) return 'binding_missing'
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
  if (cnf !== undefined && (!isJsonObject(cnf) || typeof cnf['jkt'] !== 'string')) {
    return 'binding_missing'
  }
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

/** Only what a person can be: `operator` is nobody's role. */
function readRoles<Held extends string>(
  scope: unknown,
  possible: readonly Held[],
): readonly Held[] | undefined {
  if (typeof scope !== 'string') return undefined
  const named = scope.split(' ')
  const roles = possible.filter((role) => named.includes(role))
  return roles.length === named.length ? roles : undefined
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
