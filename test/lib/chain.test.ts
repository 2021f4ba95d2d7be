import { describe, expect, test } from 'vitest'
import { nestActors, readActors } from '../../lib/src/actors.ts'
import { readChain } from '../../lib/src/chain.ts'
import type { ChainReason } from '../../lib/src/errors.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { API, type Claims, chainClaims, ISSUER, withMember } from '../support/chain-token.ts'

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

const hop = { jti: 'other', idx: 1, scope: 1, reach: 1, aud: 0, iat: 0, exp: 300 }
const hops = (count: number): Claims[] =>
  Array.from({ length: count }, (_, at) => ({ ...hop, jti: `j${at}`, idx: at }))

/** Each line: the broken sentence's reason, the one member changed, and its value. */
const BROKEN: readonly (readonly [ChainReason, string, unknown])[] = [
  ['bounds_missing', 'txn', undefined],
  ['bounds_missing', 'status', undefined],
  ['bounds_missing', 'act_bounds', undefined],
  ['bounds_malformed', 'txn', 7],
  ['bounds_malformed', 'txn', ''],
  ['bounds_malformed', 'status', 'x'],
  ['bounds_malformed', 'status', {}],
  ['bounds_malformed', 'status.status_list.uri', 1],
  ['bounds_malformed', 'act_bounds', []],
  ['bounds_malformed', 'act_bounds.root', undefined],
  ['bounds_malformed', 'act_bounds.root', []],
  ['bounds_malformed', 'act_bounds.root.jti', 1],
  ['bounds_malformed', 'act_bounds.root.basis', 'whim'],
  ['bounds_malformed', 'act_bounds.root.basis', undefined],
  ['bounds_malformed', 'act_bounds.hops', {}],
  ['bounds_malformed', 'act_bounds.hops.1', null],
  ['bounds_malformed', 'act_bounds.hops.1.jti', ''],
  ['bounds_malformed', 'act_bounds.hops.1.approval', 1],
  ['bounds_malformed', 'act_bounds.hops.1.decision', ''],
  ['bounds_version_unsupported', 'act_bounds.v', 2],
  ['bounds_version_unsupported', 'act_bounds.v', '1'],
  ['bounds_version_unsupported', 'act_bounds.v', undefined],
  ['bounds_member_unknown', 'act_bounds.x', 1],
  ['bounds_member_unknown', 'act_bounds.root.prev', 'x'],
  ['bounds_member_unknown', 'act_bounds.root.toString', 1],
  ['bounds_member_unknown', 'act_bounds.hops.1.max_Depth', 1],
  ['bounds_number_invalid', 'status.status_list.idx', -1],
  ['bounds_number_invalid', 'status.status_list.idx', '48213'],
  ['bounds_number_invalid', 'act_bounds.root.idx', 1.5],
  ['bounds_number_invalid', 'act_bounds.root.iat', Number.POSITIVE_INFINITY],
  ['bounds_number_invalid', 'act_bounds.root.exp', 2 ** 53],
  ['bounds_number_invalid', 'act_bounds.root.max_depth', -1],
  ['bounds_number_invalid', 'act_bounds.root.max_depth', undefined],
  ['bounds_number_invalid', 'act_bounds.hops.1.idx', null],
  ['bounds_number_invalid', 'act_bounds.hops.1.iat', -1],
  ['bounds_number_invalid', 'act_bounds.hops.1.exp', '300'],
  ['bounds_number_invalid', 'act_bounds.hops.1.max_depth', 1.5],
  ['root_scope_invalid', 'act_bounds.root.scope', []],
  ['root_scope_invalid', 'act_bounds.root.scope', 'docs:read'],
  ['root_scope_invalid', 'act_bounds.root.scope.1', 'docs:read'],
  ['root_scope_invalid', 'act_bounds.root.scope.1', 'a b'],
  ['root_scope_invalid', 'act_bounds.root.scope.1', 'a"b'],
  ['root_scope_invalid', 'act_bounds.root.scope.1', 'a\\b'],
  ['root_scope_invalid', 'act_bounds.root.scope.1', ''],
  ['root_scope_invalid', 'act_bounds.root.scope.1', 1],
  ['root_scope_invalid', 'act_bounds.root.scope', Array.from({ length: 32 }, (_, n) => `s${n}`)],
  ['root_reach_invalid', 'act_bounds.root.reach', []],
  ['root_reach_invalid', 'act_bounds.root.reach.0', '/relative'],
  ['root_reach_invalid', 'act_bounds.root.reach.0', 'https://a.example/#f'],
  ['root_reach_invalid', 'act_bounds.root.reach.0', 'https://a.example/ b'],
  ['root_reach_invalid', 'act_bounds.root.reach.0', API],
  ['root_reach_invalid', 'act_bounds.root.reach.0', 1],
  [
    'root_reach_invalid',
    'act_bounds.root.reach',
    Array.from({ length: 32 }, (_, n) => `https://a.example/${n}`),
  ],
  ['hop_count_invalid', 'act_bounds.hops', []],
  ['hop_count_invalid', 'act_bounds.hops', hops(9)],
  ['hop_count_invalid', 'act_bounds.hops', hops(5000)],
  ['actor_count_mismatch', 'act', undefined],
  ['actor_count_mismatch', 'act.act.act', undefined],
  ['actor_count_mismatch', 'act.act.act.act', { sub: 'x', iss: ISSUER }],
  ['actor_count_mismatch', 'act_bounds.root.basis', 'client'],
  ['actor_malformed', 'act', 'writer'],
  ['actor_malformed', 'act', []],
  ['actor_malformed', 'act', null],
  ['actor_malformed', 'act', 1],
  ['actor_malformed', 'act.sub', undefined],
  ['actor_malformed', 'act.sub', ''],
  ['actor_malformed', 'act.sub', 'x'.repeat(1025)],
  ['actor_malformed', 'act.act', 'researcher'],
  ['actor_malformed', 'act.act.sub', 1],
  ['actor_malformed', 'act.act.iss', undefined],
  ['actor_malformed', 'act.act.sub_profile', 1],
  ['actor_member_unknown', 'act.exp', 1],
  ['actor_member_unknown', 'act.act.client_id', 'x'],
  ['actor_issuer_mismatch', 'act.act.iss', `${ISSUER}/`],
  ['depth_exceeded', 'act_bounds.root.max_depth', 2],
  ['depth_exceeded', 'act_bounds.root.max_depth', 0],
  ['depth_exceeded', 'act_bounds.hops.2.max_depth', 2],
  ['depth_exceeded', 'act_bounds.hops.0.max_depth', 2],
  ['hop_depth_raised', 'act_bounds.hops.2.max_depth', 9],
  ['hop_mask_invalid', 'act_bounds.hops.1.scope', 0],
  ['hop_mask_invalid', 'act_bounds.hops.1.scope', -1],
  ['hop_mask_invalid', 'act_bounds.hops.1.scope', 16],
  ['hop_mask_invalid', 'act_bounds.hops.1.scope', 2 ** 32 + 2],
  ['hop_mask_invalid', 'act_bounds.hops.1.scope', 2.5],
  ['hop_mask_invalid', 'act_bounds.hops.1.scope', '2'],
  ['hop_mask_invalid', 'act_bounds.hops.1.scope', undefined],
  ['hop_mask_invalid', 'act_bounds.hops.1.reach', 2 ** 32],
  ['hop_mask_invalid', 'act_bounds.hops.1.reach', -(2 ** 31)],
  ['hop_scope_widened', 'act_bounds.hops.0.scope', 15],
  ['hop_scope_widened', 'act_bounds.hops.2.scope', 4],
  ['hop_reach_widened', 'act_bounds.hops.0.reach', 1],
  ['hop_reach_widened', 'act_bounds.hops.2.reach', 2],
  ['hop_audience_invalid', 'act_bounds.hops.1.aud', 9],
  ['hop_audience_invalid', 'act_bounds.hops.1.aud', -1],
  ['hop_audience_invalid', 'act_bounds.hops.1.aud', 0],
  ['hop_audience_invalid', 'act_bounds.hops.1.aud', 40],
  ['hop_audience_invalid', 'act_bounds.hops.1.aud', '2'],
  ['hop_issued_outside_parent', 'act_bounds.hops.2.iat', 2],
  ['hop_issued_outside_parent', 'act_bounds.hops.1.iat', 300],
  ['hop_issued_outside_parent', 'act_bounds.root.exp', 0],
  ['hop_lifetime_invalid', 'act_bounds.hops.1.exp', 1],
  ['hop_outlives_parent', 'act_bounds.hops.1.exp', 301],
  ['hop_outlives_parent', 'act_bounds.hops.2.exp', 901],
  ['hop_id_repeated', 'act_bounds.hops.1.jti', 'root-xxxxxxxxxxxxxxxx'],
  ['hop_index_repeated', 'act_bounds.hops.1.idx', 48_210],
  ['token_id_mismatch', 'jti', 'other'],
  ['token_index_mismatch', 'status.status_list.idx', 48_212],
  ['token_times_mismatch', 'iat', 0],
  ['token_times_mismatch', 'exp', 2_000_000_000],
  ['token_audience_mismatch', 'aud', [API]],
  ['token_audience_mismatch', 'aud', 'https://other.example'],
  ['token_scope_mismatch', 'scope', 'crm:read ledger:propose ledger:read'],
  ['token_scope_mismatch', 'scope', 'crm:read  ledger:read ledger:propose'],
  ['token_scope_mismatch', 'scope', ['crm:read', 'ledger:read', 'ledger:propose']],
  ['token_scope_mismatch', 'scope', 'crm:read'],
  ['client_mismatch', 'client_id', 'planner'],
  ['client_mismatch', 'client_id', undefined],
  ['subject_in_chain', 'sub', 'planner'],
]

describe('refuses each broken sentence of rules 1 to 5 with its own reason', () => {
  test.each(BROKEN)('%s: %s = %j', (reason, path, value) => {
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
  expect(readActors(undefined)).toEqual([])
  for (const bad of ['x', null, 1, [], { sub: 1 }, { act: 'x' }, { iss: [] }])
    expect(readActors(bad as JsonObject)).toBeUndefined()
})

test('nests the actors it read', () => {
  const claims = chainClaims({ depth: 4 })
  const reading = read(claims)
  expect(reading.ok && nestActors(reading.chain.actors)).toEqual(claims['act'])
  expect(nestActors([])).toBeUndefined()
})
