/**
 * The policy decision for one scope at one target, from the tenant's facts. Deny by default: what no fact allows is
 * refused. An API as target is a `call` by the caller, an agent as target a `delegate` to its owner, so what may be
 * handed on may not therefore be used (docs/chain-format.md §3).
 */
import type { Agent, Resource, TaskType, Tenant } from './tenant.ts'

export interface DecisionFacts {
  readonly tenant: Tenant
  readonly taskType: TaskType
  readonly caller: Agent
  readonly target: Resource
  /** The one agent that answers at the target; undefined for an API. */
  readonly recipient: Agent | undefined
}

export type PolicyDecision = 'permit' | 'ask' | 'refuse'

/** May the caller take this scope to the target? `ask`: only with the approval of a human. */
export function decide(facts: DecisionFacts, scope: string): PolicyDecision {
  const { tenant, taskType, caller, target, recipient } = facts
  const tier = tenant.scopes.get(scope)?.tier
  if (tier === undefined) return 'refuse'
  if (!taskType.scopes.includes(scope)) return 'refuse'
  if (!caller.scopes.has(scope)) return 'refuse'
  if (!target.scopes.has(scope)) return 'refuse'
  if (recipient !== undefined && !recipient.scopes.has(scope)) return 'refuse'
  return tier === 'execute' ? 'ask' : 'permit'
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
