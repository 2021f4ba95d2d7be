/**
 * Who asks at the management API: a management token and a proof of its key (RFC 9449 §7). What was true of a person when
 * the token was issued is looked up again: the issuer's trust, its management client, the subject, the roles.
 */
import type { Keyring } from '../../keys/keyring.ts'
import { type ManagementRefusal, refuseManagement } from '../core/management-refusal.ts'
import { isRefusal } from '../core/refusal.ts'
import type { Role, Tenant } from '../core/tenant.ts'
import { type Author, OPERATOR, PLATFORM } from '../use-cases/author.ts'
import type { PresentedRequest } from '../use-cases/management-access.ts'
import type { Clock, Tenants } from '../use-cases/ports.ts'
import {
  readManagementToken,
  type VerifiedOperator,
  type VerifiedPerson,
} from './management-token.ts'
import type { ProofChecker } from './sender-proof.ts'

export interface AccessDeps {
  /** Origin that clients use, from configuration. */
  readonly publicUrl: string
  readonly clock: Clock
  readonly tenants: Tenants
  readonly proofs: ProofChecker
  readonly platformKeyring: Keyring
  readonly keyringOf: (tenant: Tenant) => Keyring
}

/** RFC 9449 §7.1: the scheme of a bound token; any other, `Bearer` before all, is refused. */
const PRESENTED = /^DPoP +([A-Za-z0-9_.-]+)$/i

export function managementAudience(publicUrl: string): string {
  return `${publicUrl}/admin/v1`
}

export async function authorize(
  deps: AccessDeps,
  request: PresentedRequest,
): Promise<Author | ManagementRefusal> {
  const { authorization, proof, method, path } = request
  if (authorization === undefined) return refuseManagement('token_required')
  const token = PRESENTED.exec(authorization)?.[1]
  if (token === undefined) return refuseManagement('token_required', 'scheme_unknown')
  if (proof === undefined) return refuseManagement('proof_required')
  const now = deps.clock.now()
  const issuers = {
    audience: managementAudience(deps.publicUrl),
    platformKeyring: deps.platformKeyring,
    findTenant: (id: string) => deps.tenants.find(id),
    keyringOf: deps.keyringOf,
  }
  const verified = readManagementToken(issuers, token, now)
  if (verified === 'token_expired') return refuseManagement('token_expired')
  if (typeof verified === 'string') return refuseManagement('token_unacceptable', verified)
  const key = await deps.proofs.check({
    tenant: verified.kind === 'operator' ? PLATFORM : verified.tenant.id,
    proof,
    method,
    url: `${deps.publicUrl}${path}`,
    presented: { token, jkt: verified.claims.cnf.jkt },
    now,
  })
  if (isRefusal(key)) {
    const isReplayed = key.reason === 'proof_replayed'
    return refuseManagement(isReplayed ? 'proof_replayed' : 'proof_invalid', key.guard)
  }
  if (key === undefined) return refuseManagement('proof_required')
  return authorOf(verified)
}

function authorOf(verified: VerifiedOperator | VerifiedPerson): Author | ManagementRefusal {
  if (verified.kind === 'operator')
    return { name: OPERATOR, id: OPERATOR, roles: [OPERATOR], tenant: undefined }
  const { claims, tenant } = verified
  const issuer = [...tenant.trustedIssuers.values()].find(({ id }) => id === claims.sub_from)
  if (issuer === undefined || issuer.managementClient !== claims.client_id) {
    return refuseManagement('token_unacceptable', 'management_client_changed')
  }
  if (tenant.disabledSubjects.has(claims.sub)) {
    return refuseManagement('token_unacceptable', 'subject_disabled')
  }
  const roles = verified.roles.filter((role) => isStillGranted(tenant, issuer.id, role))
  return { name: `${issuer.id}:${claims.sub}`, id: claims.sub, roles, tenant: tenant.id }
}

/** The person's claims are not here any more; a role that nobody of this issuer has is not theirs either. */
function isStillGranted(tenant: Tenant, issuer: string, role: Role): boolean {
  return tenant.roles.some((grant) => grant.issuer === issuer && grant.role === role)
}
