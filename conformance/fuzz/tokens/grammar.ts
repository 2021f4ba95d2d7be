/**
 * Grammar of good chains (docs/chain-format.md §1, §2): 1 to 8 hops under random ceilings, each within the one before. What comes out
 * must be accepted; everything else starts from it.
 */
import fc from 'fast-check'
import { API, ISSUER, LIST_URI, NOW } from './input.ts'

/** JSON as it is mutated: members come and go. */
export type Json = string | number | boolean | null | Json[] | { [member: string]: Json }
export type Claims = Record<string, Json>

const MOST = 31
/** Indexes below are valid in the status list of the run; see lists.ts. */
export const VALID_BELOW = 4_000

/** Of names: what people write, and any code point at all but half of a pair. */
const sign = fc.constantFrom(
  ...Array.from('aZ09 ._-/:@é好ß\u0301\u200d\u202e\u00a0👩🏽"\\\'<&\u0000\n'),
)
const point = fc
  .integer({ min: 0, max: 0x10_f7ff })
  .map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800))
const text = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/) },
  { weight: 2, arbitrary: fc.string({ unit: sign, minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: point, minLength: 1, maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'null', '0') },
)
// RFC 6749 §3.3
const scopeName = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z]{1,6}:[a-z]{1,6}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,12}$/) },
)
const place = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^https:\/\/[a-z]{1,8}\.example\/[a-z0-9]{0,6}$/) },
  {
    weight: 1,
    arbitrary: fc.stringMatching(/^[a-z]{1,5}:[a-zA-Z0-9.~_%!$&'()*+,;=:@/?-]{1,12}$/),
  },
)

/** Random bits, masks and times are cut to what is allowed where the chain is put together. */
const hop = fc.record({
  scope: fc.nat(0x7fff_ffff),
  reach: fc.nat(0x7fff_ffff),
  aud: fc.nat(),
  waits: fc.nat(20),
  ends: fc.nat(20),
  depth: fc.option(fc.nat(9), { nil: undefined, freq: 4 }),
  approval: fc.option(text, { nil: undefined, freq: 6 }),
  decision: fc.option(text, { nil: undefined, freq: 6 }),
})

const shape = fc
  .record({
    hops: fc.array(hop, { minLength: 1, maxLength: 8 }),
    scopes: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: MOST })),
    places: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: MOST })),
    apiAt: fc.nat(),
    depth: fc.oneof(fc.nat(4), fc.constant(Number.MAX_SAFE_INTEGER - 8)),
    basis: fc.constantFrom('consent', 'policy', 'approval', 'client'),
    age: fc.oneof(fc.integer({ min: 200, max: 900 }), fc.integer({ min: 200, max: NOW })),
    ahead: fc.oneof(fc.integer({ min: 30, max: 300 }), fc.integer({ min: 30, max: 4_000_000_000 })),
    more: fc.record(
      {
        nbf: fc.integer({ min: 0, max: NOW }),
        auth_time: fc.nat(NOW),
        acr: text,
        amr: fc.array(text, { maxLength: 3 }),
        sub_profile: text,
        // An own `__proto__` is refused wherever it stands.
        ext: fc
          .jsonValue({ maxDepth: 3 })
          .filter((value) => !JSON.stringify(value).includes('"__proto__"')),
      },
      { requiredKeys: [] },
    ),
    profiles: fc.boolean(),
  })
  .chain((read) =>
    fc.record({
      shape: fc.constant(read),
      names: fc.uniqueArray(text, { minLength: 9, maxLength: 9 }),
      ids: fc.uniqueArray(text, { minLength: 9, maxLength: 9 }),
      indexes: fc.uniqueArray(fc.nat(VALID_BELOW - 1), { minLength: 9, maxLength: 9 }),
      txn: text,
      scope: fc.uniqueArray(scopeName, { minLength: read.scopes, maxLength: read.scopes }),
      reach: fc.uniqueArray(
        place.filter((uri) => uri !== API),
        { minLength: read.places - 1, maxLength: read.places - 1 },
      ),
    }),
  )

type Drawn = typeof shape extends fc.Arbitrary<infer T> ? T : never

/** A mask within `parent` that is not empty and holds `must`, of bits that were drawn. */
function within(parent: number, drawn: number, must: number): number {
  const mask = (parent & drawn) | must
  return mask === 0 ? parent : mask
}

/** The claims of a good token, without `cnf`. */
function claimsOf({ shape: drawn, names, ids, indexes, txn, scope, reach: others }: Drawn): Claims {
  const { hops, basis, age, ahead, more } = drawn
  const apiAt = drawn.apiAt % (others.length + 1)
  const reach = others.toSpliced(apiAt, 0, API)
  const apiBit = 2 ** apiAt
  const iat = NOW - age
  const deepest = hops.length + drawn.depth
  let parent = {
    scope: 2 ** scope.length - 1,
    reach: 2 ** reach.length - 1,
    iat: 0,
    exp: age + ahead,
    depth: deepest,
  }
  // From the oldest to the newest, which comes first in the token.
  const list = hops.map((one, at): Claims => {
    const isNewest = at === hops.length - 1
    const mask = within(parent.reach, one.reach, apiBit)
    const set = reach.flatMap((_, bit) => ((mask & (1 << bit)) !== 0 ? [bit] : []))
    const depth =
      one.depth === undefined ? undefined : Math.min(parent.depth, hops.length + one.depth)
    parent = {
      scope: within(parent.scope, one.scope, 0),
      reach: mask,
      iat: parent.iat + one.waits,
      // The newest ends after now: 8 hops take 160 seconds at most.
      exp: Math.max(age + 1, parent.exp - one.ends),
      depth: depth ?? parent.depth,
    }
    return {
      jti: ids[at] ?? '',
      idx: indexes[at] ?? 0,
      scope: parent.scope,
      reach: mask,
      aud: isNewest ? apiAt : (set[one.aud % set.length] ?? apiAt),
      iat: parent.iat,
      exp: parent.exp,
      ...(one.approval === undefined ? {} : { approval: one.approval }),
      ...(one.decision === undefined ? {} : { decision: one.decision }),
      ...(depth === undefined ? {} : { max_depth: depth }),
    }
  })
  const [subject = '', ...agents] = names
  const actors = agents.slice(0, hops.length - (basis === 'client' ? 1 : 0))
  const claims: Claims = {
    iss: ISSUER,
    sub: subject,
    aud: API,
    client_id: actors.at(-1) ?? subject,
    txn,
    ...(more as Claims),
    ...(actors.length === 0 ? {} : { act: nested(actors, drawn.profiles) }),
    act_bounds: {
      v: 1,
      root: {
        jti: ids[8] ?? '',
        idx: indexes[8] ?? 0,
        iat,
        exp: iat + age + ahead,
        max_depth: deepest,
        basis,
        scope: [...scope],
        reach: [...reach],
      },
      hops: list.toReversed(),
    },
  }
  return likeItsNewestHop(claims)
}

function nested(actors: readonly string[], profiles: boolean): Json {
  return actors.reduce<Json>(
    (act, sub) => ({
      sub,
      iss: ISSUER,
      ...(profiles ? { sub_profile: 'ai_agent' } : {}),
      ...(act === null ? {} : { act }),
    }),
    null,
  )
}

/** Rule 5: what a token says of itself, written anew from whatever its newest hop is. Never throws. */
export function likeItsNewestHop(claims: Claims): Claims {
  const bounds = membersOf(claims['act_bounds'])
  const root = membersOf(bounds['root'])
  const newest = membersOf(Array.isArray(bounds['hops']) ? bounds['hops'][0] : undefined)
  const names = Array.isArray(root['scope']) ? root['scope'].map(textOf) : []
  const places = Array.isArray(root['reach']) ? root['reach'] : []
  const mask = numberOf(newest['scope'])
  const act = membersOf(claims['act'])
  return {
    ...claims,
    jti: newest['jti'] ?? '',
    status: { status_list: { idx: newest['idx'] ?? 0, uri: LIST_URI } },
    aud: places[numberOf(newest['aud'])] ?? API,
    scope: names.filter((_, bit) => (mask & (1 << bit)) !== 0).join(' '),
    iat: numberOf(root['iat']) + numberOf(newest['iat']),
    exp: numberOf(root['iat']) + numberOf(newest['exp']),
    client_id: act['sub'] ?? claims['sub'] ?? '',
  }
}

/** What stands in a text for this value. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

/** NaN for what is none: an object may bring a `valueOf` of its own, which is no function. */
export function numberOf(value: Json | undefined): number {
  return typeof value === 'object' ? Number.NaN : Number(value)
}

function membersOf(value: Json | undefined): Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

/** Claims of good tokens, the same for the same seed. */
export function sampleChains(seed: number, count: number): readonly Claims[] {
  return fc.sample(shape, { seed, numRuns: count }).map(claimsOf)
}
