/** Rule 4 of docs/chain-format.md §2: no hop has more than the one before it, and the first no more than the root. */
import { type Bounds, bitsOf, type Hop } from './bounds.ts'
import type { Json } from './json.ts'
import { firstBroken, type Sentence } from './sentence.ts'

/** What the hop before left over. */
interface Ceiling {
  readonly scope: ReadonlySet<number>
  readonly reach: ReadonlySet<number>
  readonly iat: number
  readonly exp: number
  readonly maxDepth: number
}

interface Step {
  readonly above: Ceiling
  readonly hop: Hop
  readonly bounds: Bounds
}

const SENTENCES: readonly Sentence<Step>[] = [
  ['hop_mask_invalid', ({ hop, bounds }) => isMaskOver(bounds.scope, hop.scope)],
  ['hop_mask_invalid', ({ hop, bounds }) => isMaskOver(bounds.reach, hop.reach)],
  ['hop_scope_widened', ({ above, hop }) => isWithin(above.scope, hop.scope)],
  ['hop_reach_widened', ({ above, hop }) => isWithin(above.reach, hop.reach)],
  // A set bit of `reach`, which is a mask over the list, is an index of the list too.
  ['hop_audience_invalid', ({ hop }) => [...bitsOf(hop.reach)].some((bit) => bit === hop.aud)],
  ['hop_issued_outside_parent', ({ above, hop }) => above.iat <= hop.iat && hop.iat < above.exp],
  ['hop_lifetime_invalid', ({ hop }) => hop.iat < hop.exp],
  ['hop_outlives_parent', ({ above, hop }) => hop.exp <= above.exp],
  ['hop_depth_raised', ({ above, hop }) => (hop.maxDepth ?? 0) <= above.maxDepth],
]

export function narrowingFault(bounds: Bounds): string | undefined {
  let above: Ceiling = {
    scope: new Set(bounds.scope.keys()),
    reach: new Set(bounds.reach.keys()),
    iat: 0,
    exp: bounds.exp - bounds.root.iat,
    maxDepth: bounds.maxDepth,
  }
  for (const hop of bounds.hops.toReversed()) {
    const fault = firstBroken({ above, hop, bounds }, SENTENCES)
    if (fault !== undefined) return fault
    const { iat, exp, maxDepth = above.maxDepth } = hop
    above = { scope: bitsOf(hop.scope), reach: bitsOf(hop.reach), iat, exp, maxDepth }
  }
  return undefined
}

function isWithin(above: ReadonlySet<number>, mask: Json | undefined): boolean {
  return [...bitsOf(mask)].every((bit) => above.has(bit))
}

function isMaskOver(list: readonly string[], mask: unknown): boolean {
  if (typeof mask !== 'number' || !Number.isSafeInteger(mask)) return false
  return mask >= 1 && BigInt(mask) < 2n ** BigInt(list.length)
}
