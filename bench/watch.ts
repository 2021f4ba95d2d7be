/** What a process of watching verifiers is asked, and what it answers. Times are milliseconds of the machine (`monotonic`). */
import type { VerificationReason } from '../lib/src/index.ts'

export type Outcome = 'accepted' | VerificationReason

/** From the first to the last verification, one after the other, that ended so. */
export interface Span {
  readonly outcome: Outcome
  /** When the first of them had ended. */
  readonly from: number
  /** When the last of them began. */
  readonly until: number
}

export interface WatchSettings {
  readonly verifiers: number
  readonly issuer: string
  readonly audience: string
  /** Where the issuer is reached by these verifiers. */
  readonly origin: string
  /** Seconds. */
  readonly freshness: number
}

export type WatchAsk =
  /** Every verifier is shown this token again and again. */
  | { readonly ask: 'watch'; readonly name: string; readonly token: string }
  /** Answered when all of them have come to this outcome: when each of them had. */
  | { readonly ask: 'until'; readonly name: string; readonly outcome: Outcome }
  /** Answered with what each verifier made of it so far; it is not shown any more. */
  | { readonly ask: 'drop'; readonly name: string }
  /** Answered with one verification of each token by each verifier. */
  | { readonly ask: 'judge'; readonly tokens: readonly string[] }
  /** From now on: acceptances that began after this time, of any token. */
  | { readonly ask: 'count'; readonly after: number }
  /** Answered with how many there were at each verifier. None that is under way is counted. */
  | { readonly ask: 'counted' }
  | { readonly ask: 'bytes' }
  | { readonly ask: 'close' }

export interface WatchReplies {
  readonly watch: undefined
  readonly until: readonly number[]
  readonly drop: readonly (readonly Span[])[]
  readonly judge: readonly (readonly Outcome[])[]
  readonly count: undefined
  readonly counted: readonly number[]
  readonly bytes: readonly Fetched[]
  readonly close: undefined
}

/** Bodies that one verifier read, in bytes and in number. */
export interface Fetched {
  readonly lists: number
  readonly listCount: number
  readonly feed: number
  readonly other: number
}

export interface WatchMessage {
  readonly id: number
  readonly reply?: unknown
  readonly fault?: string
}
