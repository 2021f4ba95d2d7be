/** Algorithms that platforms sign their own credentials with: one key, one algorithm, one padding. */
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { VerifiedAlgorithm } from '../../keys/algorithm.ts'
import { readVerificationKey, verifySignature } from '../../keys/verification-key.ts'
import type { Jwk } from './public-keys.ts'

const TEXT = 'eyJhbGciOiJQUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9'
const ALL: readonly VerifiedAlgorithm[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
]

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PAIRS: readonly (readonly [VerifiedAlgorithm, Pair])[] = [
  ...(['RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const).map((alg) => [alg, rsa] as const),
  ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['ES512', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
]

const publicJwk = ({ publicKey }: Pair): Jwk => publicKey.export({ format: 'jwk' }) as Jwk

/** By node:crypto, apart from the code under test. */
function signAs(alg: VerifiedAlgorithm, { privateKey }: Pair, saltLength?: number): Buffer {
  const digest = `sha${alg.slice(2)}`
  const padding = alg.startsWith('PS')
    ? {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: saltLength ?? constants.RSA_PSS_SALTLEN_DIGEST,
      }
    : {}
  return sign(digest, Buffer.from(TEXT), { key: privateKey, dsaEncoding: 'ieee-p1363', ...padding })
}

describe.each(PAIRS)('%s', (alg, pair) => {
  const key = readVerificationKey({ ...publicJwk(pair), alg }, ALL)!

  test('is what the key says it is, and verifies its own signature alone', () => {
    expect(key.alg).toBe(alg)
    for (const other of ALL.filter((name) => name.slice(0, 2) === alg.slice(0, 2))) {
      expect(verifySignature(key, TEXT, signAs(other, pair)), other).toBe(other === alg)
    }
    expect(verifySignature(key, `${TEXT}x`, signAs(alg, pair))).toBe(false)
  })

  test('is no key where it is not allowed', () => {
    expect(readVerificationKey({ ...publicJwk(pair), alg }, ['ES256', 'EdDSA', 'RS256'])).toBe(
      undefined,
    )
  })
})

test('a key that names no algorithm has the one of its curve, an RSA key the first allowed', () => {
  const named = PAIRS.map(([, pair]) => readVerificationKey(publicJwk(pair), ALL)?.alg)
  expect(new Set(named)).toEqual(new Set(['RS256', 'ES384', 'ES512']))
})

test('RFC 7518 §3.5: the salt of RSASSA-PSS is as long as the digest', () => {
  const key = readVerificationKey({ ...publicJwk(rsa), alg: 'PS256' }, ALL)!
  for (const length of [0, 20, 64])
    expect(verifySignature(key, TEXT, signAs('PS256', rsa, length))).toBe(false)
})
