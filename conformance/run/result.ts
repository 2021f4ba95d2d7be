/** What a run found out about each requirement. */

/**
 * `warned`: passed, but only because the run was lenient, or failed where the specification leaves it to the server. `not_offered`:
 * the server does not advertise the feature, or the profile says that it has not got it. `not_set_up`: the profile lacks what the
 * check needs. `gap`: the suite has no check, and says why.
 */
export type Outcome = 'passed' | 'warned' | 'failed' | 'not_offered' | 'not_set_up' | 'gap'

/** In the order in which they are told. */
export const OUTCOMES: readonly Outcome[] = [
  'passed',
  'warned',
  'failed',
  'not_offered',
  'not_set_up',
  'gap',
]

export interface Check {
  readonly title: string
  /** Its name, in `suite/`. */
  readonly file: string
  readonly outcome: 'passed' | 'warned' | 'failed' | 'left_out'
  /** Of a failure, or each warning: what was expected and what came. Never a token. */
  readonly messages: readonly string[]
}

export interface RowResult {
  readonly id: string
  readonly outcome: Outcome
  readonly checks: readonly Check[]
  /** Why there is no verdict. */
  readonly because?: string
}

export type Level = 'spec' | 'delegation'
export type Mode = 'strict' | 'lenient'

/** What was asked for. */
export interface RunShape {
  readonly level: Level
  readonly mode: Mode
  /** Beginnings of ids; empty for all. */
  readonly only: readonly string[]
}

export interface RunResult {
  /** The issuer. */
  readonly target: string
  readonly level: Level
  readonly mode: Mode
  readonly rows: readonly RowResult[]
}

/** How many rows have each outcome. */
export function totalsOf(rows: readonly RowResult[]): Readonly<Record<Outcome, number>> {
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length
  return Object.fromEntries(OUTCOMES.map((name) => [name, count(name)])) as Record<Outcome, number>
}
