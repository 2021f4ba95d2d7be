/** ECDSA where the same key and text always have the same signature (RFC 6979 §3.2). For tests alone. */
import { createECDH, createHash, createHmac } from 'node:crypto'

interface Curve {
  readonly name: string
  readonly digest: string
  /** Of a number, and of the digest. */
  readonly bytes: number
  readonly order: bigint
}

const CURVES: Readonly<Record<string, Curve>> = {
  ES256: {
    name: 'prime256v1',
    digest: 'sha256',
    bytes: 32,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  ES384: {
    name: 'secp384r1',
    digest: 'sha384',
    bytes: 48,
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
}

/** R and S side by side; undefined where `alg` is no ECDSA. */
export function signEcdsa(alg: string, secret: Buffer, text: string): Buffer | undefined {
  const curve = CURVES[alg]
  if (curve === undefined) return undefined
  const { name, digest, bytes, order } = curve
  const hash = numberOf(createHash(digest).update(text).digest())
  const ecdh = createECDH(name)
  for (const nonce of noncesOf(curve, secret, bytesOf(hash % order, bytes))) {
    ecdh.setPrivateKey(bytesOf(nonce, bytes))
    // 04, then the coordinates of the point.
    const r = numberOf(ecdh.getPublicKey().subarray(1, 1 + bytes)) % order
    const s = (inverse(nonce, order) * (hash + r * numberOf(secret))) % order
    if (r !== 0n && s !== 0n) return Buffer.concat([bytesOf(r, bytes), bytesOf(s, bytes)])
  }
  throw new Error('no nonce')
}

function* noncesOf(
  { digest, bytes, order }: Curve,
  secret: Buffer,
  hash: Buffer,
): Generator<bigint> {
  let value = Buffer.alloc(bytes, 1)
  let key = Buffer.alloc(bytes, 0)
  const mix = (more: Buffer): void => {
    key = createHmac(digest, key).update(value).update(more).digest()
    value = createHmac(digest, key).update(value).digest()
  }
  for (const mark of [0, 1]) mix(Buffer.concat([Buffer.of(mark), secret, hash]))
  for (let tries = 0; tries < 100; tries++) {
    value = createHmac(digest, key).update(value).digest()
    const nonce = numberOf(value)
    if (nonce > 0n && nonce < order) yield nonce
    mix(Buffer.of(0))
  }
}

/** By Euclid: `value * inverse(value)` is 1. */
function inverse(value: bigint, order: bigint): bigint {
  let [a, b, x, y] = [order, value, 0n, 1n]
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y]
  return ((x % order) + order) % order
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function bytesOf(value: bigint, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
}
