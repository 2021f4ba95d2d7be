/** Two versions of one tenant beside each other. */
import { type Comparison, diffDecisions, MOST_COMPARED } from '../core/decision-diff.ts'
import { describeChanges } from '../tenants/changes.ts'
import { askedAt } from '../tenants/test-cases.ts'
import type { ValidTenant } from './checked-folder.ts'

export interface TenantDiff {
  readonly tenant: string
  /** Versions; `before` undefined: the tenant is new. */
  readonly before: string | undefined
  readonly after: string
  /** Which facts and rules differ. */
  readonly changes: readonly string[]
  readonly compared: number
  readonly of: number
  /** What is decided otherwise. */
  readonly decisions: readonly Comparison[]
}

export interface TenantPair {
  readonly id: string
  readonly before: ValidTenant | undefined
  readonly after: ValidTenant
}

export function compareTenants(
  { id, before, after }: TenantPair,
  onCompared: (compared: number, of: number) => void,
): TenantDiff {
  const cases = [...(before?.checked.cases ?? []), ...after.checked.cases]
  const now = Math.floor(Date.now() / 1000)
  const { of, comparisons } = diffDecisions({
    before: before?.tenant,
    after: after.tenant,
    cases: cases.map((named) => askedAt(named, now)),
    now,
  })
  const decisions: Comparison[] = []
  let compared = 0
  for (const comparison of comparisons) {
    compared += 1
    if (comparison.isChanged) decisions.push(comparison)
    onCompared(compared, Math.min(of, MOST_COMPARED))
  }
  return {
    tenant: id,
    before: before?.checked.version,
    after: after.checked.version,
    changes: before === undefined ? [] : describeChanges(before.checked, after.checked),
    compared,
    of,
    decisions,
  }
}
