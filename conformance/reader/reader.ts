/**
 * A second reader of delegated tokens, written from docs/chain-format.md and the RFCs alone. It shares no line with the verifier
 * that resource servers import, and is built the other way round: slow, plain, one rule after the other. Where the two disagree,
 * one of them is wrong.
 */
import type { Case } from '../vectors/vector.ts'

export type Verdict =
  | { readonly verdict: 'accept'; readonly report: Report }
  | { readonly verdict: 'reject'; readonly reason: string }

export interface Report {
  readonly subject: string
  readonly actor: string
  readonly chain: readonly string[]
  readonly scope: readonly string[]
  readonly txn: string
  readonly expires_at: number
}

/** Never throws, whatever the token is. */
export function readCase(_: Case): Verdict {
  return { verdict: 'reject', reason: 'unread' }
}
