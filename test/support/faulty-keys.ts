/**
 * Public keys that nobody may verify with, each with a signature that a careless reader takes as theirs: made by their own private
 * half, or forged as the fault allows. Nothing here depends on chance.
 */
import { createHash, createPrivateKey, sign } from 'node:crypto'
import secrets from './faulty-keys.json' with { type: 'json' }
import { signEcdsa } from './vectors/ecdsa.ts'
import { base64url, type Signer, signerOf } from './vectors/signer.ts'

type Members = Readonly<Record<string, unknown>>

export interface FaultyKey {
  readonly name: string
  /** Where the fault is written down. */
  readonly reference: string
  /** What the header of a token says. */
  readonly alg: string
  /** The key as it is shown. */
  readonly jwk: Members
  readonly sign: (text: string) => Buffer
}

const [es256, rs256, eddsa] = ['es256', 'rs256', 'eddsa'].map(signerOf) as [Signer, Signer, Signer]

function rsaKeys(): readonly FaultyKey[] {
  const { n = '' } = rs256.bare as Readonly<Record<string, string>>
  const modulus = Buffer.from(n, 'base64url')
  const zeros = (): Buffer => Buffer.alloc(256)
  const rsa = (
    name: string,
    reference: string,
    members: Members,
    signed: (text: string) => Buffer = rs256.sign,
  ): FaultyKey => ({
    name,
    reference,
    alg: 'RS256',
    jwk: { ...rs256.bare, ...members },
    sign: signed,
  })
  const { roca, rsa1024, exponent3 } = secrets
  return [
    rsa(
      'RSA of the generator that makes weak primes',
      'CVE-2017-15361',
      { n: roca.n },
      byRsa(roca),
    ),
    rsa('RSA of 1024 bits', 'RFC 7518 §3.3', { n: rsa1024.n }, byRsa(rsa1024)),
    rsa(
      'RSA with exponent 1, and the padded digest as a signature',
      'RFC 8725 §3.4',
      { e: 'AQ' },
      padded,
    ),
    rsa(
      'RSA with exponent 3, and a cube root as a signature',
      'CVE-2006-4339',
      { n: exponent3.n, e: 'Aw' },
      cubeRoot,
    ),
    rsa('RSA with exponent 3', 'FIPS 186-5 §5.1', { n: exponent3.n, e: 'Aw' }, byRsa(exponent3)),
    rsa('RSA with an even exponent', 'FIPS 186-5 §5.1', { e: 'AQAA' }, zeros),
    rsa('RSA with an exponent of 2048 bits', 'RFC 8725 §3.4', { e: n }, zeros),
    rsa('RSA with an exponent that zeros come before', 'RFC 7518 §2', { e: 'AAEAAQ' }),
    rsa('RSA with a modulus that a zero comes before', 'RFC 7518 §6.3.1.1', {
      n: base64url(Buffer.concat([Buffer.of(0), modulus])),
    }),
    rsa('RSA with a padded modulus', 'RFC 7515 §2', { n: `${n}==` }),
    rsa('RSA with an even modulus', 'RFC 8725 §3.4', { n: `${n.slice(0, -1)}A` }, zeros),
    rsa(
      'RSA with a modulus of 8192 bits',
      'RFC 8725 §3.4',
      { n: base64url(Buffer.alloc(1024, 255)) },
      () => Buffer.alloc(1024),
    ),
    rsa('RSA with its factors', 'RFC 9449 §4.2', { p: roca.p, q: roca.q }),
  ]
}

/** Ed25519 points of order 1, 2, 4 and 8, one of them in a spelling beyond the field. Of any text, (rB, r) is a signature by the first. */
function edwardsKeys(): readonly FaultyKey[] {
  const points: readonly (readonly [string, string])[] = [
    ['order 1', `01${'00'.repeat(31)}`],
    ['order 1, written as p + 1', `ee${'ff'.repeat(30)}7f`],
    ['order 1, with a sign', `01${'00'.repeat(30)}80`],
    ['order 2', `ec${'ff'.repeat(30)}7f`],
    ['order 4', '00'.repeat(32)],
    ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['order 8, the other', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ]
  const { x = '' } = eddsa.bare as Readonly<Record<string, string>>
  const octets = Buffer.from(x, 'base64url')
  const okp = (name: string, members: Members, signed = eddsa.sign): FaultyKey => ({
    name,
    reference: 'RFC 8037 §2',
    alg: 'EdDSA',
    jwk: { ...eddsa.bare, ...members },
    sign: signed,
  })
  return [
    ...points.map(([order, hex]) => ({
      ...okp(`Ed25519 of ${order}`, { x: base64url(Buffer.from(hex, 'hex')) }, universal),
      reference: 'RFC 8032 §8.8',
    })),
    okp('Ed25519 with an octet more', { x: base64url(Buffer.concat([octets, Buffer.of(0)])) }),
    okp('Ed25519 with an octet less', { x: base64url(octets.subarray(1)) }),
    okp('Ed25519, padded', { x: `${x}=` }),
    okp('Ed448', { crv: 'Ed448', x: secrets.ed448.x }, byEd448),
    okp('Ed448 that says Ed25519', { x: secrets.ed448.x }, byEd448),
    okp('X25519', { crv: 'X25519', x: secrets.x25519.x }),
    okp('Ed25519 that says X25519', { crv: 'X25519' }),
  ]
}

function otherKeys(): readonly FaultyKey[] {
  const { x, y, d } = secrets.p384
  const p384 = Buffer.from(d, 'base64url')
  const byP384 = (text: string): Buffer => signEcdsa('ES384', p384, text) ?? Buffer.alloc(0)
  const ec = (
    name: string,
    reference: string,
    members: Members,
    signed = es256.sign,
  ): FaultyKey => ({
    name,
    reference,
    alg: 'ES256',
    jwk: { ...es256.bare, ...members },
    sign: signed,
  })
  const zeroBefore = (text: unknown): string =>
    base64url(Buffer.concat([Buffer.of(0), Buffer.from(String(text), 'base64url')]))
  const point = es256.bare
  return [
    ec('P-384', 'RFC 7518 §3.4', { crv: 'P-384', x, y }, byP384),
    ec('P-384 that says P-256', 'RFC 8725 §3.4', { x, y }, byP384),
    ec('P-256 with zeros before its numbers', 'RFC 7518 §6.2.1.2', {
      x: zeroBefore(point['x']),
      y: zeroBefore(point['y']),
    }),
    ec('P-256 at nothing', 'CVE-2022-21449', {
      x: base64url(Buffer.alloc(32)),
      y: base64url(Buffer.alloc(32)),
    }),
    ec('P-256 off the curve', 'RFC 8725 §3.4', { x: point['y'], y: point['x'] }),
    ec('P-256 for encryption', 'RFC 7517 §4.2', { use: 'enc' }),
    ec('P-256 that may not verify', 'RFC 7517 §4.3', { key_ops: ['deriveBits'] }),
    ec('P-256 for another algorithm', 'RFC 8725 §3.1', { alg: 'ES384' }),
    ec('P-256 with a private half', 'RFC 9449 §4.2', { d: base64url(Buffer.alloc(32, 1)) }),
    ec('P-256 with a secret', 'RFC 9449 §4.2', { k: 'c2VjcmV0' }),
    ec('P-256 of another type', 'RFC 7517 §4.1', { kty: 'OKP' }),
  ]
}

type RsaSecret = typeof secrets.roca

const byRsa =
  (jwk: RsaSecret) =>
  (text: string): Buffer =>
    sign('sha256', Buffer.from(text), createPrivateKey({ key: { ...jwk }, format: 'jwk' }))

const byEd448 = (text: string): Buffer =>
  sign(null, Buffer.from(text), createPrivateKey({ key: { ...secrets.ed448 }, format: 'jwk' }))

/** DigestInfo of SHA-256 (RFC 8017 §9.2). */
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex')

const digestOf = (text: string): Buffer =>
  Buffer.concat([DIGEST_INFO, createHash('sha256').update(text).digest()])

/** What a signature is before it is raised to the private exponent. */
function padded(text: string): Buffer {
  const digest = digestOf(text)
  const fill = Buffer.alloc(256 - 3 - digest.length, 255)
  return Buffer.concat([Buffer.of(0, 1), fill, Buffer.of(0), digest])
}

/** A number whose cube begins as a padded digest does, with little padding and something after it. */
function cubeRoot(text: string): Buffer {
  const start = Buffer.concat([Buffer.of(0, 1), Buffer.alloc(8, 255), Buffer.of(0), digestOf(text)])
  const wanted = BigInt(`0x${start.toString('hex')}`) << BigInt((256 - start.length) * 8)
  let [low, high] = [0n, 1n << 700n]
  while (low < high) {
    const middle = (low + high) / 2n
    if (middle ** 3n < wanted) low = middle + 1n
    else high = middle
  }
  return Buffer.from(low.toString(16).padStart(512, '0'), 'hex')
}

const L = 2n ** 252n + 27742317777372353535851937790883648493n

/** (rB, r), r the secret number of another key: over every text a signature by the point of order 1, by the others over some. */
function universal(): Buffer {
  const seed = Buffer.from(secrets.universal.d, 'base64url')
  const hashed = createHash('sha512').update(seed).digest().subarray(0, 32)
  hashed[0]! &= 248
  hashed[31] = (hashed[31]! & 127) | 64
  const r = BigInt(`0x${hashed.reverse().toString('hex')}`) % L
  const s = Buffer.from(r.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([Buffer.from(secrets.universal.x, 'base64url'), s])
}

export const FAULTY_KEYS: readonly FaultyKey[] = [...rsaKeys(), ...edwardsKeys(), ...otherKeys()]
