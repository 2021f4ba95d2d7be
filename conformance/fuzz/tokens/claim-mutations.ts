/** Claims changed as values, to be signed afterwards: any member to any value, and the near misses of each rule. */
import type { Random } from '../random.ts'
import { type Claims, likeItsNewestHop } from './grammar.ts'
import { anyValue, changed, NAMES } from './odd-values.ts'
import { type Mutation, RULES } from './rule-mutations.ts'
import { anySpot, at, boundsOf, put } from './spot.ts'

const ANYWHERE: readonly Mutation[] = [
  {
    name: 'replace',
    weight: 12,
    change: (claims, random) => {
      const spot = anySpot(claims, random)
      if (spot !== undefined) put(spot, anyValue(random))
    },
  },
  {
    name: 'change',
    weight: 16,
    change: (claims, random) => {
      const spot = anySpot(claims, random)
      if (spot !== undefined) put(spot, changed(at(spot), random))
    },
  },
  {
    name: 'remove',
    weight: 5,
    change: (claims, random) => {
      const { parent, name } = anySpot(claims, random) ?? {}
      if (Array.isArray(parent)) parent.splice(Number(name), 1)
      else if (parent !== undefined) delete parent[String(name)]
    },
  },
  {
    name: 'copy',
    weight: 6,
    change: (claims, random) => {
      const from = anySpot(claims, random)
      const to = anySpot(claims, random)
      if (from !== undefined && to !== undefined) put(to, structuredClone(at(from) ?? null))
    },
  },
  {
    name: 'add',
    weight: 4,
    change: (claims, random) => {
      const { parent } = anySpot(claims, random) ?? { parent: claims }
      if (Array.isArray(parent)) parent.push(anyValue(random))
      else put({ parent, name: random.pick(NAMES) }, anyValue(random))
    },
  },
]

const ALL = [...ANYWHERE, ...RULES]

/** A copy with one to three things changed, and half the time its top level made to fit what the newest hop has become. */
export function mutateClaims(
  text: string,
  random: Random,
): { readonly claims: Claims; readonly by: string } {
  let claims = JSON.parse(text) as Claims
  const names: string[] = []
  for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) {
    const mutation = random.pickWeighted(ALL)
    mutation.change(claims, random)
    names.push(mutation.name)
  }
  if (random.chance(0.5)) {
    claims = likeItsNewestHop(claims)
    names.push('fitted')
  }
  return { claims, by: names.join('+') }
}

/** One good token's parts in another good token's place. */
export function crossClaims(
  text: string,
  otherText: string,
  random: Random,
): { readonly claims: Claims; readonly by: string } {
  const claims = JSON.parse(text) as Claims
  const other = JSON.parse(otherText) as Claims
  const { root, hops } = boundsOf(claims)
  const theirs = boundsOf(other)
  const kind = random.below(6)
  if (kind === 0) claims['act_bounds'] = other['act_bounds'] ?? null
  else if (kind === 1) claims['act'] = other['act'] ?? null
  else if (kind === 2) Object.assign(root, theirs.root)
  else if (kind === 3) {
    const bounds = claims['act_bounds'] as Claims
    bounds['hops'] = [
      ...hops.slice(0, 1 + random.below(hops.length)),
      ...theirs.hops.slice(random.below(8)),
    ]
  } else if (kind === 4) {
    const name = random.pick(Object.keys(other))
    claims[name] = other[name] ?? null
  } else {
    // A chain under the other's root: what a mixed-up issuer would sign.
    claims['act_bounds'] = other['act_bounds'] ?? null
    claims['act'] = other['act'] ?? null
    claims['sub'] = random.pick([claims['sub'] ?? '', other['sub'] ?? ''])
  }
  const fitted = random.chance(0.6)
  return {
    claims: fitted ? likeItsNewestHop(claims) : claims,
    by: `cross-${kind}${fitted ? '+fitted' : ''}`,
  }
}
