/**
 * One hop: what the caller's new token may be, out of the token presented and the tenant's facts. Pure: either a
 * narrowed ceiling at one target, or a refusal. Checks stand in the order of docs/architecture.md.
 */
import type { BoundsRoot } from '../../lib/src/act-bounds.ts'
import { scopeNames } from '../../lib/src/scope.ts'
import { type Ceiling, maskWhere, narrow } from './ceiling.ts'
import { type DecisionFacts, decide, isActive, mayReach } from './decide.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Resource } from './tenant.ts'

export interface HopRequest extends Omit<DecisionFacts, 'recipient'> {
  readonly root: BoundsRoot
  /** Of the token presented; the root's own for the first hop. */
  readonly parent: Ceiling
  /** Agents of the chain the new token will have. */
  readonly depth: number
  /** Undefined: whatever is permitted outright. */
  readonly scope: readonly string[] | undefined
  /** End of the actor token's life; undefined without one. */
  readonly actorExpiresAt: number | undefined
  readonly now: number
}

export interface Attenuated {
  readonly ceiling: Ceiling
  readonly target: Resource
  /** Index of the target in the root's reach. */
  readonly audience: number
  readonly scope: readonly string[]
}

export function attenuate(request: HopRequest): Attenuated | Refusal {
  const { tenant, root, parent, depth, caller, target, now } = request
  if (now >= parent.expiresAt) return refuse('subject_token_expired', 'parent_expired')
  if (depth > parent.maxDepth) return refuse('chain_too_long')
  const audience = root.reach.indexOf(target.uri)
  const isWithinReach = audience >= 0 && (parent.reach & (1 << audience)) !== 0
  if (!isWithinReach) return refuse('target_not_permitted', 'target_beyond_reach')
  if (!mayReach(caller, target)) return refuse('target_not_permitted', 'target_closed_to_caller')
  const recipient = target.agent === undefined ? undefined : tenant.agents.get(target.agent)
  if (target.kind === 'agent' && !isActive(recipient, now)) {
    return refuse('target_not_permitted', 'recipient_inactive')
  }
  const facts: DecisionFacts = { ...request, recipient }
  const scope = grantScope(request, facts)
  if (typeof scope !== 'number') return scope
  const ceiling = narrow(parent, {
    scope,
    reach: reachFrom(facts, root),
    expiresAt: expiryOf(request),
  })
  if (ceiling === undefined) return refuse('target_not_permitted', 'reach_empty')
  return { ceiling, target, audience, scope: scopeNames(root.scope, ceiling.scope) }
}

/** The mask of what is granted: everything requested, or each scope that is permitted outright. */
function grantScope(request: HopRequest, facts: DecisionFacts): number | Refusal {
  const { root, parent, scope: requested } = request
  const isHeld = (name: string): boolean =>
    scopeNames(root.scope, parent.scope).includes(name) && decide(facts, name) === 'permit'
  if (requested === undefined) {
    const mask = maskWhere(root.scope, isHeld)
    return mask === 0 ? refuse('scope_nothing_left') : mask
  }
  const beyond = requested.filter((name) => !isHeld(name))
  if (beyond.length === 0) return maskWhere(root.scope, (name) => requested.includes(name))
  // Said only where nothing but the approval is missing.
  return beyond.every((name) => decide(facts, name) === 'ask')
    ? refuse('approval_required')
    : refuse('scope_not_permitted')
}

/** An API's token reaches that API alone; an agent's what that agent may reach, and itself. */
function reachFrom(facts: DecisionFacts, root: BoundsRoot): number {
  const { tenant, target, recipient } = facts
  return maskWhere(root.reach, (uri) => {
    if (uri === target.uri) return true
    const resource = tenant.resourcesByUri.get(uri)
    return recipient !== undefined && resource !== undefined && recipient.mayReach.has(resource.id)
  })
}

/** Whole seconds, no tolerance. A home token, usable only here and with proof, may live to the task's end. */
function expiryOf(request: HopRequest): number {
  const { tenant, taskType, caller, target, actorExpiresAt, now, root } = request
  const isHome = target.id === caller.home
  const lifetime = Math.min(taskType.tokenLifetime, tenant.limits.tokenLifetime)
  const policy = isHome ? root.exp : now + lifetime
  return Math.min(policy, actorExpiresAt ?? policy)
}
