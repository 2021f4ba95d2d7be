/**
 * Replay claims (RFC 7523 §3 item 7, RFC 9449 §11.1). The key begins with the minute of expiry: expired claims are all at
 * the front and are removed in passing, never by a scan.
 */
import type { Clock, ReplayClaim, ReplayGuard } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { minuteOf, replayKey, replayRange } from './keys.ts'
import type { WriteBatch } from './write-batch.ts'

const CLAIMED = Buffer.from([1])
/** Removal outruns claiming four to one, so what has expired never piles up. */
const CLAIMS_PER_SWEEP = 64
const REMOVED_PER_SWEEP = 256

export class EmbeddedReplayGuard implements ReplayGuard {
  readonly #environment: Environment
  readonly #batch: WriteBatch
  readonly #clock: Clock
  #sinceSweep = 0

  constructor(environment: Environment, batch: WriteBatch, clock: Clock) {
    this.#environment = environment
    this.#batch = batch
    this.#clock = clock
  }

  /**
   * `expiresAt` must be a function of the signed text, so that copies of one text meet at one key. A claim that has
   * already expired is refused: its first use may have been forgotten.
   */
  async claimReplay(claim: ReplayClaim): Promise<boolean> {
    if (!(claim.expiresAt > this.#clock.now())) return false
    this.#sweepNowAndThen()
    const key = replayKey(claim.expiresAt, claim.tenant, claim.kind, claim.id)
    return this.#batch.write('grows', () => {
      if (this.#environment.has(key)) return false
      this.#environment.put(key, CLAIMED)
      return true
    })
  }

  #sweepNowAndThen(): void {
    this.#sinceSweep += 1
    if (this.#sinceSweep < CLAIMS_PER_SWEEP && !this.#batch.full) return
    this.#sinceSweep = 0
    // One minute more than expired: the clocks of two processes never agree exactly.
    const minute = minuteOf(this.#clock.now() - 60)
    this.#batch.defer(() => {
      for (const key of this.#environment.keys(replayRange(minute), REMOVED_PER_SWEEP)) {
        this.#environment.remove(key)
      }
    })
  }
}
