import { describe, expect, test } from 'vitest'
import { readActors } from '../../lib/src/actors.ts'
import { readChain } from '../../lib/src/chain.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { BROKEN_CHAINS } from '../support/broken-chains.ts'
import { API, type Claims, chainClaims, ISSUER, NOW, withMember } from '../support/chain-token.ts'

const read = (claims: Claims, limits = {}) => readChain(claims as JsonObject, limits)
const reasonOf = (claims: Claims): string => {
  const reading = read(claims)
  return reading.ok ? 'accepted' : reading.reason
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('accepts a valid chain %i hops deep', (depth) => {
  const reading = read(chainClaims({ depth }))
  expect(reading.ok && reading.chain.actors.length).toBe(depth)
  expect(reading.ok && reading.chain.bounds.hops.length).toBe(depth)
})

test.each([1, 2, 8])('accepts an agent on its own behalf, %i hops deep', (depth) => {
  const reading = read(chainClaims({ depth, basis: 'client' }))
  expect(reading.ok && reading.chain.actors.length).toBe(depth - 1)
})

/** Each at the edge of a rule, on the right side of it. */
test.each<[string, Claims]>([
  ['a task opened by consent', withMember(chainClaims(), 'act_bounds.root.basis', 'consent')],
  ['a task opened by approval', withMember(chainClaims(), 'act_bounds.root.basis', 'approval')],
  ['a hop that ends with its parent', withMember(chainClaims(), 'act_bounds.hops.1.exp', 300)],
  ['a hop issued with its parent', withMember(chainClaims(), 'act_bounds.hops.1.iat', 0)],
  [
    'a hop that ends after a second',
    withMember(withMember(chainClaims({ depth: 1 }), 'act_bounds.hops.0.exp', 1), 'exp', NOW - 9),
  ],
  ['a hop as deep as the root', withMember(chainClaims(), 'act_bounds.hops.2.max_depth', 8)],
  [
    'a chain as deep as its hop may be',
    withMember(chainClaims(), 'act_bounds.hops.1.max_depth', 3),
  ],
  ['a chain as deep as its root may be', withMember(chainClaims(), 'act_bounds.root.max_depth', 3)],
  ['an agent with a name of 1024 characters', named('a'.repeat(1024))],
  ['one scope and one place', listing(1)],
  ['31 scopes and 31 places', listing(31)],
])('accepts %s', (_, claims) => {
  expect(reasonOf(claims)).toBe('accepted')
})

function named(agent: string): Claims {
  return withMember(withMember(chainClaims(), 'act.sub', agent), 'client_id', agent)
}

/** A chain of one hop over lists so long. */
function listing(length: number): Claims {
  const { act_bounds, ...claims } = chainClaims({ depth: 1 })
  const { root, hops } = act_bounds as { root: Claims; hops: readonly Claims[] }
  const scope = Array.from({ length }, (_entry, at) => `s:${at}`)
  const reach = [API, ...Array.from({ length: length - 1 }, (_entry, at) => `urn:api:${at}`)]
  const all = 2 ** length - 1
  return {
    ...claims,
    scope: scope.join(' '),
    act_bounds: {
      v: 1,
      root: { ...root, scope, reach },
      hops: [{ ...hops[0], scope: all, reach: all, aud: 0 }],
    },
  }
}

test('an actor without a profile has none, not an empty one', () => {
  const act = { sub: 'planner', iss: ISSUER }
  const reading = read({ ...chainClaims({ depth: 1 }), act })
  expect(reading.ok && reading.chain.actors).toStrictEqual([act])
})

test('more actors than hops are counted, not read', () => {
  for (const level of ['x', {}, { sub: 'x', iss: 'https://other' }])
    expect(reasonOf(withMember(chainClaims(), 'act.act.act.act', level))).toBe(
      'actor_count_mismatch',
    )
})

test('a place is one URI from its first character on, and no list of them', () => {
  for (const uri of ['0https://a.example', ' https://a.example', ['https://a.example']])
    expect(reasonOf(withMember(chainClaims(), 'act_bounds.root.reach.0', uri))).toBe(
      'root_reach_invalid',
    )
})

describe('refuses each broken sentence of rules 1 to 5 with its own reason', () => {
  test.each(BROKEN_CHAINS)('%s: %s = %j', (reason, path, value) => {
    expect(reasonOf(withMember(chainClaims(), path, value))).toBe(reason)
  })
})

test('B05 compares scope names whole: no prefix and no wildcard names a scope of the list', () => {
  for (const scope of [
    '*',
    'ledger:*',
    'ledger',
    'ledger:',
    'ledger:rea',
    'ledger:read*',
    'ledger:readwrite',
  ])
    expect(reasonOf(withMember(chainClaims(), 'scope', scope))).toBe('token_scope_mismatch')
})

test('C04 refuses a token for two audiences', () => {
  const claims = withMember(chainClaims(), 'aud', [API, 'https://mail.api'])
  expect(reasonOf(claims)).toBe('token_audience_mismatch')
})

test("D04 tells the caller's own limit from the bounds of the token", () => {
  expect(read(chainClaims({ depth: 3 }), { maxHops: 2 })).toEqual({
    ok: false,
    reason: 'chain_too_long',
  })
  const broken = withMember(chainClaims({ depth: 3 }), 'act_bounds.root.max_depth', 2)
  expect(read(broken, { maxHops: 2 })).toEqual({ ok: false, reason: 'depth_exceeded' })
})

test('D05 walks ten thousand actors without exhausting the stack', () => {
  let act: Claims = { sub: 'a', iss: ISSUER }
  for (let level = 0; level < 10_000; level++) act = { sub: 'a', iss: ISSUER, act }
  expect(reasonOf({ ...chainClaims(), act })).toBe('actor_count_mismatch')
  expect(readActors(act as JsonObject)?.length).toBe(10_001)
})

test('A14 refuses a token without act whose client is not its subject', () => {
  const claims = withMember(chainClaims({ depth: 1, basis: 'client' }), 'client_id', 'rogue')
  expect(reasonOf(claims)).toBe('client_mismatch')
})

test('reads the act of any issuer, whatever else it holds', () => {
  const act = { sub: 'b', exp: 1, aud: 'x', act: { iss: 'https://other', sub: 'a' } }
  expect(readActors(act)).toEqual([
    { sub: 'b', iss: undefined },
    { sub: 'a', iss: 'https://other' },
  ])
  expect(readActors({ iss: 'https://other' })).toEqual([{ sub: undefined, iss: 'https://other' }])
  expect(readActors(undefined)).toEqual([])
  for (const bad of ['x', null, 1, [], { sub: 1 }, { act: 'x' }, { iss: [] }])
    expect(readActors(bad as JsonObject)).toBeUndefined()
})

test('loses nothing of the actors it read, and keeps their order', () => {
  const claims = chainClaims({ depth: 4 })
  const reading = read(claims)
  const actors = reading.ok ? reading.chain.actors : []
  expect(actors).toHaveLength(4)
  const nested = actors.reduceRight<object | undefined>(
    (act, actor) => (act === undefined ? { ...actor } : { ...actor, act }),
    undefined,
  )
  expect(nested).toEqual(claims['act'])
})
