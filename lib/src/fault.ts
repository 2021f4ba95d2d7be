/** What went wrong around a verification, for the operator only: it never reaches the caller of the resource. */

export interface VerifierFault {
  readonly kind: 'keys_unreadable' | 'key_ignored' | 'replay_full' | 'replay_failed'
  /** Plain words; may name a URL or an outage, never a token or a proof. */
  readonly detail: string
}

export type FaultListener = (fault: VerifierFault) => void

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
