/**
 * Introspection (RFC 7662) of our access tokens, from live state: for the token's holder, and for whoever answers at its
 * audience. To anyone else, and for anything else, it is inactive and nothing more (RFC 7662 §2.2, §4).
 */
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import type { OwnToken } from '../core/input-token.ts'
import { findInactive, isReplaced } from '../core/live-actors.ts'
import type { Tenant } from '../core/tenant.ts'
import type { Clock, TaskStore } from './ports.ts'

export interface IntrospectInput {
  readonly tenant: Tenant
  /** The authenticated client: an agent, or a resource server under its resource's id. */
  readonly client: string
  /** Undefined: not a token of this tenant. */
  readonly token: OwnToken | undefined
}

/** The claims of an active token this client may know about; undefined otherwise. */
export async function introspectToken(
  deps: { readonly clock: Clock; readonly tasks: TaskStore },
  input: IntrospectInput,
): Promise<DelegatedClaims | undefined> {
  const { tenant, client, token } = input
  if (token === undefined) return undefined
  const { claims } = token
  const now = deps.clock.now()
  if (!mayKnow(tenant, client, claims) || now >= claims.exp) return undefined
  const known = await deps.tasks.findHop(tenant.id, claims.txn, claims.jti)
  if (known === undefined || known.hop.revoked) return undefined
  if (known.task.state !== 'open' || now >= known.task.deadline) return undefined
  // Good at an exchange and good here are one thing (attack case E09).
  if (findInactive(tenant, claims, now) !== undefined) return undefined
  if (tenant.disabledSubjects.has(claims.sub)) return undefined
  return claims
}

function mayKnow(tenant: Tenant, client: string, claims: DelegatedClaims): boolean {
  if (claims.client_id === client) return true
  const audience = tenant.resourcesByUri.get(claims.aud)
  if (audience?.id === client) return true
  const agent = tenant.agents.get(client)
  return agent !== undefined && audience?.agent === client && !isReplaced(agent, claims.iat)
}
