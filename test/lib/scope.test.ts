import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addsNothing,
  fullMask,
  isMask,
  maskOf,
  readScope,
  scopeNames,
} from '../../lib/src/scope.ts'

const LIST = Array.from({ length: 31 }, (_, bit) => `s:${bit}`)

test('names and masks are each other’s inverse for every mask of 31 scopes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (mask) => {
      expect(maskOf(LIST, scopeNames(LIST, mask))).toBe(mask)
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

test('a name that is not on the list has no mask', () => {
  expect(maskOf(LIST, ['s:1', 's:31'])).toBeUndefined()
  expect(maskOf(LIST, ['toString'])).toBeUndefined()
  expect(maskOf([...LIST, 's:31'], ['s:31'])).toBeUndefined()
})

test('reads a scope by the grammar of RFC 6749', () => {
  expect(readScope('a b:c')).toEqual(['a', 'b:c'])
  for (const bad of ['', ' ', 'a  b', ' a', 'a ', 'a\tb', 'a"', 'a\\', 'é', 'a a'])
    expect(readScope(bad)).toBeUndefined()
  expect(readScope(`${'x'.repeat(100_000)}"`)).toBeUndefined()
})
