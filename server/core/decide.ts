/**
 * The policy decision for one scope at one target: the platform's guards first, then the tenant's rules, deny by default.
 * An API as target is a `call` by the caller, an agent as target a `delegate` to its owner, so what may be handed on may
 * not therefore be used (docs/chain-format.md §3).
 */
import { type HopFacts, SCOPE_GUARDS } from './guards.ts'
import { meetsKey, needsApproval, type RuleAnswer, type RuleQuestion } from './rules.ts'
import type { KeyProof, Tier } from './tenant.ts'

/** `ask`: only with the approval of a human. */
export type PolicyDecision = 'permit' | 'ask' | 'refuse'

export interface ScopeDecision {
  readonly outcome: PolicyDecision
  /** What stands in the way, by name; undefined for a permit. */
  readonly guard: string | undefined
  /** Undefined where a guard refused: the rules were not asked. */
  readonly answer: RuleAnswer | undefined
}

/** May the caller take this scope to the target? Throws where the rules' engine fails. */
export function decide(hop: HopFacts, scope: string): ScopeDecision {
  const guard = SCOPE_GUARDS.find(({ holds }) => !holds(hop, scope))
  const tier = hop.tenant.scopes.get(scope)?.tier
  if (guard !== undefined || tier === undefined) {
    return { outcome: 'refuse', guard: guard?.name ?? 'scope_unknown', answer: undefined }
  }
  const answer = hop.tenant.rules.answer(questionOf(hop, scope))
  const refusing = refusingRule(answer, { depth: hop.chain.length, key: hop.key })
  if (refusing !== undefined) return { outcome: 'refuse', guard: refusing, answer }
  return needsApproval(tier, approvalFrom(answer))
    ? { outcome: 'ask', guard: 'approval_required', answer }
    : { outcome: 'permit', guard: undefined, answer }
}

/** Where the rules close the way, by name; undefined where they permit and what they ask for is met. */
export function refusingRule(
  { decision, policies, failed, obligations }: RuleAnswer,
  met: { readonly depth: number; readonly key: KeyProof },
): string | undefined {
  // A rule that cannot be evaluated might have been the forbid.
  if (failed.length > 0) return 'rule_failed'
  if (decision !== 'permit') return policies.length > 0 ? 'rule_forbids' : 'no_rule_permits'
  if (met.depth > (obligations.maxDepth ?? met.depth)) return 'rule_depth'
  return meetsKey(met.key, obligations.requireKey) ? undefined : 'rule_key'
}

/** From which tier on a scope needs a human. Never above `execute`: that is the platform's own. */
export function approvalFrom({ obligations }: RuleAnswer): Tier {
  return obligations.approval ?? 'execute'
}

function questionOf(hop: HopFacts, scope: string): RuleQuestion {
  const { caller, taskType, target, recipient, subject, task, chain, key, now, request } = hop
  return {
    action: target.kind === 'agent' ? 'delegate' : 'call',
    caller,
    taskType,
    target,
    recipient,
    scope,
    subject,
    task,
    chain,
    key,
    now,
    request,
  }
}
