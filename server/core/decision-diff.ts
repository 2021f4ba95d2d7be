/**
 * Which decisions differ between two versions of a tenant: over the test cases of both and every combination of their facts.
 * Pure and lazy, so that whoever asks can show how far it is.
 */
import type { Case } from './case.ts'
import { type CaseSubject, combinations } from './combinations.ts'
import { judge, type Outcome } from './judge.ts'
import type { RuleAnswer, RuleQuestion, Rules } from './rules.ts'
import type { Tenant } from './tenant.ts'

/** The most cases that are compared, and the most that are counted: a count without end would say nothing more. */
export const MOST_COMPARED = 100_000
export const MOST_COUNTED = 5_000_000

export interface DiffInput {
  /** Undefined: nothing was live before, so everything was refused. */
  readonly before: Tenant | undefined
  readonly after: Tenant
  /** Of both versions' tests. */
  readonly cases: readonly Case[]
  /** Seconds since the epoch, for the combinations. */
  readonly now: number
  readonly most?: number
}

export interface Comparison {
  readonly asked: Case
  /** Undefined: nothing was live before. */
  readonly before: Outcome | undefined
  readonly after: Outcome
  readonly isChanged: boolean
}

export interface DecisionDiff {
  /** How many there are; `MOST_COUNTED` stands for that many or more. No more than `most` are compared. */
  readonly of: number
  readonly comparisons: Iterable<Comparison>
}

/** Test cases first, then combinations that touch a changed fact, then the others. */
export function diffDecisions(input: DiffInput): DecisionDiff {
  const { before, after, most = MOST_COMPARED } = input
  const first: Case[] = []
  const others: Case[] = []
  const touched = changedIds(before, after)
  const subjects = subjectsOf(input.cases)
  let of = 0
  const known = new Set<string>()
  for (const asked of input.cases) {
    const key = JSON.stringify(asked)
    if (known.has(key)) continue
    known.add(key)
    of += 1
    first.push(asked)
  }
  for (const asked of combinations({ before, after, subjects, now: input.now })) {
    if (of === MOST_COUNTED) break
    of += 1
    const isTouched = namesOf(asked).some((name) => touched.has(name))
    // No more is kept than can be compared, however many there are.
    if (isTouched && first.length < most) first.push(asked)
    else if (!isTouched && others.length < most) others.push(asked)
  }
  return { of, comparisons: compare(input, [...first, ...others].slice(0, most)) }
}

function* compare({ before, after }: DiffInput, cases: readonly Case[]): Generator<Comparison> {
  const then = before && remembering(before)
  const now = remembering(after)
  for (const asked of cases) {
    const outcomes = { before: then && judge(then, asked), after: judge(now, asked) }
    yield { asked, ...outcomes, isChanged: isChanged(outcomes.before, outcomes.after) }
  }
}

/** Another answer, other scopes, or other terms. Another reason or rule for the same answer is no change. */
function isChanged(before: Outcome | undefined, after: Outcome): boolean {
  if (before === undefined) return after.decision !== 'refuse'
  if (before.decision !== after.decision) return true
  return before.granted.join(' ') !== after.granted.join(' ') || termsOf(before) !== termsOf(after)
}

function termsOf({ obligations: { maxTtl, maxDepth, requireKey, approval } }: Outcome): string {
  return JSON.stringify([maxTtl, maxDepth, requireKey, approval])
}

/** Combinations share their first stages: one question is put to the rules once. */
function remembering(tenant: Tenant): Tenant {
  const answers = new Map<string, RuleAnswer>()
  const rules: Rules = {
    ...tenant.rules,
    answer: (question) => {
      const key = keyOf(question)
      const answer = answers.get(key) ?? tenant.rules.answer(question)
      answers.set(key, answer)
      return answer
    },
  }
  return { ...tenant, rules }
}

/** Every member of the question; facts of the one tenant by their ids. */
function keyOf({ caller, taskType, target, recipient, ...question }: RuleQuestion): string {
  return JSON.stringify([caller.id, taskType.id, target?.id, recipient?.id, question])
}

const SOMEBODY: CaseSubject = { subject: 'somebody', issuer: undefined, claims: {} }

/** One without any claim, and one for each set of claims a test case was written with. */
function subjectsOf(cases: readonly Case[]): readonly CaseSubject[] {
  const subjects = new Map<string, CaseSubject>([['', SOMEBODY]])
  for (const { subject, issuer, claims } of cases) {
    if (subject === undefined || Object.keys(claims).length === 0) continue
    const key = JSON.stringify([issuer, claims])
    if (!subjects.has(key)) subjects.set(key, { subject, issuer, claims })
  }
  return [...subjects.values()]
}

function namesOf({ actors, taskType = '', resource, scope = [] }: Case): readonly string[] {
  return [...actors, taskType, resource, ...scope]
}

/** Names of entries that one version has otherwise than the other. */
function changedIds(before: Tenant | undefined, after: Tenant): ReadonlySet<string> {
  const names = (['agents', 'resources', 'scopes', 'taskTypes'] as const).flatMap((kind) =>
    changedKeys<unknown>(before?.[kind] ?? new Map(), after[kind]),
  )
  return new Set(names)
}

function changedKeys<Entry>(
  before: ReadonlyMap<string, Entry>,
  after: ReadonlyMap<string, Entry>,
): readonly string[] {
  const ids = [...new Set([...before.keys(), ...after.keys()])]
  return ids.filter((id) => written(before.get(id)) !== written(after.get(id)))
}

function written(entry: unknown): string {
  return JSON.stringify(entry, (_, value: unknown) =>
    value instanceof Set || value instanceof Map ? [...value] : value,
  )
}
