/** Whether the agents of a token's chain are still who they were, and still at work. Looked at whenever a token is used here. */
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import { placeOf } from './delegated-claims.ts'
import { isActive } from './guards.ts'
import type { Agent, Tenant } from './tenant.ts'

/** The first that is in the way, as the name of a guard; undefined where every one is live. */
export function findInactive(
  tenant: Tenant,
  claims: DelegatedClaims,
  now: number,
): 'actor_inactive' | 'actor_replaced' | undefined {
  const { root, hops } = claims.act_bounds
  for (const [at, id] of placeOf(claims).entries()) {
    const agent = tenant.agents.get(id)
    if (!isActive(agent, now)) return 'actor_inactive'
    // Oldest first, as in the place; hops stand newest first.
    const hop = hops[hops.length - 1 - at]
    if (isReplaced(agent, root.iat + (hop?.iat ?? 0))) return 'actor_replaced'
  }
  return undefined
}

/**
 * What was made at this time, in seconds since the epoch, is not this agent's: its id had belonged to another one until
 * then (attack case E10). The very second counts as before.
 */
export function isReplaced({ registeredAt }: Pick<Agent, 'registeredAt'>, madeAt: number): boolean {
  return registeredAt !== undefined && madeAt <= registeredAt
}
