/** Of several permits that hold, the strictest of each obligation; and which tiers an approval is for. */
import { describe, expect, test } from 'vitest'
import { needsApproval, type Obligations, stated, strictest } from '../../server/core/rules.ts'

describe('the strictest of two', () => {
  test.each<[string, Obligations, Obligations, Obligations]>([
    ['nothing and nothing', {}, {}, {}],
    ['the shorter life', { maxTtl: 60 }, { maxTtl: 30 }, { maxTtl: 30 }],
    ['the shallower chain', { maxDepth: 1 }, { maxDepth: 2 }, { maxDepth: 1 }],
    ['a key over none', { requireKey: 'dpop' }, {}, { requireKey: 'dpop' }],
    ['some key over none', {}, { requireKey: 'bound' }, { requireKey: 'bound' }],
    [
      'a key by DPoP over some key',
      { requireKey: 'bound' },
      { requireKey: 'dpop' },
      { requireKey: 'dpop' },
    ],
    [
      'the same, the other way',
      { requireKey: 'dpop' },
      { requireKey: 'bound' },
      { requireKey: 'dpop' },
    ],
    [
      'the approval that more tiers need',
      { approval: 'execute' },
      { approval: 'propose' },
      { approval: 'propose' },
    ],
    [
      'the lowest tier there is',
      { approval: 'read' },
      { approval: 'execute' },
      { approval: 'read' },
    ],
    ['the same', { approval: 'propose' }, { approval: 'propose' }, { approval: 'propose' }],
    [
      'each member by itself',
      { maxTtl: 60, maxDepth: 1, approval: 'execute' },
      { maxTtl: 30, maxDepth: 2, requireKey: 'dpop' },
      { maxTtl: 30, maxDepth: 1, requireKey: 'dpop', approval: 'execute' },
    ],
  ])('is %s, whichever comes first', (_, a, b, expected) => {
    // To the member: one that binds nothing is absent.
    expect(strictest(a, b)).toStrictEqual(expected)
    expect(strictest(b, a)).toEqual(expected)
    expect(strictest(expected, a)).toEqual(expected)
    expect(strictest(expected, b)).toEqual(expected)
  })
})

test.each([
  ['read', 'read', true],
  ['read', 'propose', false],
  ['read', 'execute', false],
  ['propose', 'read', true],
  ['propose', 'propose', true],
  ['propose', 'execute', false],
  ['execute', 'read', true],
  ['execute', 'propose', true],
  ['execute', 'execute', true],
] as const)('a %s scope under @approval("%s") needs a human: %s', (tier, threshold, expected) => {
  expect(needsApproval(tier, threshold)).toBe(expected)
})

test.each<[Obligations, object]>([
  [{}, {}],
  [{ maxTtl: 60 }, { max_ttl: 60 }],
  [{ maxDepth: 2 }, { max_depth: 2 }],
  [{ requireKey: 'bound' }, { require_key: 'bound' }],
  [{ approval: 'read' }, { approval: 'read' }],
  [
    { maxTtl: 60, maxDepth: 2, requireKey: 'dpop', approval: 'propose' },
    { max_ttl: 60, max_depth: 2, require_key: 'dpop', approval: 'propose' },
  ],
])('%j is stated as %j', (obligations, expected) => {
  expect(stated(obligations)).toStrictEqual(expected)
})
