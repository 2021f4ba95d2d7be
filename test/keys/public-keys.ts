/** Public keys for tests, good and bad, as plain members that a test may change. */
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  type SignKeyObjectInput,
  sign,
} from 'node:crypto'
import type { SignatureAlgorithm } from '../../keys/algorithm.ts'
import { generatePrivateJwk } from '../../keys/signer.ts'

export type Jwk = Readonly<Record<string, unknown>>

export const ALGORITHM_NAMES: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

export interface Pair {
  readonly privateKey: KeyObject
  readonly publicJwk: Jwk
  readonly privateJwk: Jwk
}

export function aPair(alg: SignatureAlgorithm): Pair {
  const privateJwk = generatePrivateJwk(alg)
  const { kty, crv, x, y, n, e } = privateJwk
  // Through JSON, as a key arrives: members that are not there are not there.
  const publicJwk = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e }))
  return {
    privateKey: createPrivateKey({ key: privateJwk as JsonWebKey, format: 'jwk' }),
    publicJwk,
    privateJwk,
  }
}

export function publicEc(namedCurve: string): Jwk {
  return generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' }) as Jwk
}

/** An odd number of exactly so many bits in place of a modulus: nobody has to find its primes. */
export function anRsaKey(bits: number, exponent = 'AQAB'): Jwk {
  const modulus = randomBytes(Math.ceil(bits / 8))
  const topBit = (bits - 1) % 8
  modulus[0] = ((modulus[0]! & ((1 << topBit) - 1)) | (1 << topBit)) & 0xff
  modulus[modulus.length - 1]! |= 1
  return { kty: 'RSA', n: modulus.toString('base64url'), e: exponent }
}

/** A modulus as the generator of CVE-2017-15361 makes them: a power of 65537 modulo the product of the first 126 primes. */
export function aRocaKey(): Jwk {
  const primes = Array.from({ length: 700 }, (_, at) => at + 2).filter((number, _, all) =>
    all.every((other) => other >= number || number % other > 0),
  )
  const product = primes.reduce((sum, prime) => sum * BigInt(prime), 1n)
  const power = 65537n ** 7n % product
  const modulus = ((1n << 2047n) / product + 1n) * product + power
  const n = Buffer.from(modulus.toString(16), 'hex').toString('base64url')
  return { kty: 'RSA', n, e: 'AQAB' }
}

/** Every spelling of an Ed25519 point of order 1 to 8 (RFC 8032 §8.8): y, or p + y, and the sign of x. */
export const SMALL_ORDER_KEYS: readonly Jwk[] = [
  `01${'00'.repeat(31)}`,
  `00${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ...['ec', 'ed', 'ee'].map((octet) => `${octet}${'ff'.repeat(30)}7f`),
].flatMap((hex) =>
  [0, 0x80].map((sign) => {
    const octets = Buffer.from(hex, 'hex')
    octets[31]! |= sign
    return { kty: 'OKP', crv: 'Ed25519', x: octets.toString('base64url') }
  }),
)

const DIGESTS = { ES256: 'sha256', EdDSA: null, RS256: 'sha256' } as const

/** A signature by node:crypto, apart from the code under test; `options` replace ours. */
export function signatureBy(
  { privateKey }: Pair,
  alg: SignatureAlgorithm,
  text: string,
  options: Partial<SignKeyObjectInput> & { readonly digest?: string } = {},
): Buffer {
  const { digest = DIGESTS[alg], ...rest } = options
  const input = { key: privateKey, dsaEncoding: 'ieee-p1363', ...rest } as const
  return sign(digest, Buffer.from(text), input)
}
