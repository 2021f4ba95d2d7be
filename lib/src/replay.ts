/**
 * Proofs that were used (RFC 9449 §11.1), in this process. Bounded: a full store refuses, because a proof that cannot
 * be remembered could be used again.
 */

export interface ReplayClaim {
  /** A hash of key, URL and `jti`: 43 characters, nothing of the proof readable in it. */
  readonly id: string
  /** Seconds since the epoch from which the proof is refused for its age anyway. */
  readonly expiresAt: number
}

/** One atomic step: true the first time, false ever after. A throw means that it cannot be known. */
export type ClaimReplay = (claim: ReplayClaim) => Promise<boolean>

export class ReplayFull extends Error {}

const CAPACITY = 100_000

export class ReplayMemory {
  readonly #used = new Map<string, number>()
  readonly #now: () => number
  readonly #capacity: number
  #sweptAt = Number.NEGATIVE_INFINITY
  /** Claims that end by this time may have been forgotten. */
  #forgottenUntil = Number.NEGATIVE_INFINITY

  constructor(now: () => number, capacity: number = CAPACITY) {
    this.#now = now
    this.#capacity = capacity
  }

  /** Synchronous inside, so no other claim can come between the look and the write. */
  async claim(claim: ReplayClaim): Promise<boolean> {
    const now = this.#now()
    this.#forgetOldest(now)
    // K07: after the clock stepped back, a forgotten proof would look fresh again.
    if (claim.expiresAt <= this.#forgottenUntil || this.#used.has(claim.id)) return false
    if (this.#used.size >= this.#capacity) this.#sweep(now)
    if (this.#used.size >= this.#capacity) throw new ReplayFull('too many proofs in use')
    this.#used.set(claim.id, claim.expiresAt)
    return true
  }

  /** Claims arrive nearly in the order they end, so this frees most of them at no cost. */
  #forgetOldest(now: number): void {
    for (const [id, expiresAt] of this.#used) {
      if (expiresAt > now) return
      this.#forget(id, expiresAt)
    }
  }

  /** All of them, at most once a second: a flood must not buy a walk with every proof. */
  #sweep(now: number): void {
    if (now - this.#sweptAt >= 0 && now - this.#sweptAt < 1) return
    this.#sweptAt = now
    for (const [id, expiresAt] of this.#used) if (expiresAt <= now) this.#forget(id, expiresAt)
  }

  #forget(id: string, expiresAt: number): void {
    this.#used.delete(id)
    this.#forgottenUntil = Math.max(this.#forgottenUntil, expiresAt)
  }
}
