/** From vitest's JSON report of a run to what it says about each requirement. Pure. */
import { basename } from 'node:path'
import { FEATURES, type Feature, type FeatureShape } from '../features.ts'
import type { Requirement } from '../requirement.ts'
import { REQUIREMENTS } from '../requirements.ts'
import type { LeftOut } from '../suite/needs.ts'
import type { Check, Outcome, RowResult, RunResult, RunShape } from './result.ts'

/** What the suite's tests say of themselves in the report: `verifies.ts`, `offers.test.ts`. */
interface Meta {
  readonly requirements?: readonly string[]
  readonly leftOut?: LeftOut
  readonly warnings?: readonly string[]
  readonly failure?: string
  readonly offers?: Readonly<Record<string, boolean>>
}

export interface Assertion {
  readonly title: string
  readonly status: string
  readonly meta?: Meta
}

export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly Assertion[]
  }[]
}

/** One check of the suite, and whom it answers for. */
interface Judged extends Check {
  readonly ids: readonly string[]
  readonly leftOut: LeftOut | undefined
}

const NO_PART: LeftOut = { outcome: 'not_set_up', because: 'the profile has no part for it' }

/** Throws where a file of the suite did not load or its hooks failed: then nothing is known of its checks. */
export function resultOf(report: VitestReport, target: string, shape: RunShape): RunResult {
  const checks: Judged[] = []
  let offers: Readonly<Record<string, boolean>> | undefined
  for (const { name, status, message, assertionResults } of report.testResults) {
    const isBroken = status === 'failed' && assertionResults.every((one) => one.status !== 'failed')
    if (isBroken) throw new Error(`${basename(name)} did not run: ${message ?? 'no reason told'}`)
    for (const one of assertionResults) {
      offers ??= one.meta?.offers
      if (one.meta?.requirements !== undefined) checks.push(judged(basename(name), one))
    }
  }
  if (offers === undefined) throw new Error('the run ended before it knew what the server offers')
  const known = offers
  const rows = Object.entries(REQUIREMENTS)
    .filter(([id]) => isAsked(id, shape))
    .map(([id, requirement]) => rowOf(id, requirement, checks, known))
    .map((row) => (shape.level === 'spec' ? asSpecified(row) : row))
  return { target, level: shape.level, mode: shape.mode, rows }
}

export function isAsked(id: string, { level, only }: Omit<RunShape, 'mode'>): boolean {
  if (level === 'spec' && id.startsWith('PROF-')) return false
  return only.length === 0 || only.some((beginning) => id.startsWith(beginning))
}

function judged(file: string, { title, status, meta = {} }: Assertion): Judged {
  const { requirements: ids = [], warnings = [], failure = 'no reason told' } = meta
  const named = { title: title.replace(/^(?:\[[^\]]+\] ?)+/, ''), file, ids }
  if (status === 'passed') {
    const outcome = warnings.length > 0 ? 'warned' : 'passed'
    return { ...named, outcome, messages: warnings, leftOut: undefined }
  }
  if (status === 'failed') {
    return { ...named, outcome: 'failed', messages: [failure], leftOut: undefined }
  }
  return { ...named, outcome: 'left_out', messages: [], leftOut: meta.leftOut ?? NO_PART }
}

function rowOf(
  id: string,
  requirement: Requirement,
  all: readonly Judged[],
  offers: Readonly<Record<string, boolean>>,
): RowResult {
  const { feature } = requirement
  if (feature !== undefined && offers[feature] !== true) {
    return { id, outcome: 'not_offered', checks: [], because: titleOf(feature) }
  }
  const mine = all.filter(({ ids }) => ids.includes(id))
  const checks = mine.map(({ title, file, outcome, messages }) => ({
    title,
    file,
    outcome,
    messages,
  }))
  const worst = (['failed', 'warned', 'passed'] as const).find((outcome) =>
    mine.some((check) => check.outcome === outcome),
  )
  if (worst !== undefined) return { id, outcome: worst, checks }
  return { id, checks, ...withoutVerdict(requirement, mine) }
}

/** At level spec nobody fails for having chosen otherwise than this project. */
function asSpecified(row: RowResult): RowResult {
  const { strength, open } = REQUIREMENTS[row.id] ?? {}
  const isOpen = strength === 'ours' || open === true
  return row.outcome === 'failed' && isOpen ? { ...row, outcome: 'warned' } : row
}

function withoutVerdict(
  { feature, gap }: Requirement,
  leftOut: readonly Judged[],
): { readonly outcome: Outcome; readonly because: string } {
  const reasons = leftOut.flatMap((check) => (check.leftOut === undefined ? [] : [check.leftOut]))
  const [first] = reasons
  if (first !== undefined) {
    const isOffered = reasons.some(({ outcome }) => outcome === 'not_set_up')
    const because = [...new Set(reasons.map((one) => titleOf(one.because)))].join('; ')
    return { outcome: isOffered ? 'not_set_up' : 'not_offered', because }
  }
  const shape: FeatureShape | undefined = feature === undefined ? undefined : FEATURES[feature]
  return { outcome: 'gap', because: gap ?? shape?.unchecked ?? 'a later row: no check yet' }
}

function titleOf(feature: string): string {
  return Object.hasOwn(FEATURES, feature) ? FEATURES[feature as Feature].title : feature
}
