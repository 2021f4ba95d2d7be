/**
 * One hop: what the caller's new token may be, out of the token presented, the tenant's facts and its rules. Pure: either a
 * narrowed ceiling at one target, or a refusal. Checks stand in the order of docs/architecture.md.
 */
import { scopeNames } from '../../lib/src/scope.ts'
import { type Ceiling, maskWhere, narrow } from './ceiling.ts'
import { decide, type ScopeDecision } from './decide.ts'
import { factsOf, HOP_GUARDS, type HopFacts, type HopRequest } from './guards.ts'
import { isRefusal, type Refusal, refuse } from './refusal.ts'
import { type Obligations, strictest } from './rules.ts'
import type { Resource } from './tenant.ts'

export interface Attenuated {
  readonly ceiling: Ceiling
  readonly target: Resource
  /** Index of the target in the root's reach. */
  readonly audience: number
  readonly scope: readonly string[]
  /** Ids of the rules that permitted, and what they bind the token to. */
  readonly policies: readonly string[]
  readonly obligations: Obligations
}

export function attenuate(request: HopRequest): Attenuated | Refusal {
  const hop = factsOf(request)
  const guard = HOP_GUARDS.find(({ holds }) => !holds(hop))
  if (guard !== undefined) return refuse(guard.reason, guard.name)
  const grant = grantScope(hop)
  if (isRefusal(grant)) return grant
  const { target, audience, root, parent } = hop
  const { policies, obligations } = grant
  const ceiling = narrow(parent, {
    scope: maskWhere(root.scope, (name) => grant.scope.includes(name)),
    reach: reachFrom(hop),
    expiresAt: expiryOf(hop, obligations),
    maxDepth: obligations.maxDepth ?? parent.maxDepth,
  })
  if (ceiling === undefined) return refuse('target_not_permitted', 'reach_empty')
  const scope = scopeNames(root.scope, ceiling.scope)
  return { ceiling, target, audience, scope, policies, obligations }
}

type Grant = Pick<Attenuated, 'scope' | 'policies' | 'obligations'>

/** Everything requested, or each scope that is permitted outright. */
function grantScope(hop: HopFacts): Grant | Refusal {
  const names = hop.scope ?? hop.held
  const decided = names.map((name) => ({ name, ...decide(hop, name) }))
  const permitted = decided.filter(({ outcome }) => outcome === 'permit')
  const beyond = decided.filter(({ outcome }) => outcome !== 'permit')
  const isEnough = hop.scope === undefined ? permitted.length > 0 : beyond.length === 0
  if (isEnough) return { scope: permitted.map(({ name }) => name), ...termsOf(permitted) }
  return refuseScope(hop, beyond)
}

function termsOf(permitted: readonly ScopeDecision[]): Omit<Grant, 'scope'> {
  const answers = permitted.flatMap(({ answer }) => answer ?? [])
  return {
    policies: [...new Set(answers.flatMap(({ policies, failed }) => [...policies, ...failed]))],
    obligations: answers.reduce<Obligations>(
      (sum, { obligations }) => strictest(sum, obligations),
      {},
    ),
  }
}

function refuseScope(hop: HopFacts, beyond: readonly ScopeDecision[]): Refusal {
  const { policies } = termsOf(beyond)
  if (hop.scope === undefined) {
    const isClosed = isClosedByRules(beyond)
    return isClosed
      ? refuse('target_not_permitted', 'target_closed_by_rules', policies)
      : refuse('scope_nothing_left', 'scope_nothing_left', policies)
  }
  // Said only where nothing but the approval is missing.
  if (beyond.every(({ outcome }) => outcome === 'ask')) {
    return refuse('approval_required', 'approval_required', policies)
  }
  // Where the rules leave nothing at all at this target, it is the target that is refused (attack case A05).
  const refused = beyond.filter(({ outcome }) => outcome === 'refuse')
  if (refused.every(({ answer }) => answer !== undefined) && isClosedByRules(decideAll(hop))) {
    return refuse('target_not_permitted', 'target_closed_by_rules', policies)
  }
  const [first] = refused
  return refuse('scope_not_permitted', first?.guard, policies)
}

function decideAll(hop: HopFacts): readonly ScopeDecision[] {
  return hop.held.map((name) => decide(hop, name))
}

/** The facts leave scopes at the target, and the rules refuse every one of them. */
function isClosedByRules(decided: readonly ScopeDecision[]): boolean {
  const asked = decided.filter(({ answer }) => answer !== undefined)
  return asked.length > 0 && asked.every(({ outcome }) => outcome === 'refuse')
}

/** An API's token reaches that API alone; an agent's what that agent may reach, and itself. */
function reachFrom({ tenant, target, recipient, root }: HopFacts): number {
  return maskWhere(root.reach, (uri) => {
    if (uri === target.uri) return true
    const resource = tenant.resourcesByUri.get(uri)
    return recipient !== undefined && resource !== undefined && recipient.mayReach.has(resource.id)
  })
}

/** Whole seconds, no tolerance. A home token, usable only here and with proof, may live to the task's end. */
function expiryOf(hop: HopFacts, { maxTtl }: Obligations): number {
  const { tenant, taskType, caller, target, actorExpiresAt, now, root } = hop
  const isHome = target.id === caller.home
  const lifetime = Math.min(taskType.tokenLifetime, tenant.limits.tokenLifetime)
  const policy = isHome ? root.exp : now + lifetime
  return Math.min(policy, actorExpiresAt ?? policy, maxTtl === undefined ? policy : now + maxTtl)
}
