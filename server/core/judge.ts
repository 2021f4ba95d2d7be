/** What a tenant decides of a case, in the form test cases and `diff` compare. */
import type { Case } from './case.ts'
import type { PolicyDecision } from './decide.ts'
import { isRefusal, type Reason } from './refusal.ts'
import { rehearse } from './rehearse.ts'
import { type Obligations, strictest } from './rules.ts'
import type { Tenant } from './tenant.ts'

export interface Outcome {
  readonly decision: PolicyDecision
  /** Undefined for a permit. */
  readonly reason?: Reason
  readonly guard?: string
  /** Scopes the last token would have; empty unless permitted. */
  readonly granted: readonly string[]
  /** Ids of the rules that took part, of every stage. */
  readonly policies: readonly string[]
  readonly obligations: Obligations
}

/** Throws where the rules' engine fails. */
export function judge(tenant: Tenant, asked: Case): Outcome {
  const { stages, outcome } = rehearse(tenant, asked)
  const policies = [...new Set(stages.flatMap((stage) => stage.outcome.policies ?? []))]
  if (isRefusal(outcome)) {
    const { reason, guard } = outcome
    const decision = reason === 'approval_required' ? 'ask' : 'refuse'
    return { decision, reason, guard, granted: [], policies, obligations: {} }
  }
  const obligations = stages.reduce<Obligations>(
    (sum, stage) => (isRefusal(stage.outcome) ? sum : strictest(sum, stage.outcome.obligations)),
    {},
  )
  return { decision: 'permit', granted: outcome.scope, policies, obligations }
}
