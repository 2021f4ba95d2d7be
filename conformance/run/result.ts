/** What a run found out about each requirement. */

/**
 * `warned`: passed, but only because the run was lenient. `not_offered`: the server does not advertise the feature, or the profile
 * says that it has not got it. `not_set_up`: the profile lacks what the check needs. `gap`: the suite has no check, and says why.
 */
export type Outcome = 'passed' | 'warned' | 'failed' | 'not_offered' | 'not_set_up' | 'gap'

export interface Check {
  readonly title: string
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

export interface RunResult {
  /** The issuer. */
  readonly target: string
  readonly level: Level
  readonly mode: Mode
  readonly rows: readonly RowResult[]
}
