/** The near misses of each rule of docs/chain-format.md §2. */
import type { Random } from '../random.ts'
import { type Claims, type Json, numberOf, textOf } from './grammar.ts'
import { ISSUER, NOW } from './input.ts'
import { anyValue } from './odd-values.ts'
import { boundsOf, isMembers, put } from './spot.ts'

/** One way to change claims. */
export interface Mutation {
  readonly name: string
  readonly weight: number
  /** Changes the claims in place. Where they have not got what it needs, they stay as they are. */
  change(claims: Claims, random: Random): void
}

/** A change of one hop, its parent known: the one before it in time, or the root's full ceiling. */
function hopChange(
  name: string,
  change: (hop: Claims, parent: Claims, random: Random) => void,
): Mutation {
  return {
    name,
    weight: 2,
    change: (claims, random) => {
      const { root, hops } = boundsOf(claims)
      if (hops.length === 0) return
      const chosen = random.below(hops.length)
      const full = (list: Json | undefined): number =>
        2 ** (Array.isArray(list) ? list.length : 0) - 1
      const parent = hops[chosen + 1] ?? {
        scope: full(root['scope']),
        reach: full(root['reach']),
        iat: 0,
        exp: numberOf(root['exp']) - numberOf(root['iat']),
        max_depth: root['max_depth'] ?? 0,
      }
      change(hops[chosen] ?? {}, parent, random)
    },
  }
}

/** A bit that the parent lacks, or the next one outside the list, or one that a careless shift turns into another. */
function widen(member: 'scope' | 'reach'): Mutation {
  return hopChange(`widen-${member}`, (hop, parent, random) => {
    const mine = numberOf(hop[member])
    const theirs = numberOf(parent[member])
    const missing = Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter(
      (bit) => (theirs & bit) === 0,
    )
    const bit = random.pick([
      missing[0] ?? 2 ** 31,
      random.pick([...missing, 2 ** 31]),
      2 ** 32,
      2 ** 33,
    ])
    hop[member] = random.pick([mine + bit, theirs + bit, bit, 2 ** 31 - 1, -1])
  })
}

/** The member of a hop at the edges of its parent's. */
function edge(member: 'iat' | 'exp', of: 'iat' | 'exp'): Mutation {
  return hopChange(`${member}-near-parents-${of}`, (hop, parent, random) => {
    hop[member] = numberOf(parent[of]) + random.pick([-1, 0, 1])
  })
}

export const RULES: readonly Mutation[] = [
  widen('scope'),
  widen('reach'),
  edge('iat', 'iat'),
  edge('iat', 'exp'),
  edge('exp', 'exp'),
  edge('exp', 'iat'),
  hopChange('end-at-begin', (hop, _, random) => {
    hop['exp'] = numberOf(hop['iat']) + random.below(2)
  }),
  hopChange('aud-elsewhere', (hop, _, random) => {
    hop['aud'] = random.below(33)
  }),
  hopChange('depth', (hop, parent, random) => {
    hop['max_depth'] = random.pick([
      numberOf(parent['max_depth'] ?? 0) + random.pick([-1, 0, 1]),
      random.below(10),
    ])
  }),
  hopChange('parents-id', (hop, parent, random) => {
    const member = random.pick(['jti', 'idx'])
    hop[member] = parent[member] ?? 0
  }),
  {
    name: 'root-id',
    weight: 1,
    change: (claims, random) => {
      const { root, hops } = boundsOf(claims)
      const member = random.pick(['jti', 'idx'])
      root[member] = (hops[random.below(Math.max(1, hops.length))] ?? {})[member] ?? 0
    },
  },
  {
    name: 'root-depth',
    weight: 1,
    change: (claims, random) => {
      const { root, hops } = boundsOf(claims)
      root['max_depth'] = hops.length + random.pick([-1, 0, 1])
    },
  },
  {
    name: 'reorder-hops',
    weight: 2,
    change: (claims, random) => {
      const bounds = claims['act_bounds']
      const hops = isMembers(bounds) ? bounds['hops'] : undefined
      if (!isMembers(bounds) || !Array.isArray(hops)) return
      const [moved] = hops.splice(random.below(hops.length), 1)
      hops.splice(random.below(hops.length + 1), 0, moved ?? null)
    },
  },
  {
    name: 'drop-hop',
    weight: 2,
    change: (claims, random) => {
      const bounds = claims['act_bounds']
      const hops = isMembers(bounds) ? bounds['hops'] : undefined
      if (Array.isArray(hops)) hops.splice(random.below(hops.length), 1)
      // The newest and its actor: what a thief of a child would like to have been given.
      if (random.chance(0.5) && isMembers(claims['act']))
        claims['act'] = claims['act']['act'] ?? null
    },
  },
  {
    name: 'drop-actor',
    weight: 2,
    change: (claims) => {
      const outer = claims['act']
      if (isMembers(outer) && isMembers(outer['act'])) claims['act'] = outer['act']
      else delete claims['act']
    },
  },
  {
    name: 'one-more-hop',
    weight: 2,
    change: (claims, random) => {
      const bounds = claims['act_bounds']
      const hops = isMembers(bounds) ? bounds['hops'] : undefined
      const newest = Array.isArray(hops) ? hops[0] : undefined
      if (!Array.isArray(hops) || !isMembers(newest)) return
      hops.unshift({ ...newest, jti: `more-${random.below(99)}`, idx: 3_990 + random.below(20) })
      const sub = random.pick(['newcomer', textOf(claims['sub']), textOf(claims['client_id'])])
      claims['act'] = { sub, iss: claims['iss'] ?? '', act: claims['act'] ?? null }
    },
  },
  {
    name: 'deep-actors',
    weight: 1,
    change: (claims, random) => {
      let act: Json = { sub: 'deep', iss: ISSUER }
      for (let level = random.pick([1, 7, 8, 9, 20, 23]); level > 0; level--)
        act = { sub: `deep-${level}`, iss: ISSUER, act }
      claims['act'] = act
    },
  },
  {
    name: 'subject-acts',
    weight: 1,
    change: (claims, random) => {
      const outer = claims['act']
      if (!isMembers(outer)) return
      const inner = isMembers(outer['act']) && random.chance(0.5) ? outer['act'] : outer
      if (random.chance(0.5)) inner['sub'] = claims['sub'] ?? ''
      else claims['sub'] = inner['sub'] ?? ''
    },
  },
  {
    name: 'basis',
    weight: 1,
    change: (claims, random) => {
      boundsOf(claims).root['basis'] = random.pick(['client', 'policy', 'whim', 'constructor'])
    },
  },
  {
    name: 'confirmation',
    weight: 2,
    change: (claims, random) => {
      const cnf = isMembers(claims['cnf']) ? { ...claims['cnf'] } : {}
      put(
        { parent: cnf, name: random.pick(['jkt', 'x5t#S256', 'jwk', 'kid', 'x5t', '__proto__']) },
        anyValue(random),
      )
      claims['cnf'] = random.pick<Json>([cnf, {}, null, [], 'jkt', cnf])
      if (random.chance(0.2)) delete claims['cnf']
    },
  },
  {
    name: 'clock',
    weight: 2,
    change: (claims, random) => {
      const { root } = boundsOf(claims)
      const near = NOW + random.pick([-6, -5, -4, -1, 0, 1, 4, 5, 6])
      const [newest] = boundsOf(claims).hops
      const offset = numberOf(newest?.[random.pick(['exp', 'iat'])])
      const moved = near - offset - numberOf(root['iat'])
      // The window moves, not the hops in it.
      root['iat'] = numberOf(root['iat']) + moved
      root['exp'] = numberOf(root['exp']) + moved
    },
  },
]
