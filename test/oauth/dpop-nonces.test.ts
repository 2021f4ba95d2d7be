/** Nonces of proofs: of this tenant, of these minutes, and the same in every process. */
import { describe, expect, test } from 'vitest'
import { createDpopNonces } from '../../server/oauth/dpop-nonces.ts'

const SECRET = 'of this test, and of nothing else'
const nonces = createDpopNonces(SECRET)
/** The first second of a minute. */
const NOW = 1_800_000_000

describe('a nonce', () => {
  test('is of the characters that RFC 9449 §8.1 allows, and is that of the whole minute', () => {
    const nonce = nonces.current('acme', NOW)
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(nonces.current('acme', NOW + 59.9)).toBe(nonce)
  })

  test('tells nothing of the next one, of another tenant or of another secret', () => {
    const others = [
      nonces.current('acme', NOW),
      nonces.current('acme', NOW + 60),
      nonces.current('globex', NOW),
      createDpopNonces('another secret').current('acme', NOW),
    ]
    expect(new Set(others).size).toBe(others.length)
  })

  test('of one process is taken by another that has the secret, whose clock may be behind', () => {
    const there = createDpopNonces(SECRET)
    expect(there.stateOf('acme', nonces.current('acme', NOW), NOW)).toBe('fresh')
    expect(there.stateOf('acme', nonces.current('acme', NOW), NOW - 5)).toBe('fresh')
  })

  test.each([
    [0, 'fresh'],
    [119, 'fresh'],
    [120, 'ending'],
    [299, 'ending'],
    [300, undefined],
    [86_400, undefined],
    [-61, undefined],
  ] as const)('is %i seconds later: %s', (seconds, state) => {
    expect(nonces.stateOf('acme', nonces.current('acme', NOW), NOW + seconds)).toBe(state)
  })

  test.each([
    ['none', undefined],
    ['null', null],
    ['a list with a good one', [nonces.current('acme', NOW)]],
    ['an empty one', ''],
    ['a guess', 'A'.repeat(22)],
    ['a part of a good one', nonces.current('acme', NOW).slice(0, 21)],
    ['a good one and more', `${nonces.current('acme', NOW)} `],
    ['another tenant\u2019s', nonces.current('globex', NOW)],
    ['a long one', 'x'.repeat(8000)],
  ])('is not %s', (_, nonce) => {
    expect(nonces.stateOf('acme', nonce, NOW)).toBeUndefined()
  })
})
