/** A tenant's own test cases, `tests/*.yaml`: what its teams expect of the facts and rules, asked of a tenant and compared. */
import type { Case } from '../core/case.ts'
import type { PolicyDecision } from '../core/decide.ts'
import { judge, type Outcome } from '../core/judge.ts'
import type { Problem } from '../core/problem.ts'
import type { Tenant } from '../core/tenant.ts'

/** Plain data, kept with the version. */
export interface NamedCase {
  /** Unique in the tenant. */
  readonly name: string
  /** Path in the tenant's folder, and where the case begins, both from 1. */
  readonly file: string
  readonly line: number
  readonly column: number
  readonly asked: Omit<Case, 'now'>
  /** Seconds since the epoch; absent: when it is run. */
  readonly at?: number
  readonly expect: Expectation
}

/** Absent members: whatever they are. */
export interface Expectation {
  readonly decision: PolicyDecision
  readonly reason?: string
  /** Exactly these scopes. */
  readonly granted?: readonly string[]
  /** Rules that are among those that took part. */
  readonly policies?: readonly string[]
}

export interface CaseResult {
  readonly case: NamedCase
  readonly outcome: Outcome
  readonly passed: boolean
  /** A sentence for each difference; empty where it passed. */
  readonly differences: readonly string[]
}

/** @param now seconds since the epoch, for cases that state no time. Throws where the rules' engine fails. */
export function runCases(
  tenant: Tenant,
  cases: readonly NamedCase[],
  now: number = Math.floor(Date.now() / 1000),
): readonly CaseResult[] {
  return cases.map((named) => {
    const outcome = judge(tenant, askedAt(named, now))
    const differences = findDifferences(named.expect, outcome)
    return { case: named, outcome, passed: differences.length === 0, differences }
  })
}

/** The question of a case. Members that JSON leaves out are there again. */
export function askedAt({ asked, at }: NamedCase, now: number): Case {
  const { subject, issuer, taskType, scope, purpose } = asked
  return { ...asked, subject, issuer, taskType, scope, purpose, now: at ?? now }
}

/** What failed, as problems of the files the cases are in. @param label put before their paths */
export function caseProblems(label: string, results: readonly CaseResult[]): readonly Problem[] {
  return results
    .filter(({ passed }) => !passed)
    .map(({ case: { name, file, line, column }, differences }) => ({
      file: `${label}/${file}`,
      line,
      column,
      text: `case "${name}": ${differences.join('; ')}`,
    }))
}

function findDifferences(expected: Expectation, outcome: Outcome): readonly string[] {
  const { decision, reason, granted, policies } = expected
  const found: string[] = []
  if (decision !== outcome.decision) {
    found.push(`expected ${decision}, is ${outcome.decision}${because(outcome)}`)
  }
  if (reason !== undefined && reason !== outcome.reason) {
    found.push(`expected reason ${reason}, is ${outcome.reason ?? 'none'}`)
  }
  if (granted !== undefined && !isSame(granted, outcome.granted)) {
    found.push(`expected scope ${listed(granted)}, is ${listed(outcome.granted)}`)
  }
  const missing = policies?.filter((id) => !outcome.policies.includes(id)) ?? []
  if (missing.length > 0) {
    found.push(`expected rule ${missing.join(' ')}, decided by ${listed(outcome.policies)}`)
  }
  return found
}

function because({ reason, guard }: Outcome): string {
  if (reason === undefined) return ''
  return guard === undefined || guard === reason ? ` (${reason})` : ` (${reason}, ${guard})`
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  const names = new Set(one)
  return names.size === other.length && other.every((name) => names.has(name))
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(' ')
}
