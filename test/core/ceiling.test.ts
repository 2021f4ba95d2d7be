/** Authority only narrows, whatever is asked for. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Ceiling,
  type CeilingRequest,
  maskWhere,
  narrow,
  openCeiling,
} from '../../server/core/ceiling.ts'
import { aRoot, NOW } from './facts.ts'

const list = (length: number): string[] => Array.from({ length }, (_, at) => `s${at}`)

/** Any root: 1 to 31 entries a list, as the format has them. */
const roots = fc
  .record({
    scopes: fc.integer({ min: 1, max: 31 }),
    places: fc.integer({ min: 1, max: 31 }),
    seconds: fc.integer({ min: 1, max: 28_800 }),
    max_depth: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ scopes, places, seconds, max_depth }) =>
    aRoot({ scope: list(scopes), reach: list(places), exp: NOW + seconds, max_depth }),
  )
/** Any request, past what a caller could bring: masks that overflow, times that never come. */
const mask = fc.oneof(
  fc.integer(),
  fc.nat(),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 32 + 1, -1, 0, 0.5, Number.NaN, Infinity),
)
const requests: fc.Arbitrary<CeilingRequest> = fc.record(
  {
    scope: mask,
    reach: mask,
    expiresAt: fc.oneof(fc.integer({ min: NOW - 100, max: NOW + 50_000 }), fc.constant(Infinity)),
    maxDepth: fc.oneof(fc.integer({ min: -1, max: 20 }), fc.constant(Infinity)),
  },
  { requiredKeys: ['scope', 'reach', 'expiresAt'] },
)

const isWithin = (parent: number, child: number): boolean =>
  child > 0 && Number.isSafeInteger(child) && (child & ~parent) === 0

function expectWithin(parent: Ceiling, child: Ceiling): void {
  expect(isWithin(parent.scope, child.scope)).toBe(true)
  expect(isWithin(parent.reach, child.reach)).toBe(true)
  expect(child.expiresAt).toBeLessThanOrEqual(parent.expiresAt)
  expect(child.maxDepth).toBeLessThanOrEqual(parent.maxDepth)
}

describe('narrowing', () => {
  test('never adds a bit, is never later and never deeper, however often it is done', () => {
    fc.assert(
      fc.property(roots, fc.array(requests, { minLength: 1, maxLength: 10 }), (root, wishes) => {
        const opened = openCeiling(root)
        let parent = opened
        for (const wish of wishes) {
          const child = narrow(parent, wish)
          if (child === undefined) continue
          expectWithin(parent, child)
          expectWithin(opened, child)
          parent = child
        }
      }),
      { numRuns: 500 },
    )
  })

  test('gives what was asked for where the parent has it', () => {
    fc.assert(
      fc.property(roots, requests, (root, wish) => {
        const parent = openCeiling(root)
        const child = narrow(parent, wish)
        const scope = parent.scope & wish.scope
        const reach = parent.reach & wish.reach
        if (scope === 0 || reach === 0) expect(child).toBeUndefined()
        else {
          expect(child).toEqual({
            scope,
            reach,
            expiresAt: Math.min(parent.expiresAt, wish.expiresAt),
            maxDepth: Math.min(parent.maxDepth, wish.maxDepth ?? parent.maxDepth),
          })
        }
      }),
    )
  })

  test.each([
    ['scope', { scope: 0, reach: 1 }],
    ['reach', { scope: 1, reach: 0 }],
    ['scope the parent has', { scope: 8, reach: 1 }],
    ['reach the parent has', { scope: 1, reach: 64 }],
    ['scope that is a number', { scope: Number.NaN, reach: 1 }],
  ])('leaves nothing without %s', (_, wish) => {
    expect(narrow(openCeiling(aRoot()), { ...wish, expiresAt: NOW + 1 })).toBeUndefined()
  })

  test('makes ceilings nobody can change', () => {
    const opened = openCeiling(aRoot())
    const narrowed = narrow(opened, { scope: 1, reach: 1, expiresAt: NOW + 1 })
    expect(Object.isFrozen(opened)).toBe(true)
    expect(Object.isFrozen(narrowed)).toBe(true)
  })
})

describe('opening', () => {
  test('is all of the lists, to the end of the window', () => {
    expect(openCeiling(aRoot())).toEqual({
      scope: 0b111,
      reach: 0b111111,
      expiresAt: NOW + 600,
      maxDepth: 3,
    })
  })

  test('31 entries fill a mask that is still a positive number', () => {
    const { scope, reach } = openCeiling(aRoot({ scope: list(31), reach: list(31) }))
    expect([scope, reach]).toEqual([0x7fffffff, 0x7fffffff])
  })

  test.each([
    [NOW + 60, NOW + 60],
    [NOW + 60.9, NOW + 60],
    [NOW + 600, NOW + 600],
    [NOW + 601, NOW + 600],
    [253_402_300_799, NOW + 600],
  ])('ends by %d at %d', (endsBy, expected) => {
    expect(openCeiling(aRoot(), endsBy).expiresAt).toBe(expected)
  })
})

describe('a mask of a list', () => {
  test('has the bits of what is wanted, in the order of the list', () => {
    expect(maskWhere(['a', 'b', 'c'], (entry) => entry !== 'b')).toBe(0b101)
    expect(maskWhere(['a', 'b'], () => false)).toBe(0)
    expect(maskWhere([], () => true)).toBe(0)
    expect(maskWhere(list(31), (entry) => entry === 's30')).toBe(2 ** 30)
  })
})
