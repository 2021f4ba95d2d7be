/** Counts of fixed windows. The key begins with the minute in which its window ends: what is over is removed from the front. */
import type { Counted } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { counterKey, countersRange, minuteOf } from './keys.ts'

const MOST = 0xffffffff
const REMOVED_PER_SWEEP = 256

/** How many there are in the window now, in all processes together. */
export function countOne(environment: Environment, counted: Counted): number {
  const key = counterKey(counted)
  const before = environment.get(key)?.readUInt32BE() ?? 0
  const count = Math.min(MOST, before + 1)
  const value = Buffer.alloc(4)
  value.writeUInt32BE(count)
  environment.put(key, value)
  return count
}

/** Removes some of what is over. */
export function sweepCounters(environment: Environment, now: number): void {
  // One minute more than over: who counts may have read the clock a moment before.
  const over = countersRange(minuteOf(now - 60))
  for (const key of environment.keys(over, REMOVED_PER_SWEEP)) environment.remove(key)
}
