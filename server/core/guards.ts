/**
 * The platform's own forbids for one hop, in the order they are asked. They read facts alone, stand before the tenant's
 * rules, and no tenant can take one away. What an exchange refuses by, `explain` shows: both walk these lists.
 */
import type { BoundsRoot } from '../../lib/src/act-bounds.ts'
import { scopeNames } from '../../lib/src/scope.ts'
import type { Ceiling } from './ceiling.ts'
import type { Reason } from './refusal.ts'
import type { RuleRequest, Subject, TaskFacts } from './rules.ts'
import type { Agent, KeyProof, Resource, TaskType, Tenant } from './tenant.ts'

export interface HopRequest {
  readonly tenant: Tenant
  readonly taskType: TaskType
  readonly root: BoundsRoot
  /** Of the token presented; the root's own for the first hop. */
  readonly parent: Ceiling
  readonly caller: Agent
  readonly target: Resource
  /** Agent ids from the root to the caller: the chain the new token will have. */
  readonly chain: readonly string[]
  /** Undefined where an agent acts on its own behalf. */
  readonly subject: Subject | undefined
  readonly task: TaskFacts
  /** What the caller proved a key with. */
  readonly key: KeyProof
  /** Undefined: whatever is permitted outright. */
  readonly scope: readonly string[] | undefined
  /** End of the actor token's life; undefined without one. */
  readonly actorExpiresAt: number | undefined
  readonly now: number
}

/** A request with what the guards look up once. */
export interface HopFacts extends HopRequest {
  /** The one agent that answers at the target; undefined for an API. */
  readonly recipient: Agent | undefined
  /** Index of the target in the root's reach; -1 where it is not there. */
  readonly audience: number
  /** Scopes of the token presented. */
  readonly held: readonly string[]
  readonly request: RuleRequest
}

export interface Guard<Facts extends readonly unknown[]> {
  /** Goes on record where it refuses. */
  readonly name: string
  readonly reason: Reason
  /** What is the case where it holds; for people. */
  readonly text: string
  readonly holds: (...facts: Facts) => boolean
}

export const HOP_GUARDS: readonly Guard<[HopFacts]>[] = [
  {
    name: 'parent_expired',
    reason: 'subject_token_expired',
    text: 'the token presented has not expired',
    holds: ({ now, parent }) => now < parent.expiresAt,
  },
  {
    name: 'chain_too_long',
    reason: 'chain_too_long',
    text: 'the chain has no more agents than its task allows',
    holds: ({ chain, parent }) => chain.length <= parent.maxDepth,
  },
  {
    name: 'target_beyond_reach',
    reason: 'target_not_permitted',
    text: 'the target lies within the reach of the token presented',
    holds: ({ audience, parent }) => audience >= 0 && (parent.reach & (1 << audience)) !== 0,
  },
  {
    name: 'target_closed_to_caller',
    reason: 'target_not_permitted',
    text: 'the caller may reach the target',
    holds: ({ caller, target }) => mayReach(caller, target),
  },
  {
    name: 'recipient_inactive',
    reason: 'target_not_permitted',
    text: 'the agent that answers at the target is neither disabled nor expired',
    holds: ({ target, recipient, now }) => target.kind === 'api' || isActive(recipient, now),
  },
]

export const SCOPE_GUARDS: readonly Guard<[HopFacts, string]>[] = [
  scopeGuard('scope_unknown', 'the tenant knows the scope', ({ tenant }, scope) =>
    tenant.scopes.has(scope),
  ),
  // No root has an execute scope: what is missing there is the approval, which is asked about last.
  scopeGuard(
    'scope_beyond_parent',
    'the token presented has the scope',
    ({ held, tenant }, scope) =>
      held.includes(scope) || tenant.scopes.get(scope)?.tier === 'execute',
  ),
  scopeGuard('scope_beyond_task_type', 'the task type has the scope', ({ taskType }, scope) =>
    taskType.scopes.includes(scope),
  ),
  scopeGuard('scope_beyond_caller', 'the caller holds the scope', ({ caller }, scope) =>
    caller.scopes.has(scope),
  ),
  scopeGuard('scope_beyond_target', 'the target has the scope', ({ target }, scope) =>
    target.scopes.has(scope),
  ),
  scopeGuard(
    'scope_beyond_recipient',
    'the agent that answers at the target holds the scope',
    ({ recipient }, scope) => recipient === undefined || recipient.scopes.has(scope),
  ),
]

function scopeGuard(
  name: string,
  text: string,
  holds: (facts: HopFacts, scope: string) => boolean,
): Guard<[HopFacts, string]> {
  return { name, reason: 'scope_not_permitted', text, holds }
}

export function factsOf(request: HopRequest): HopFacts {
  const { tenant, target, root, parent, scope } = request
  return {
    ...request,
    recipient: target.agent === undefined ? undefined : tenant.agents.get(target.agent),
    audience: root.reach.indexOf(target.uri),
    held: scopeNames(root.scope, parent.scope),
    request: { scope: scope ?? [], purpose: undefined },
  }
}

/** May the caller ask a token for this target at all? Its own home always, anything else by its facts. */
export function mayReach(caller: Agent, target: Resource): boolean {
  return target.id === caller.home || caller.mayReach.has(target.id)
}

/** An agent works until it is disabled or expires. `now` in seconds since the epoch. */
export function isActive(agent: Agent | undefined, now: number): agent is Agent {
  return (
    agent !== undefined && !agent.disabled && (agent.expires === undefined || now < agent.expires)
  )
}
