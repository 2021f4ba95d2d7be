/** What went wrong around a verification, for the operator only: it never reaches the caller of the resource. */

export interface VerifierFault {
  readonly kind:
    | 'keys_unreadable'
    | 'key_ignored'
    | 'replay_full'
    | 'replay_failed'
    /** A status list could not be had, or was not what it has to be. */
    | 'status_unreadable'
    | 'status_refused'
    /** The stream of changes ended, or said what it must not. */
    | 'feed_lost'
    | 'feed_refused'
  /** Plain words; may name a URL or an outage, never a token or a proof. */
  readonly detail: string
}

export type FaultListener = (fault: VerifierFault) => void

/** An error's own words, for `detail`: ours, or the runtime's about a connection. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it failed'
}

/** A listener that throws must not decide a verification. */
export function quietly(listener: FaultListener): FaultListener {
  return (fault) => {
    try {
      listener(fault)
    } catch {
      // Nobody is left to tell.
    }
  }
}
