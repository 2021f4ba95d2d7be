/** Where checkpoints go, and what comes back, declared by their sender (anchor-checkpoints.ts). */

/** A log's newest checkpoint, as its server signed it (C2SP tlog-checkpoint). */
export interface OfferedCheckpoint {
  readonly log: string
  readonly note: string
  /** Leaves in its tree. */
  readonly size: number
  /** Size of the newest checkpoint there is by now: another process may have signed one since. */
  newestSize(): Promise<number>
}

export type AnchorAnswer =
  /** With a signature line of its own, where the anchor is a witness. */
  | { readonly kind: 'kept'; readonly cosignature?: string }
  /** It will not have it: for people to put right. */
  | { readonly kind: 'refused'; readonly why: string }
  /** What it kept before and this log do not fit: the log was cut, put back or rewritten. */
  | { readonly kind: 'conflict'; readonly why: string }
  /** It is away, or did not manage. */
  | { readonly kind: 'failed'; readonly why: string }
  /** Somebody offered it a newer one meanwhile. */
  | { readonly kind: 'overtaken' }

export interface CheckpointAnchor {
  /** For the operator: its kind and its place. */
  readonly name: string
  offer(checkpoint: OfferedCheckpoint): Promise<AnchorAnswer>
}

/** What an anchor says that keeps `size` leaves of the log, which is more than it is offered. */
export async function answerAhead(offered: OfferedCheckpoint, size: number): Promise<AnchorAnswer> {
  if ((await offered.newestSize()) >= size) return { kind: 'overtaken' }
  return { kind: 'conflict', why: 'anchor_is_ahead' }
}

export type PostAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly type: string | undefined
      readonly text: string
    }
  | { readonly kind: 'failed'; readonly why: string }

/** Sends a text to an address of the operator's. Never throws. */
export type PostText = (url: string, text: string, authorization?: string) => Promise<PostAnswer>

/** What a status says that means nothing in particular: asking again may help, or only people can. */
export function answerOf(status: number): AnchorAnswer {
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429
  return { kind: isFinal ? 'refused' : 'failed', why: `status_${status}` }
}
