/** Which public keys are taken, and what a signature by one of them has to be. */
import { constants, createPublicKey } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SignatureAlgorithm } from '../../keys/algorithm.ts'
import {
  readVerificationKey,
  type VerificationKey,
  verifySignature,
} from '../../keys/verification-key.ts'
import {
  ALGORITHM_NAMES,
  anRsaKey,
  aPair,
  aRocaKey,
  type Jwk,
  type Pair,
  publicEc,
  SMALL_ORDER_KEYS,
  signatureBy,
} from './public-keys.ts'

const TEXT = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9'
const PAIRS: Readonly<Record<SignatureAlgorithm, Pair>> = {
  ES256: aPair('ES256'),
  EdDSA: aPair('EdDSA'),
  RS256: aPair('RS256'),
}
const EC = PAIRS.ES256.publicJwk
const OKP = PAIRS.EdDSA.publicJwk
const RSA = PAIRS.RS256.publicJwk

const read = (jwk: Jwk): VerificationKey | undefined => readVerificationKey(jwk, ALGORITHM_NAMES)

describe('keys that are taken', () => {
  test.each<[string, Jwk, SignatureAlgorithm]>([
    ['P-256', EC, 'ES256'],
    ['P-256 for ES256', { ...EC, alg: 'ES256', use: 'sig', kid: 'k1' }, 'ES256'],
    ['Ed25519', OKP, 'EdDSA'],
    ['Ed25519 for EdDSA', { ...OKP, alg: 'EdDSA' }, 'EdDSA'],
    ['Ed25519 by its full name', { ...OKP, alg: 'Ed25519' }, 'EdDSA'],
    ['RSA of 2048 bits', RSA, 'RS256'],
    ['RSA of 4096 bits', anRsaKey(4096), 'RS256'],
    ['RSA for RS256', { ...RSA, alg: 'RS256', use: 'sig' }, 'RS256'],
    ['a key that may verify', { ...EC, key_ops: ['verify'] }, 'ES256'],
    ['members nobody asked for', { ...EC, x5t: 'x', note: { a: 1 } }, 'ES256'],
  ])('%s', (_, jwk, alg) => {
    expect(read(jwk)).toMatchObject({ alg, kid: jwk['kid'] })
  })

  test('what is kept is a public key', () => {
    for (const { publicJwk } of Object.values(PAIRS))
      expect(read(publicJwk)?.key.type).toBe('public')
  })
})

/** The same point but for its sign, and one that is on no curve. */
const offCurve = (): Jwk => {
  const y = Buffer.from(String(EC['y']), 'base64url')
  y[31]! ^= 1
  return { ...EC, y: y.toString('base64url') }
}
const without = (jwk: Jwk, member: string): Jwk =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => name !== member))

describe('keys that are refused', () => {
  test.each<[string, Jwk]>([
    ['a private P-256 key', PAIRS.ES256.privateJwk],
    ['a private Ed25519 key', PAIRS.EdDSA.privateJwk],
    ['a private RSA key', PAIRS.RS256.privateJwk],
    ['an empty private member', { ...EC, d: '' }],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }],
    ['a symmetric member beside a public key', { ...EC, k: 'c2VjcmV0' }],
    ['a key for encryption', { ...EC, use: 'enc' }],
    ['a use of another type', { ...EC, use: ['sig'] }],
    ['a key that may not verify', { ...EC, key_ops: ['encrypt', 'wrapKey'] }],
    ['a key for nothing', { ...EC, key_ops: [] }],
    ['operations that are no list', { ...EC, key_ops: 'verify' }],
    ['P-384', publicEc('P-384')],
    ['P-521', publicEc('P-521')],
    ['secp256k1', publicEc('secp256k1')],
    ['a P-384 point that says P-256', { ...publicEc('P-384'), crv: 'P-256' }],
    ['a P-256 point that says P-384', { ...EC, crv: 'P-384' }],
    ['a curve in lower case', { ...EC, crv: 'p-256' }],
    ['no curve', without(EC, 'crv')],
    ['a point off the curve', offCurve()],
    ['a point of zeros', { ...EC, x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['half a point', without(EC, 'y')],
    ['coordinates that are numbers', { ...EC, x: 1 }],
    ['a short coordinate', { ...EC, x: 'AQ' }],
    ['a coordinate of 2 KB', { ...EC, x: 'A'.repeat(2048) }],
    ['an Ed25519 key of 31 octets', { ...OKP, x: Buffer.alloc(31, 1).toString('base64url') }],
    ['X25519', { kty: 'OKP', crv: 'X25519', x: OKP['x'] }],
    ['Ed448', { kty: 'OKP', crv: 'Ed448', x: Buffer.alloc(57, 1).toString('base64url') }],
    ['RSA of 1024 bits', anRsaKey(1024)],
    ['RSA of 2047 bits', anRsaKey(2047)],
    ['RSA of 4097 bits', anRsaKey(4097)],
    ['RSA of 8192 bits', anRsaKey(8192)],
    ['an RSA exponent of 1', anRsaKey(2048, 'AQ')],
    ['an RSA exponent of 3', anRsaKey(2048, 'Aw')],
    ['an even RSA exponent', anRsaKey(2048, 'AQAA')],
    ['an RSA exponent of 2 KB', anRsaKey(2048, 'A'.repeat(2048))],
    ['an even RSA modulus', { ...RSA, n: `${String(RSA['n']).slice(0, -1)}A` }],
    ['an RSA key of the generator of CVE-2017-15361', aRocaKey()],
    ['no RSA exponent', without(RSA, 'e')],
    ['another algorithm of the same key type', { ...EC, alg: 'ES384' }],
    ['an algorithm of another key type', { ...EC, alg: 'RS256' }],
    ['a MAC over a public key', { ...RSA, alg: 'HS256' }],
    ['PS256', { ...RSA, alg: 'PS256' }],
    ['no algorithm by name', { ...EC, alg: 'none' }],
    ['an algorithm of another type', { ...EC, alg: ['ES256'] }],
    ['a key id that is a number', { ...EC, kid: 1 }],
    ['a key id that is null', { ...EC, kid: null }],
    ['a key type of another spelling', { ...EC, kty: 'ec' }],
    ['no key type', without(EC, 'kty')],
    ['nothing at all', {}],
  ])('%s', (_, jwk) => {
    expect(read(jwk)).toBeUndefined()
  })

  test('Ed25519 points of small order, in either alphabet', () => {
    for (const jwk of SMALL_ORDER_KEYS) {
      const x = String(jwk['x']).replaceAll('-', '+').replaceAll('_', '/')
      for (const spelling of [jwk, { ...jwk, x }, { ...jwk, x: `${x}=` }])
        expect(read(spelling), JSON.stringify(spelling)).toBeUndefined()
    }
  })

  test('a good key for an algorithm that is not allowed here', () => {
    expect(readVerificationKey(EC, ['EdDSA', 'RS256'])).toBeUndefined()
    expect(readVerificationKey(OKP, ['ES256', 'RS256'])).toBeUndefined()
    expect(readVerificationKey(RSA, ['ES256', 'EdDSA'])).toBeUndefined()
    expect(readVerificationKey(EC, [])).toBeUndefined()
  })

  test('members of a prototype are no members', () => {
    const jwk = Object.create({ d: 'x' }) as Record<string, unknown>
    // What is not the key's own does not make it public either: it is refused, not repaired.
    expect(read(Object.assign(jwk, EC))).toBeUndefined()
  })
})

describe.each(ALGORITHM_NAMES)('signatures by %s', (alg) => {
  const pair = PAIRS[alg]
  let key: VerificationKey
  let good: Buffer
  beforeAll(() => {
    const read = readVerificationKey(pair.publicJwk, [alg])
    if (read === undefined) throw new Error('the key is good')
    key = read
    good = signatureBy(pair, alg, TEXT)
  })

  test('a signature over this very text verifies', () => {
    expect(verifySignature(key, TEXT, good)).toBe(true)
  })

  test('another text, of any difference, does not', () => {
    for (const text of ['', `${TEXT}A`, TEXT.slice(1), TEXT.toLowerCase(), `${TEXT}\0`]) {
      expect(verifySignature(key, text, good), text).toBe(false)
    }
  })

  test('nor a signature by another key', () => {
    expect(verifySignature(key, TEXT, signatureBy(aPair(alg), alg, TEXT))).toBe(false)
  })

  test('nor one with any octet changed', () => {
    for (let at = 0; at < good.length; at += 1) {
      const altered = Buffer.from(good)
      altered[at]! ^= 1 << (at % 8)
      expect(verifySignature(key, TEXT, altered), `octet ${at}`).toBe(false)
    }
  })

  test('nor one of another length', () => {
    const zero = Buffer.alloc(1)
    for (const signature of [
      Buffer.alloc(0),
      good.subarray(1),
      good.subarray(0, -1),
      Buffer.concat([good, zero]),
      Buffer.concat([zero, good]),
      Buffer.concat([good, good]),
    ]) {
      expect(verifySignature(key, TEXT, signature), `${signature.length}`).toBe(false)
    }
  })

  test('nor zeros, nor ones', () => {
    for (const octet of [0, 1, 0xff]) {
      expect(verifySignature(key, TEXT, Buffer.alloc(good.length, octet))).toBe(false)
    }
  })
})

describe('other encodings of a signature', () => {
  const es256 = readVerificationKey(EC, ['ES256'])!
  const rs256 = readVerificationKey(RSA, ['RS256'])!

  test('an ES256 signature is two numbers, not DER', () => {
    const der = signatureBy(PAIRS.ES256, 'ES256', TEXT, { dsaEncoding: 'der' })
    expect(verifySignature(es256, TEXT, der)).toBe(false)
  })

  test('an ES256 signature with r or s zero, or the order of the curve, is refused', () => {
    const good = signatureBy(PAIRS.ES256, 'ES256', TEXT)
    const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
    for (const number of [Buffer.alloc(32), Buffer.from(order, 'hex')]) {
      for (const signature of [
        Buffer.concat([number, good.subarray(32)]),
        Buffer.concat([good.subarray(0, 32), number]),
        Buffer.concat([number, number]),
      ]) {
        expect(verifySignature(es256, TEXT, signature)).toBe(false)
      }
    }
  })

  test('an ES256 signature over another digest is refused', () => {
    const signature = signatureBy(PAIRS.ES256, 'ES256', TEXT, { digest: 'sha512' })
    expect(verifySignature(es256, TEXT, signature)).toBe(false)
  })

  test('an RSA signature with another padding or digest is no RS256', () => {
    const { RSA_PKCS1_PSS_PADDING } = constants
    for (const options of [
      { padding: RSA_PKCS1_PSS_PADDING },
      { digest: 'sha512' },
      { digest: 'sha1' },
    ]) {
      const signature = signatureBy(PAIRS.RS256, 'RS256', TEXT, options)
      expect(verifySignature(rs256, TEXT, signature)).toBe(false)
    }
  })

  test('a key taken from its JWK is the key that was made', () => {
    for (const alg of ALGORITHM_NAMES) {
      const made = createPublicKey(PAIRS[alg].privateKey)
      expect(readVerificationKey(PAIRS[alg].publicJwk, [alg])?.key.equals(made)).toBe(true)
    }
  })
})
