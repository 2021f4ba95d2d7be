/** Places in claims, and what stands there. */
import type { Random } from '../random.ts'
import type { Claims, Json } from './grammar.ts'

export interface Spot {
  readonly parent: Claims | Json[]
  readonly name: string | number
}

export function isMembers(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function at({ parent, name }: Spot): Json | undefined {
  return (parent as Claims)[name]
}

export function put({ parent, name }: Spot, value: Json): void {
  // An own `__proto__` is a member like any other in JSON.
  Object.defineProperty(parent, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  })
}

/** A random place in the claims, mostly where the chain is. */
export function anySpot(claims: Claims, random: Random): Spot | undefined {
  const inner = random.pick(['act_bounds', 'act_bounds', 'act_bounds', 'act', 'status', ''])
  const start = claims[inner]
  let parent: Claims | Json[] = isMembers(start) && random.chance(0.9) ? start : claims
  for (;;) {
    const names: readonly (string | number)[] = Array.isArray(parent)
      ? [...parent.keys()]
      : Object.keys(parent)
    if (names.length === 0) return undefined
    const spot = { parent, name: random.pick(names) }
    const next = at(spot)
    if (typeof next !== 'object' || next === null || random.chance(0.15)) return spot
    parent = next
  }
}

/** Empty where the claims have none any more. */
export function boundsOf(claims: Claims): {
  readonly root: Claims
  readonly hops: readonly Claims[]
} {
  const bounds = claims['act_bounds']
  const { root, hops } = isMembers(bounds) ? bounds : {}
  return {
    root: isMembers(root) ? root : {},
    hops: Array.isArray(hops) ? hops.filter(isMembers) : [],
  }
}
