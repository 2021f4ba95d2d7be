/** A case and what was decided of it, in the words of our own APIs and on one line for people. */
import type { Case } from '../core/case.ts'
import type { Outcome } from '../core/judge.ts'
import { stated } from '../core/rules.ts'
import { escaped } from './print.ts'

/** The members of a case in `tests/*.yaml`, which `explain` of the admin API takes too. */
export function caseJson(asked: Case): Readonly<Record<string, unknown>> {
  const { subject, issuer, claims, actors, taskType, resource, scope, purpose, key } = asked
  return {
    ...(subject !== undefined && { subject }),
    ...(issuer !== undefined && { from: issuer }),
    ...(Object.keys(claims).length > 0 && { claims }),
    actors,
    ...(taskType !== undefined && { task_type: taskType }),
    resource,
    ...(scope !== undefined && { scope }),
    ...(purpose !== undefined && { purpose }),
    ...(key !== undefined && { key }),
    at: instantText(asked.now),
  }
}

/** `planner/researcher for alice, ledger-correction: ledger:read at ledger-api`. */
export function caseText(asked: Case): string {
  const { subject, claims, actors, taskType, resource, scope } = asked
  const about = Object.entries(claims).map(([name, values]) => `${name}=${values.join(',')}`)
  const who = subject === undefined ? 'on its own behalf' : `for ${[subject, ...about].join(' ')}`
  const type = taskType === undefined ? '' : `, ${taskType}`
  const what = scope === undefined ? 'whatever is permitted' : scope.join(' ')
  return escaped(`${actors.join('/')} ${who}${type}: ${what} at ${resource}`)
}

export function outcomeJson(outcome: Outcome): Readonly<Record<string, unknown>> {
  const { decision, reason, guard, granted, policies, obligations } = outcome
  return {
    decision,
    ...(reason !== undefined && { reason }),
    ...(guard !== undefined && { guard }),
    granted,
    policies,
    obligations: stated(obligations),
  }
}

/** `permit ledger:read (max_ttl 60)` or `refuse (no_rule_permits)`. */
export function outcomeText(outcome: Outcome): string {
  const { decision, guard, granted } = outcome
  if (decision !== 'permit') return guard === undefined ? decision : `${decision} (${guard})`
  const terms = Object.entries(stated(outcome.obligations)).map(
    ([name, value]) => `${name} ${String(value)}`,
  )
  const bound = terms.length > 0 ? ` (${terms.join(', ')})` : ''
  return escaped(`permit ${granted.join(' ')}${bound}`)
}

/** RFC 3339. */
export function instantText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
