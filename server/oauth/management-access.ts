/**
 * Who asks at the management API: a management token and a proof of its key (RFC 9449 §7). What was true when the token was
 * issued is looked up again: of a person the issuer's trust, its management client, the subject, the roles; of an
 * agent, receiver or resource whether it still is one.
 */
import type { Keyring } from '../../keys/keyring.ts'
import { isActive } from '../core/guards.ts'
import { isReplaced } from '../core/live-actors.ts'
import {
  isManagementRefusal,
  type ManagementRefusal,
  refuseManagement,
} from '../core/management-refusal.ts'
import { isRefusal } from '../core/refusal.ts'
import type { Role, Tenant } from '../core/tenant.ts'
import { type Author, OPERATOR, PLATFORM } from '../use-cases/author.ts'
import type { PresentedRequest } from '../use-cases/management-access.ts'
import type { Clock, Tenants } from '../use-cases/ports.ts'
import {
  type ManagementIssuers,
  readManagementToken,
  SUBJECT,
  type VerifiedClient,
  type VerifiedManagement,
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

const PRESENTED = /^(DPoP|Bearer) +([A-Za-z0-9_.-]+)$/i

/** Audience of the admin API, and issuer of the operator's tokens. */
export function adminAudience(publicUrl: string): string {
  return `${publicUrl}/admin/v1`
}

/** Audience of what is asked under a tenant's own issuer: its tasks, its events, its records. */
export function manageAudience(issuer: string): string {
  return `${issuer}/manage`
}

export async function authorize(
  deps: AccessDeps,
  request: PresentedRequest,
): Promise<Author | ManagementRefusal> {
  const { authorization, proof, manageOf } = request
  if (authorization === undefined) return refuseManagement('token_required')
  const [, scheme, token] = PRESENTED.exec(authorization) ?? []
  if (scheme === undefined || token === undefined) return unknownScheme()
  const isBearer = scheme.toLowerCase() === 'bearer'
  // RFC 9449 §7.1: the scheme of a bound token is DPoP. Nobody has another kind at the admin API.
  if (isBearer && manageOf === undefined) return unknownScheme()
  if (!isBearer && proof === undefined) return refuseManagement('proof_required')
  const verified = readManagementToken(issuersOf(deps, manageOf), token, deps.clock.now())
  if (verified === 'token_expired') return refuseManagement('token_expired')
  if (typeof verified === 'string') return refuseManagement('token_unacceptable', verified)
  const { cnf } = verified.claims
  // RFC 9449 §7.2: a bound token is never taken as a bearer token, nor one that is not bound as a bound one.
  if (isBearer) return cnf === undefined ? authorOf(deps, verified) : unknownScheme()
  if (cnf === undefined) return refuseManagement('token_unacceptable', 'binding_missing')
  const fault = await checkProof(deps, request, {
    tenant: verified.kind === OPERATOR ? PLATFORM : verified.tenant.id,
    presented: { token, jkt: cnf.jkt },
  })
  return fault ?? authorOf(deps, verified)
}

function unknownScheme(): ManagementRefusal {
  return refuseManagement('token_required', 'scheme_unknown')
}

function issuersOf(deps: AccessDeps, manageOf: string | undefined): ManagementIssuers {
  const platform = adminAudience(deps.publicUrl)
  return {
    platform,
    audience: manageOf === undefined ? platform : manageAudience(`${deps.publicUrl}/t/${manageOf}`),
    manageOf,
    platformKeyring: deps.platformKeyring,
    findTenant: (id) => deps.tenants.find(id),
    keyringOf: deps.keyringOf,
  }
}

async function checkProof(
  { proofs, publicUrl, clock }: AccessDeps,
  { proof, method, path }: PresentedRequest,
  bound: { readonly tenant: string; readonly presented: { token: string; jkt: string } },
): Promise<ManagementRefusal | undefined> {
  const url = `${publicUrl}${path}`
  const key = await proofs.check({ ...bound, proof, method, url, now: clock.now() })
  if (isRefusal(key)) {
    const isReplayed = key.reason === 'proof_replayed'
    return refuseManagement(isReplayed ? 'proof_replayed' : 'proof_invalid', key.guard)
  }
  return key === undefined ? refuseManagement('proof_required') : undefined
}

/** Whose token it is, by the facts as they are now. */
type Holder = Omit<Author, 'credential' | 'boundBy'>

function authorOf(deps: AccessDeps, verified: VerifiedManagement): Author | ManagementRefusal {
  const holder = holderOf(deps, verified)
  if (isManagementRefusal(holder)) return holder
  const { jti, cnf } = verified.claims
  return { ...holder, credential: jti, boundBy: cnf === undefined ? 'none' : 'dpop' }
}

function holderOf(deps: AccessDeps, verified: VerifiedManagement): Holder | ManagementRefusal {
  switch (verified.kind) {
    case 'operator':
      return { name: OPERATOR, id: OPERATOR, roles: [OPERATOR], tenant: undefined }
    case 'person':
      return personOf(verified)
    case 'agent':
      return agentOf(verified, deps.clock.now())
    case 'receiver':
      return receiverOf(verified)
    case 'resource':
      return resourceOf(verified)
  }
}

function personOf({ claims, tenant, roles: held }: VerifiedPerson): Holder | ManagementRefusal {
  const issuer = [...tenant.trustedIssuers.values()].find(({ id }) => id === claims.sub_from)
  if (issuer === undefined || issuer.managementClient !== claims.client_id) {
    return refuseManagement('token_unacceptable', 'management_client_changed')
  }
  if (tenant.disabledSubjects.has(claims.sub)) {
    return refuseManagement('token_unacceptable', 'subject_disabled')
  }
  const roles = held.filter((role) => role === SUBJECT || isStillGranted(tenant, issuer.id, role))
  return { name: `${issuer.id}:${claims.sub}`, id: claims.sub, roles, tenant: tenant.id }
}

/** The person's claims are not here any more; a role that nobody of this issuer has is not theirs either. */
function isStillGranted(tenant: Tenant, issuer: string, role: Role): boolean {
  return tenant.roles.some((grant) => grant.issuer === issuer && grant.role === role)
}

/** Still at work, and still the agent the token was issued to (attack cases E09 and E10). */
function agentOf({ claims, tenant }: VerifiedClient, now: number): Holder | ManagementRefusal {
  const agent = tenant.agents.get(claims.sub)
  if (!isActive(agent, now)) return refuseManagement('token_unacceptable', 'agent_inactive')
  if (isReplaced(agent, claims.iat)) return refuseManagement('token_unacceptable', 'agent_replaced')
  return { name: `agent:${agent.id}`, id: agent.id, roles: ['agent'], tenant: tenant.id }
}

function receiverOf({ claims, tenant }: VerifiedClient): Holder | ManagementRefusal {
  const receiver = tenant.eventReceivers.get(claims.sub)
  if (receiver === undefined) return refuseManagement('token_unacceptable', 'receiver_unknown')
  if (claims.cnf === undefined && receiver.binding !== 'bearer') {
    return refuseManagement('token_unacceptable', 'binding_missing')
  }
  const { id } = receiver
  return { name: `receiver:${id}`, id, roles: ['receiver'], tenant: tenant.id }
}

/** As long as it has keys of its own: without them it is no client (server/oauth/clients.ts). */
function resourceOf({ claims, tenant }: VerifiedClient): Holder | ManagementRefusal {
  const resource = tenant.resources.get(claims.sub)
  if (resource === undefined || resource.keys.length === 0) {
    return refuseManagement('token_unacceptable', 'resource_unknown')
  }
  const { id } = resource
  return { name: `resource:${id}`, id, roles: ['resource'], tenant: tenant.id }
}
