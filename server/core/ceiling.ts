/**
 * What a hop may use or hand on. Authority only narrows: a root's ceiling is opened once from what its task type
 * allows, and every other ceiling comes out of `narrow(parent, requested)`. Masks are over the root's lists
 * (docs/chain-format.md §1), so nothing outside the root can be written down.
 */
import type { BoundsRoot } from '../../lib/src/act-bounds.ts'
import { fullMask } from '../../lib/src/scope.ts'

declare const narrowed: unique symbol

export interface Ceiling {
  readonly scope: number
  readonly reach: number
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** Most agents the chain may have from here on. */
  readonly maxDepth: number
  readonly [narrowed]: true
}

export interface CeilingRequest {
  readonly scope: number
  readonly reach: number
  readonly expiresAt: number
  readonly maxDepth?: number
}

/** All of the root's lists, to the end of its window or of the subject token that opens it, in seconds. */
export function openCeiling(root: BoundsRoot, endsBy: number = root.exp): Ceiling {
  return ceiling({
    scope: fullMask(root.scope),
    reach: fullMask(root.reach),
    expiresAt: Math.min(root.exp, Math.floor(endsBy)),
    maxDepth: root.max_depth,
  })
}

/** The part of `requested` that lies within `parent`; undefined where nothing useful is left of it. */
export function narrow(parent: Ceiling, requested: CeilingRequest): Ceiling | undefined {
  const scope = parent.scope & requested.scope
  const reach = parent.reach & requested.reach
  if (scope === 0 || reach === 0) return undefined
  return ceiling({
    scope,
    reach,
    expiresAt: Math.min(parent.expiresAt, requested.expiresAt),
    maxDepth: Math.min(parent.maxDepth, requested.maxDepth ?? parent.maxDepth),
  })
}

/** A mask of the entries of `list` that are `wanted`. At most 31 entries (docs/chain-format.md §1). */
export function maskWhere(list: readonly string[], wanted: (entry: string) => boolean): number {
  let mask = 0
  for (const [bit, entry] of list.entries()) {
    if (wanted(entry)) mask |= 1 << bit
  }
  return mask
}

function ceiling(bounds: Required<CeilingRequest>): Ceiling {
  return Object.freeze({ ...bounds }) as unknown as Ceiling
}
