/** What the tenant's rules make of a hop: which scopes are left, what binds the token, and what is refused as what. */
import { describe, expect, test } from 'vitest'
import { type Attenuated, attenuate } from '../../server/core/attenuate.ts'
import type { HopRequest } from '../../server/core/guards.ts'
import { isRefusal } from '../../server/core/refusal.ts'
import type { Obligations, RuleAnswer, RuleQuestion } from '../../server/core/rules.ts'
import { aCeiling, aHopRequest, anAgent, aRoot, aTenant, NOW, rulesOf } from './facts.ts'

type Answer = Parameters<typeof rulesOf>[0]

/** planner asks under these rules; for the files API where nothing else is said. */
function hop(answer: Answer, parts: Partial<HopRequest> & { to?: string } = {}): HopRequest {
  const tenant = aTenant({ tenant: { rules: rulesOf(answer) } })
  const { to = 'files-api', ...rest } = parts
  return aHopRequest({ tenant, target: tenant.resources.get(to)!, ...rest })
}

function granted(answer: Answer, parts: Parameters<typeof hop>[1] = {}): Attenuated {
  const outcome = attenuate(hop(answer, parts))
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.reason} ${outcome.guard}`)
  return outcome
}

const by =
  (answers: Readonly<Record<string, Partial<RuleAnswer>>>) =>
  ({ scope = '' }: RuleQuestion): Partial<RuleAnswer> =>
    answers[scope] ?? NONE

const NONE: Partial<RuleAnswer> = { decision: 'refuse', policies: [] }
const FORBID: Partial<RuleAnswer> = { decision: 'refuse', policies: ['no'] }
const READ: Partial<RuleAnswer> = { policies: ['read'] }
const ASK: Partial<RuleAnswer> = { policies: ['four-eyes'], obligations: { approval: 'read' } }
const bound = (obligations: Obligations): Partial<RuleAnswer> => ({ obligations })

describe('a scope left out', () => {
  test('is decided scope by scope: what the rules refuse is not granted, nor what needs a human', () => {
    const answer = by({ 'files:read': READ, 'files:write': FORBID })
    expect(granted(answer)).toMatchObject({ scope: ['files:read'], policies: ['read'] })
    const asks = by({ 'files:read': READ, 'files:write': ASK })
    expect(granted(asks)).toMatchObject({ scope: ['files:read'], obligations: {} })
  })

  test('binds the token by the rules of what is granted, and by no others', () => {
    const answer = by({
      'files:read': { policies: ['read'], obligations: { maxTtl: 60 } },
      'files:write': { policies: ['write'], obligations: { maxTtl: 5, approval: 'propose' } },
    })
    expect(granted(answer)).toMatchObject({
      scope: ['files:read'],
      policies: ['read'],
      obligations: { maxTtl: 60 },
      ceiling: { expiresAt: NOW + 60 },
    })
  })

  test.each<[string, string, readonly string[] | undefined, Answer]>([
    ['target_not_permitted', 'target_closed_by_rules', undefined, NONE],
    ['target_not_permitted', 'target_closed_by_rules', ['no'], FORBID],
    ['target_not_permitted', 'target_closed_by_rules', ['no'], by({ 'files:read': FORBID })],
    ['scope_nothing_left', 'scope_nothing_left', ['four-eyes'], ASK],
    ['target_not_permitted', 'target_closed_by_rules', ['all', 'broken'], { failed: ['broken'] }],
    [
      'scope_nothing_left',
      'scope_nothing_left',
      ['four-eyes', 'no'],
      by({ 'files:read': ASK, 'files:write': FORBID }),
    ],
  ])('with nothing left is %s (%s)', (reason, guard, policies, answer) => {
    expect(attenuate(hop(answer))).toEqual({
      kind: 'refusal',
      reason,
      guard,
      ...(policies === undefined ? {} : { policies: expect.arrayContaining([...policies]) }),
    })
  })

  test('is no rule’s fault where the facts leave nothing to ask about', () => {
    const caller = anAgent('planner', { scopes: new Set(['mail:send']) })
    expect(attenuate(hop(FORBID, { caller }))).toEqual({
      kind: 'refusal',
      reason: 'scope_nothing_left',
      guard: 'scope_nothing_left',
    })
  })
})

describe('a scope requested', () => {
  const scope = ['files:read', 'files:write']

  test('is granted whole or refused, by the guard of what is refused', () => {
    expect(granted(READ, { scope }).scope).toEqual(scope)
    expect(attenuate(hop(by({ 'files:read': READ, 'files:write': FORBID }), { scope }))).toEqual({
      kind: 'refusal',
      reason: 'scope_not_permitted',
      guard: 'rule_forbids',
      policies: ['no'],
    })
    expect(attenuate(hop(by({ 'files:read': READ }), { scope }))).toEqual({
      kind: 'refusal',
      reason: 'scope_not_permitted',
      guard: 'no_rule_permits',
    })
  })

  test('needs a human only where nothing else is missing', () => {
    const asks = by({ 'files:read': READ, 'files:write': ASK })
    expect(attenuate(hop(asks, { scope }))).toEqual({
      kind: 'refusal',
      reason: 'approval_required',
      guard: 'approval_required',
      policies: ['four-eyes'],
    })
    const refused = by({ 'files:read': FORBID, 'files:write': ASK })
    expect(attenuate(hop(refused, { scope }))).toMatchObject({
      reason: 'scope_not_permitted',
      guard: 'rule_forbids',
    })
  })

  test('is refused by what refuses it, not by what would ask first', () => {
    const answer = by({ 'files:read': ASK, 'files:write': FORBID })
    expect(attenuate(hop(answer, { scope }))).toMatchObject({
      reason: 'scope_not_permitted',
      guard: 'rule_forbids',
    })
  })

  test('is no target’s fault where a fact refuses one of its names, whatever the rules say of the others', () => {
    expect(attenuate(hop(FORBID, { scope: ['files:read', 'mail:send'] }))).toMatchObject({
      reason: 'scope_not_permitted',
      guard: 'rule_forbids',
    })
  })

  test('that no fact allows is refused by that fact, whatever the rules say of the others', () => {
    expect(attenuate(hop(FORBID, { scope: ['mail:send'] }))).toEqual({
      kind: 'refusal',
      reason: 'scope_not_permitted',
      guard: 'scope_beyond_target',
    })
  })
})

describe('A05 a target the rules leave nothing at', () => {
  test.each<[string, Answer]>([
    ['no rule permits', NONE],
    ['a rule forbids', FORBID],
    ['a rule fails', { failed: ['broken'] }],
    ['the chain is too long for the rules', bound({ maxDepth: 0 })],
  ])('is refused as a target where %s, whether the scope is requested or not', (_, answer) => {
    for (const scope of [undefined, ['files:read'], ['files:read', 'files:write']]) {
      for (const to of ['files-api', 'researcher-a2a']) {
        expect(attenuate(hop(answer, { scope, to }))).toMatchObject({
          reason: 'target_not_permitted',
          guard: 'target_closed_by_rules',
        })
      }
    }
  })

  test('is told from one where another scope is permitted, or would be with an approval', () => {
    for (const other of [READ, ASK]) {
      const answer = by({ 'files:read': other })
      expect(attenuate(hop(answer, { scope: ['files:write'] }))).toMatchObject({
        reason: 'scope_not_permitted',
        guard: 'no_rule_permits',
      })
    }
  })

  test('reads as a target beyond reach: both have one public reason', () => {
    const closed = attenuate(hop(NONE, { scope: ['files:read'] }))
    const beyond = attenuate(hop(READ, { to: 'rogue-a2a', scope: ['files:read'] }))
    expect(closed).toMatchObject({ reason: 'target_not_permitted' })
    expect(beyond).toMatchObject({ reason: 'target_not_permitted' })
  })
})

describe('what an obligation does', () => {
  test.each<[string, number, Obligations, Parameters<typeof hop>[1]?]>([
    ['shortens the life', NOW + 60, { maxTtl: 60 }],
    ['never lengthens it', NOW + 300, { maxTtl: 9999 }],
    ['shortens a home token’s too', NOW + 60, { maxTtl: 60 }, { to: 'planner-a2a' }],
    ['never lengthens a home token’s', NOW + 600, { maxTtl: 9999 }, { to: 'planner-a2a' }],
    ['counts from now', NOW + 110, { maxTtl: 60 }, { now: NOW + 50 }],
    ['never outlives the parent', NOW + 600, { maxTtl: 60 }, { now: NOW + 590 }],
    ['never outlives the actor token', NOW + 7, { maxTtl: 60 }, { actorExpiresAt: NOW + 7 }],
  ])('@max_ttl %s', (_, expiresAt, obligations, parts) => {
    expect(granted(bound(obligations), parts)).toMatchObject({
      obligations,
      ceiling: { expiresAt },
    })
  })

  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
    [99, 3],
  ])('@max_depth(%d) leaves %d of three agents', (maxDepth, expected) => {
    expect(granted(bound({ maxDepth })).ceiling.maxDepth).toBe(expected)
  })

  test('@max_depth is what no longer chain gets past', () => {
    const chain = ['planner', 'researcher']
    expect(attenuate(hop(bound({ maxDepth: 1 }), { chain, scope: ['files:read'] }))).toMatchObject({
      guard: 'target_closed_by_rules',
    })
    const answer = by({ 'files:read': bound({ maxDepth: 1 }), 'files:write': READ })
    expect(attenuate(hop(answer, { chain, scope: ['files:read'] }))).toMatchObject({
      reason: 'scope_not_permitted',
      guard: 'rule_depth',
    })
    expect(granted(answer, { chain })).toMatchObject({
      scope: ['files:write'],
      ceiling: { maxDepth: 3 },
    })
  })

  test('@require_key refuses who proves none', () => {
    const answer = by({ 'files:read': bound({ requireKey: 'dpop' }), 'files:write': READ })
    expect(granted(answer).scope).toEqual(['files:read', 'files:write'])
    expect(attenuate(hop(answer, { key: 'none', scope: ['files:read'] }))).toMatchObject({
      reason: 'scope_not_permitted',
      guard: 'rule_key',
    })
    expect(granted(answer, { key: 'none' }).scope).toEqual(['files:write'])
  })

  test('the strictest of each scope granted binds the one token they share', () => {
    const answer = by({
      'files:read': { policies: ['a', 'b'], obligations: { maxTtl: 60, maxDepth: 3 } },
      'files:write': { policies: ['b', 'c'], obligations: { maxTtl: 90, maxDepth: 2 } },
    })
    expect(granted(answer)).toMatchObject({
      policies: ['a', 'b', 'c'],
      obligations: { maxTtl: 60, maxDepth: 2 },
      ceiling: { expiresAt: NOW + 60, maxDepth: 2 },
    })
    expect(granted(answer, { scope: ['files:write'] })).toMatchObject({
      policies: ['b', 'c'],
      ceiling: { expiresAt: NOW + 90, maxDepth: 2 },
    })
  })
})

describe('the engine', () => {
  test('is asked once for each scope the facts leave, in the root’s order', () => {
    const asked: (string | undefined)[] = []
    granted(({ scope }) => {
      asked.push(scope)
      return {}
    })
    expect(asked).toEqual(['files:read', 'files:write'])
  })

  test('is not asked where a guard has refused', () => {
    const never: Answer = () => {
      throw new Error('asked')
    }
    for (const parts of [{ now: NOW + 600 }, { to: 'rogue-a2a' }, { scope: ['unheard:of'] }]) {
      expect(attenuate(hop(never, parts))).toMatchObject({ kind: 'refusal' })
    }
  })

  test('L02 that fails is a fault that goes through, whatever it was asked', () => {
    const fault = new Error('the engine is gone')
    const down: Answer = () => {
      throw fault
    }
    for (const parts of [{}, { scope: ['files:read'] }, { to: 'researcher-a2a' }]) {
      expect(() => attenuate(hop(down, parts))).toThrow(fault)
    }
    // One scope decided is no reason to forget about the other.
    const half: Answer = ({ scope }) => (scope === 'files:read' ? READ : down({} as RuleQuestion))
    expect(() => attenuate(hop(half))).toThrow(fault)
  })
})

test('no answer gives a scope that executes without a human, not even from a root that has it', () => {
  const root = aRoot({ scope: ['files:read', 'pay:transfer'] })
  const pay = { to: 'pay-api', root, parent: aCeiling(root) }
  for (const answer of [READ, bound({ approval: 'execute' }), { policies: ['approved'] }]) {
    expect(attenuate(hop(answer, { ...pay, scope: ['pay:transfer'] }))).toMatchObject({
      reason: 'approval_required',
    })
    expect(attenuate(hop(answer, pay))).toMatchObject({ reason: 'scope_nothing_left' })
  }
})
