/**
 * Replay claims in the store. The key begins with the minute of expiry: what has expired is all at the front and is
 * removed in passing, never by a scan.
 */
import type { ReplayClaim } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { minuteOf, replayKey, replayRange } from './keys.ts'

const CLAIMED = Buffer.from([1])
/** Before a holder's name: no name is written as a claim that has none. */
const HELD = '='
const REMOVED_PER_SWEEP = 256

/** True the first time, in all processes together, and for the holder of that first time again. */
export function claimReplay(environment: Environment, claim: ReplayClaim): boolean {
  const { holder } = claim
  const key = replayKey(claim)
  if (holder === undefined) {
    if (environment.has(key)) return false
    environment.put(key, CLAIMED)
    return true
  }
  const held = environment.get(key)
  const text = Buffer.from(`${HELD}${holder}`)
  if (held !== undefined) return held.equals(text)
  environment.put(key, text)
  return true
}

/** Removes some of what has expired. */
export function sweepReplay(environment: Environment, now: number): void {
  // One minute more than expired: the clocks of two processes never agree exactly.
  const expired = replayRange(minuteOf(now - 60))
  for (const key of environment.keys(expired, REMOVED_PER_SWEEP)) environment.remove(key)
}
