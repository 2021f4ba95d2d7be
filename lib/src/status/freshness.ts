/**
 * How old a statement of the issuer is (docs/chain-format.md §2, rule 6). The issuer's clock says when it was true; ours how
 * long it has been here at least. The older of the two counts, so that neither clock can make it young.
 */

export interface Clock {
  /** Seconds since the epoch. */
  readonly now: () => number
  /** Seconds since whenever: never goes back, whatever is done to the clock. */
  readonly tick: () => number
}

/** When something was stated, and when it came. */
export interface Stamp {
  /** Seconds since the epoch, by the issuer. */
  readonly iat: number
  readonly now: number
  readonly tick: number
}

/** Seconds an `iat` may lie in the future: clocks differ (docs/chain-format.md §2, rule 8). */
export const MAX_AHEAD_SECONDS = 5

export function stampOf(iat: number, came: Omit<Stamp, 'iat'>): Stamp {
  return { iat, now: came.now, tick: came.tick }
}

export function momentOf(clock: Clock): Omit<Stamp, 'iat'> {
  return { now: clock.now(), tick: clock.tick() }
}

/** Seconds, with fractions. */
export function ageOf(stamp: Stamp, { now, tick }: Omit<Stamp, 'iat'>): number {
  return Math.max(now - stamp.iat, now - stamp.now, tick - stamp.tick)
}
