/**
 * Claims changed as values, to be signed afterwards: any member to any value, and the near misses of each rule of
 * docs/chain-format.md §2.
 */
import type { Random } from '../random.ts'
import { type Claims, type Json, likeItsNewestHop, numberOf, textOf } from './grammar.ts'
import { API, ISSUER, LIST_URI, NOW } from './input.ts'

interface Mutation {
  readonly name: string
  readonly weight: number
  /** Changes the claims in place. Where they have not got what it needs, they stay as they are. */
  change(claims: Claims, random: Random): void
}

const LONG = 'x'.repeat(1025)
const NUMBERS: readonly number[] = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  7,
  8,
  9,
  30,
  31,
  32,
  33,
  0.5,
  1.5,
  255,
  4_000,
  4_019,
  4_020,
  65_535,
  65_536,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 31 + 1,
  -(2 ** 31),
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 52,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  1e21,
  1e300,
  5e-324,
  NOW,
  NOW - 6,
  NOW - 5,
  NOW - 4,
  NOW + 4,
  NOW + 5,
  NOW + 6,
  NOW * 1000,
]
const TEXTS: readonly string[] = [
  '',
  ' ',
  '0',
  '1',
  '-1',
  'null',
  'true',
  'client',
  'policy',
  'read',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  '\u0000',
  'a\u0000b',
  '\ufeff',
  '\u202eread',
  'ａｌｉｃｅ',
  'alice\u0301',
  '\ud800',
  '😀',
  'a b',
  'a  b',
  ' a',
  'a\t',
  'a"b',
  'a\\b',
  "a'b",
  '/relative',
  '//a.example',
  'https://a.example/#f',
  'https://a.example/ b',
  'javascript:1',
  'urn:x',
  API,
  `${API}/`,
  API.toUpperCase(),
  ISSUER,
  `${ISSUER}/`,
  LIST_URI,
  `${ISSUER}/status/../status/g1-7`,
  `${ISSUER}/status/`,
  'https://evil.example/status/g1-7',
  LONG,
  'x'.repeat(1024),
]
const NAMES: readonly string[] = [
  'x',
  'prev',
  'exp',
  'aud',
  'act',
  'sub',
  'iss',
  'scope',
  'v',
  'cnf',
  'crit',
  'may_act',
  'max_Depth',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'toJSON',
  'length',
  '0',
  '',
  'authorization_details',
  'client_id',
  'status_list',
]

/** Any value, mostly from the edges of what a rule says. */
export function anyValue(random: Random): Json {
  const kind = random.below(12)
  if (kind < 4) return random.pick(NUMBERS)
  if (kind < 8) return random.pick(TEXTS)
  if (kind === 8) return random.pick([true, false, null])
  if (kind === 9) return random.pick<Json>([[], {}, [[]], [{}], { length: 1 }, { sub: 'x' }])
  if (kind === 10) return [anyValue(random)]
  return { [random.pick(NAMES)]: anyValue(random) }
}

interface Spot {
  readonly parent: Claims | Json[]
  readonly name: string | number
}

export function isMembers(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function at({ parent, name }: Spot): Json | undefined {
  return (parent as Claims)[name]
}

function put({ parent, name }: Spot, value: Json): void {
  // An own `__proto__` is a member like any other in JSON.
  Object.defineProperty(parent, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  })
}

/** A random place in the claims, mostly where the chain is. */
function anySpot(claims: Claims, random: Random): Spot | undefined {
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

function changed(value: Json | undefined, random: Random): Json {
  if (typeof value === 'number') return changedNumber(value, random)
  if (typeof value === 'string') return changedText(value, random)
  if (Array.isArray(value)) return changedList(value, random)
  if (isMembers(value)) {
    const copy = { ...value }
    put({ parent: copy, name: random.pick(NAMES) }, anyValue(random))
    return copy
  }
  return anyValue(random)
}

function changedNumber(value: number, random: Random): Json {
  const bit = 2 ** random.below(34)
  return random.pick<Json>([
    value + 1,
    value - 1,
    value + bit,
    value - bit,
    value * 2,
    -value,
    value + 0.5,
    value / 2,
    value + 2 ** 32,
    value * 1000,
    String(value),
    [value],
    { value },
    value ^ (1 << random.below(31)),
    value === 0,
  ])
}

function changedText(value: string, random: Random): Json {
  const cut = random.below(value.length + 1)
  const piece = random.pick(TEXTS)
  return random.pick<Json>([
    value + piece,
    piece + value,
    value.slice(0, cut) + piece + value.slice(cut),
    value.slice(0, cut),
    value.slice(cut),
    value.toUpperCase(),
    value.toLowerCase(),
    value.normalize('NFD'),
    value.repeat(2),
    ` ${value}`,
    `${value} `,
    value.split(' ').toReversed().join(' '),
    value.replaceAll('e', 'е'),
    [value],
    value.split(' '),
    { [value]: value },
  ])
}

function changedList(value: readonly Json[], random: Random): Json {
  const one = random.below(value.length + 1)
  const other = random.below(value.length + 1)
  return random.pick<Json>([
    value.toReversed(),
    value.slice(1),
    value.slice(0, -1),
    [...value, ...value.slice(one, one + 1)],
    [...value, anyValue(random)],
    value.toSpliced(one, 1),
    value.toSpliced(one, 0, ...value.slice(other, other + 1)),
    [...value, ...value],
    [value as Json],
    Object.fromEntries(value.entries()) as Json,
    Array.from(
      { length: random.pick([8, 9, 31, 32, 33, 200]) },
      (_, n) => value[n % Math.max(1, value.length)] ?? n,
    ),
  ])
}

function boundsOf(claims: Claims): { readonly root: Claims; readonly hops: readonly Claims[] } {
  const bounds = claims['act_bounds']
  const { root, hops } = isMembers(bounds) ? bounds : {}
  return {
    root: isMembers(root) ? root : {},
    hops: Array.isArray(hops) ? hops.filter(isMembers) : [],
  }
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

const RULES: readonly Mutation[] = [
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
