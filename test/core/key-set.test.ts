import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { findSigningKeys } from '../../server/core/key-set.ts'

function aKey(kid: string): Record<string, unknown> {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...publicKey.export({ format: 'jwk' }), kid }
}

describe('K02: a key set that no honest issuer publishes', () => {
  const good = aKey('good')
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  test.each([
    ['empty', { keys: [] }],
    ['no keys member', { jwks: [good] }],
    ['a list', [good]],
    ['null', null],
    [
      '10 000 keys',
      { keys: Array.from({ length: 10_000 }, (_, n) => ({ ...good, kid: `k${n}` })) },
    ],
    ['65 keys', { keys: Array.from({ length: 65 }, (_, n) => ({ ...good, kid: `k${n}` })) }],
    ['a key id twice', { keys: [good, aKey('good')] }],
    ['a private key among them', { keys: [good, pair.privateKey.export({ format: 'jwk' })] }],
    ['an RSA prime', { keys: [good, { kty: 'RSA', n: 'AQ', e: 'AQAB', p: 'AQ' }] }],
    ['a symmetric key', { keys: [good, { kty: 'oct', k: 'c2VjcmV0' }] }],
    ['a symmetric key without its value', { keys: [good, { kty: 'oct' }] }],
    ['an encryption key', { keys: [good, { ...aKey('e'), use: 'enc' }] }],
    ['a key id that is no string', { keys: [good, { ...aKey('n'), kid: 7 }] }],
    ['a key that is no object', { keys: [good, 'key'] }],
    ['only keys of a kind not understood', { keys: [{ kty: 'AKP', kid: 'pq' }] }],
    ['only a weak key', { keys: [{ ...weak.export({ format: 'jwk' }), kid: 'weak' }] }],
    ['keys inherited through __proto__', JSON.parse('{"__proto__": {"keys": [{"kty": "EC"}]}}')],
  ])('%s is refused', (_, set) => {
    expect(findSigningKeys(set)).toBeUndefined()
  })

  test('keys not understood are left out (RFC 7517 section 5), and members not known are dropped', () => {
    const set = {
      keys: [
        { kty: 'AKP', kid: 'pq' },
        { ...good, x5u: 'https://elsewhere.example' },
      ],
    }
    expect(findSigningKeys(set)).toEqual([good])
  })
})
