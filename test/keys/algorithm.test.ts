/** The table of algorithms, and the names it answers to. */
import { describe, expect, test } from 'vitest'
import { ALGORITHMS, algorithmNamed } from '../../keys/algorithm.ts'

describe('algorithms', () => {
  test('three of everybody, seven more of platforms, all asymmetric', () => {
    const [everybody, platforms] = [
      ['ES256', 'EdDSA', 'RS256'],
      ['ES384', 'ES512', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    ]
    expect(Object.keys(ALGORITHMS)).toEqual([...everybody, ...platforms])
  })

  test.each([
    ['ES256', 'ES256'],
    ['EdDSA', 'EdDSA'],
    ['Ed25519', 'EdDSA'],
    ['RS256', 'RS256'],
    ['ES384', 'ES384'],
    ['PS512', 'PS512'],
  ])('%s is %s', (name, alg) => {
    expect(algorithmNamed(name)).toBe(alg)
  })

  test.each([
    'none',
    'None',
    '',
    'HS256',
    'es256',
    'ES256 ',
    'ES256\0',
    'ES256K',
    'PS255',
    'RS1',
    'Ed448',
    'toString',
    'constructor',
    '__proto__',
    undefined,
    null,
    0,
    ['ES256'],
    { toString: () => 'ES256' },
  ])('%j is no algorithm', (name) => {
    expect(algorithmNamed(name)).toBeUndefined()
  })
})
