/** Rule 2 of docs/chain-format.md §2: how many hops, how many actors, how deep. */
import type { Bounds } from './bounds.ts'
import type { JsonObject } from './json.ts'
import { listAt } from './sentence.ts'

const MOST_HOPS = 8

/** Of `act_bounds`: 1 to 8 hops, whatever they are. */
export function isCountedChain(bounds: JsonObject): boolean {
  const { length } = listAt(bounds, 'hops')
  return length >= 1 && length <= MOST_HOPS
}

/** As many levels of `act` as hops; with basis `client` the subject itself has the oldest hop. */
export function levelsOf({ basis, hops }: Bounds): number {
  return basis === 'client' ? hops.length - 1 : hops.length
}

export function lengthFault({ maxDepth, hops }: Bounds): string | undefined {
  const limits = [maxDepth, ...hops.flatMap((hop) => hop.maxDepth ?? [])]
  return limits.some((limit) => hops.length > limit) ? 'depth_exceeded' : undefined
}
