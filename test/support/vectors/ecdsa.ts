/** ECDSA over P-256 with SHA-256 where the same key and text always have the same signature (RFC 6979 §3.2). For tests alone. */
import { createECDH, createHash, createHmac } from 'node:crypto'

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** R and S, 32 bytes each. */
export function signP256(secret: Buffer, text: string): Buffer {
  const digest = createHash('sha256').update(text).digest()
  const hash = numberOf(digest)
  for (const nonce of noncesOf(secret, bytesOf(hash % ORDER))) {
    const ecdh = createECDH('prime256v1')
    ecdh.setPrivateKey(bytesOf(nonce))
    // 04, then the coordinates of the point.
    const r = numberOf(ecdh.getPublicKey().subarray(1, 33)) % ORDER
    const s = (inverse(nonce) * (hash + r * numberOf(secret))) % ORDER
    if (r !== 0n && s !== 0n) return Buffer.concat([bytesOf(r), bytesOf(s)])
  }
  throw new Error('no nonce')
}

function* noncesOf(secret: Buffer, hash: Buffer): Generator<bigint> {
  let value = Buffer.alloc(32, 1)
  let key = Buffer.alloc(32, 0)
  const mix = (more: Buffer): void => {
    key = createHmac('sha256', key).update(value).update(more).digest()
    value = createHmac('sha256', key).update(value).digest()
  }
  for (const mark of [0, 1]) mix(Buffer.concat([Buffer.of(mark), secret, hash]))
  for (let tries = 0; tries < 100; tries++) {
    value = createHmac('sha256', key).update(value).digest()
    const nonce = numberOf(value)
    if (nonce > 0n && nonce < ORDER) yield nonce
    mix(Buffer.of(0))
  }
}

/** By Euclid: `value * inverse(value)` is 1. */
function inverse(value: bigint): bigint {
  let [a, b, x, y] = [ORDER, value, 0n, 1n]
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y]
  return ((x % ORDER) + ORDER) % ORDER
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
}
