/**
 * What the demo's processes tell one another: the work handed on, what a token turned out to be where it was checked,
 * and how the work ended.
 */
import type { DelegatedClaims, VerificationReport } from '@actchain/verifier'
import { decodeJwt } from 'jose'

export interface Address {
  readonly name: string
  readonly url: string
}

/** One thing to do next. The demo directs; a real agent decides for itself. */
export interface Leg {
  /** Resource id to get a token for; absent: show the token received, as it is. */
  readonly target?: string
  /** Absent: all that may be had. */
  readonly scope?: string
  /** Read at the root exchange only. */
  readonly taskType?: string
  /** Where the token is shown. */
  readonly at: Address
  /** Do nothing until the token received has expired; or show the new one again and again until it is refused. */
  readonly wait?: 'expiry' | 'refusal'
}

export interface Work {
  readonly legs: readonly Leg[]
}

/** What the user's own request adds. */
export interface Request extends Work {
  readonly id_token: string
}

/** One hop, told by whoever received its token and verified it. */
export interface Hop {
  readonly subject: string
  readonly actor: string
  /** Oldest agent first. */
  readonly chain: readonly string[]
  readonly audience: string
  readonly scope: string
  /** What the task was opened with. */
  readonly root_scope: readonly string[]
  /** Newest hop first, as in the token. */
  readonly scope_masks: readonly number[]
  readonly reach_masks: readonly number[]
  /** Seconds since the epoch. */
  readonly expires_at: number
  /** Seconds. */
  readonly expires_in: number
  readonly token_bytes: number
  readonly checked_by: string
}

export interface RefusedOutcome {
  readonly kind: 'refused'
  /** Who asked, and who said no. */
  readonly asked: string
  readonly by: string
  readonly error: string
  readonly reason: string
  readonly text: string
}

export interface DoneOutcome {
  readonly kind: 'done'
  readonly text: string
  /** The task in which an API did it, and recorded so. */
  readonly txn?: string
}

export type Outcome = DoneOutcome | RefusedOutcome

/** What an API recorded, as it stands in the log. */
export interface StoredRecord {
  readonly client: string
  readonly subject: string
  /** Oldest agent first. */
  readonly chain: readonly string[]
  readonly tool: string
  readonly object: string
  readonly result: string
}

export interface Account {
  readonly hops: readonly Hop[]
  readonly outcome: Outcome
}

/** `token` is the text that `report` was made from; its masks may be read because it verified. */
export function hopOf(report: VerificationReport, token: string, checkedBy: string): Hop {
  const { act_bounds } = decodeJwt<DelegatedClaims>(token)
  return {
    subject: report.subject,
    actor: report.actor.sub,
    chain: report.chain.map(({ sub }) => sub).reverse(),
    audience: report.ceilings[0]?.audience ?? '',
    scope: report.scope.join(' '),
    root_scope: act_bounds.root.scope,
    scope_masks: act_bounds.hops.map(({ scope }) => scope),
    reach_masks: act_bounds.hops.map(({ reach }) => reach),
    expires_at: report.expiresAt,
    expires_in: report.expiresAt - Math.floor(Date.now() / 1000),
    token_bytes: Buffer.byteLength(token),
    checked_by: checkedBy,
  }
}
