/**
 * SPIFFE JWT-SVIDs as client assertions (draft-ietf-oauth-spiffe-client-auth, JWT-SVID). The bundle is chosen by the trust domain of
 * `sub` before any signature is checked: never by `iss`, and never one domain's for another's (attack case E05).
 */
import type { VerifiedAlgorithm } from '../../../keys/algorithm.ts'
import { parseSpiffeId } from '../../core/spiffe-id.ts'
import type { Tenant } from '../../core/tenant.ts'
import type { TrustDomain } from '../../core/trust.ts'
import { findSignerKey } from '../signer-key.ts'
import { type UnverifiedJws, verifyJwt } from '../verified-jwt.ts'
import { isSoleAudience, nameOf, readTimes } from './assertion-claims.ts'
import type { TypedAssertion } from './assertion-form.ts'
import { verifyDecoy } from './client-assertion.ts'
import type { Authenticated, NamedClient } from './credentials.ts'
import { findSpiffeAgent } from './spiffe-agents.ts'
import type { TrustMaterial } from './trust-material.ts'

/** JWT-SVID §2.1: these and no other; of an RSA key that names none the first. */
const ALGORITHMS: readonly VerifiedAlgorithm[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
]
/** JWT-SVID §2.3: not the type of RFC 7523bis. */
const TYPES: ReadonlySet<string> = new Set(['', 'jwt', 'jose'])
/** JWT-SVID §2. */
const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'kid', 'typ'])

export function authenticateSpiffeJwt(
  tenant: Tenant,
  trust: TrustMaterial,
  { jws, clientId, now }: TypedAssertion,
): NamedClient | string {
  const fault = findHeaderFault(jws)
  if (fault !== undefined) return fault
  const { sub, aud } = jws.payload
  const id = typeof sub === 'string' ? parseSpiffeId(sub) : undefined
  // JWT-SVID §3.1: a workload's. The id of a trust domain itself is nobody's.
  if (id === undefined || id.path === '') return 'assertion_subject'
  if (!isSoleAudience(aud, tenant.issuer)) return 'assertion_audience'
  const domain = tenant.trustDomains.get(id.trustDomain)
  const expiresAt = readTimes(jws.payload, { now, maxLifetime: domain?.maxLifetime ?? Infinity })
  if (typeof expiresAt === 'string') return expiresAt
  if (domain === undefined) {
    verifyDecoy()
    return 'trust_domain_unknown'
  }
  const agent = findSpiffeAgent(tenant, 'spiffe_jwt', id)
  const isNamed = clientId === undefined || clientId === agent?.id || clientId === id.text
  const verify = async (): Promise<Authenticated | string> => {
    const failed = await findSignatureFault(jws, { tenant, trust, domain })
    if (failed !== undefined) return `assertion_${failed}`
    // Known or not: the bundle was asked and the signature checked for either (attack case E11).
    if (agent === undefined) return 'client_unknown'
    if (!isNamed) return 'client_id_mismatch'
    const claim = {
      tenant: tenant.id,
      kind: 'client_assertion',
      id: [id.text, nameOf(jws)],
      expiresAt,
    } as const
    const use = { kind: 'with_key', claim } as const
    return { client: agent.id, method: 'spiffe_jwt', credential: id.text, use }
  }
  return { client: agent?.id ?? id.text, verified: verify() }
}

function findHeaderFault({ header }: UnverifiedJws): string | undefined {
  const { alg, kid, members } = header
  if (Object.keys(members).some((name) => !HEADER_MEMBERS.has(name))) return 'assertion_header'
  // JWT-SVID §2.1: anything else is rejected before it is looked at.
  if (!ALGORITHMS.some((name) => name === alg)) return 'assertion_algorithm'
  return kid === undefined || kid === '' ? 'assertion_kid' : undefined
}

interface Trusting {
  readonly tenant: Tenant
  readonly trust: TrustMaterial
  readonly domain: TrustDomain
}

async function findSignatureFault(
  jws: UnverifiedJws,
  { tenant, trust, domain }: Trusting,
): Promise<string | undefined> {
  // JWT-SVID §6.2: of the bundle the keys for JWT-SVIDs and no others.
  const keys = async (isRetry: boolean) => (await trust.bundle(tenant.id, domain, isRetry)).jwtKeys
  const key = await findSignerKey({ algorithms: ALGORITHMS, keys }, jws.header)
  const verified = verifyJwt(jws, { types: TYPES, keyFor: () => key })
  return typeof verified === 'string' ? verified : undefined
}
