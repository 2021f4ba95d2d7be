/** Single use of client assertions and DPoP proofs (RFC 7523 §3 item 7, RFC 9449 §11.1) over the embedded store. */
import type { Clock, ReplayClaim, ReplayGuard } from '../../use-cases/ports.ts'
import type { Writer } from './writer.ts'

/** Each sweep removes up to four times as much as was claimed since the last, so what has expired never piles up. */
const CLAIMS_PER_SWEEP = 64

export class EmbeddedReplayGuard implements ReplayGuard {
  readonly #writer: Writer
  readonly #clock: Clock
  #sinceSweep = 0

  constructor(writer: Writer, clock: Clock) {
    this.#writer = writer
    this.#clock = clock
  }

  /**
   * `expiresAt` must be a function of the signed text, so that copies of one text meet at one key. A claim that has
   * already expired is refused: its first use may have been forgotten.
   */
  async claimReplay(claim: ReplayClaim): Promise<boolean> {
    if (!(claim.expiresAt > this.#clock.now())) return false
    this.#sinceSweep += 1
    if (this.#sinceSweep >= CLAIMS_PER_SWEEP || this.#writer.full) {
      this.#sinceSweep = 0
      this.#writer.defer('sweepReplay', this.#clock.now())
    }
    return this.#writer.write('claimReplay', claim)
  }
}
