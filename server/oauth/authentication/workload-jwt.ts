/**
 * Tokens of platforms as client assertions: Kubernetes service accounts, CI systems, clouds (RFC 7523 §3 with an issuer that is not
 * the client, RFC 7521 §5.1). A trust rule says whose tokens count, an agent's conditions which of their workloads it is.
 */
import { areMet, valueAt } from '../../core/claim-conditions.ts'
import type { Agent, Tenant } from '../../core/tenant.ts'
import type { WorkloadIssuer } from '../../core/trust.ts'
import { findSignerKey } from '../signer-key.ts'
import { verifyJwt } from '../verified-jwt.ts'
import { isSoleAudience, nameOf, readTimes } from './assertion-claims.ts'
import type { TypedAssertion } from './assertion-form.ts'
import type { Authenticated, CredentialUse, NamedClient } from './credentials.ts'
import type { ReviewedToken, TrustMaterial } from './trust-material.ts'

/** A Kubernetes token has none, others are plain JWTs: a token of a kind of its own is no workload's (attack case J09). */
const TYPES: ReadonlySet<string> = new Set(['', 'jwt'])
/** It goes on record as written: no control or invisible characters. */
const SUBJECT = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]{1,1024}$/u
/** Of the service account, which is another where one is made again under the same name (attack case E10). */
const ACCOUNT_UID = '/kubernetes.io/serviceaccount/uid'

interface Workload extends TypedAssertion {
  readonly issuer: WorkloadIssuer
  /** The token's own `sub`. */
  readonly subject: string
  readonly agent: Agent | undefined
}

export function authenticateWorkload(
  tenant: Tenant,
  trust: TrustMaterial,
  assertion: TypedAssertion,
): NamedClient | string {
  const { jws, clientId, now } = assertion
  const { iss, sub, aud } = jws.payload
  const issuer = typeof iss === 'string' ? tenant.workloadIssuers.get(iss) : undefined
  if (issuer === undefined) return 'assertion_issuer'
  // Several agents may be workloads of one platform, so the request says which of them it comes from.
  if (clientId === undefined) return 'client_id_missing'
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) return 'assertion_subject'
  if (!isSoleAudience(aud, tenant.issuer)) return 'assertion_audience'
  const expiresAt = readTimes(jws.payload, { now, maxLifetime: issuer.maxLifetime })
  if (typeof expiresAt === 'string') return expiresAt
  const agent = tenant.agents.get(clientId)
  const verify = async (): Promise<Authenticated | string> => {
    const workload = { ...assertion, issuer, subject: sub, agent }
    const fault = await findFault(tenant, trust, workload)
    if (fault !== undefined) return fault
    const claim = {
      tenant: tenant.id,
      kind: 'client_assertion',
      id: [issuer.issuer, nameOf(jws)],
      expiresAt,
    } as const
    const use: CredentialUse = { kind: issuer.singleUse ? 'single' : 'with_key', claim }
    return { client: clientId, method: 'workload_jwt', credential: sub, use }
  }
  return { client: clientId, verified: verify() }
}

/** The first guard that fails. Whom nobody knows costs what anybody does, up to the signature (attack case E11). */
async function findFault(
  tenant: Tenant,
  trust: TrustMaterial,
  workload: Workload,
): Promise<string | undefined> {
  const { jws, issuer, agent } = workload
  const { algorithms } = issuer
  const keys = (isRetry: boolean) => trust.issuerKeys(tenant.id, issuer, isRetry)
  const key = await findSignerKey({ algorithms, keys }, jws.header)
  const claims = verifyJwt(jws, { types: TYPES, keyFor: () => key })
  if (typeof claims === 'string') return `assertion_${claims}`
  if (agent?.auth.method !== 'workload_jwt' || agent.auth.issuer !== issuer.id) {
    return 'client_unknown'
  }
  if (!areMet(agent.auth.claims, claims)) return 'workload_conditions'
  const { tokenReview } = issuer
  if (tokenReview === undefined) return undefined
  const token = { text: workload.text, audience: tenant.issuer }
  const reviewed = await trust.reviewToken(tenant.id, tokenReview, token)
  return findReviewFault(reviewed, token.audience, workload)
}

/** The cluster's word on a token that is good by its signature: whether pod and service account still are (attack case E06). */
function findReviewFault(
  reviewed: ReviewedToken | undefined,
  audience: string,
  { jws, subject }: Workload,
): string | undefined {
  if (reviewed === undefined) return 'workload_gone'
  // TokenReview: a server that knows audiences names those of ours it found; one that does not names none.
  if (!reviewed.audiences.includes(audience)) return 'review_audience'
  if (reviewed.username !== subject) return 'review_subject'
  const uid = valueAt(jws.payload, ACCOUNT_UID)
  return uid === undefined || uid === reviewed.uid ? undefined : 'review_uid'
}
