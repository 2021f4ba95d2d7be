import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addsNothing, fullMask, isMask, readScope, scopeNames } from '../../lib/src/scope.ts'

const LIST = Array.from({ length: 31 }, (_, bit) => `s:${bit}`)

test('a mask names exactly the entries of its bits, in list order, for every mask of 31 scopes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (mask) => {
      const names = scopeNames(LIST, mask)
      const bits = names.map((name) => LIST.indexOf(name))
      expect(bits).toEqual(bits.toSorted((one, other) => one - other))
      expect(bits.reduce((sum, bit) => sum + 2 ** bit, 0)).toBe(mask)
    }),
  )
})

test('a child adds nothing exactly when its names are a subset', () => {
  const mask = fc.integer({ min: 1, max: 2 ** 31 - 1 })
  fc.assert(
    fc.property(mask, mask, (parent, child) => {
      const names = new Set(scopeNames(LIST, parent))
      const subset = scopeNames(LIST, child).every((name) => names.has(name))
      expect(addsNothing(parent, child)).toBe(subset)
    }),
  )
})

test('a mask is a number within the list before it is any bits', () => {
  for (const bad of [0, -1, 1.5, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.NaN, '1', undefined, null])
    expect(isMask(bad, 31)).toBe(false)
  expect(isMask(fullMask(LIST), 31)).toBe(true)
  expect(isMask(8, 3)).toBe(false)
})

test('reads a scope by the grammar of RFC 6749', () => {
  expect(readScope('a b:c')).toEqual(['a', 'b:c'])
  for (const bad of ['', ' ', 'a  b', ' a', 'a ', 'a\tb', 'a"', 'a\\', 'é', 'a a'])
    expect(readScope(bad)).toBeUndefined()
  expect(readScope(`${'x'.repeat(100_000)}"`)).toBeUndefined()
})
