/** ZLIB data (RFC 1950) that is the same whatever library is at hand: stored as it is, or nothing but zeros in a few bytes. */
import { Buffer } from 'node:buffer'

const HEADER = Buffer.of(0x78, 0x01)

/** RFC 1951 §3.2.4: blocks of at most 65,535 bytes, as they are. */
export function stored(bytes: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt16LE(bytes.length, 0)
  size.writeUInt16LE(bytes.length ^ 0xffff, 2)
  return Buffer.concat([HEADER, Buffer.of(1), size, bytes, adler32(bytes)])
}

/**
 * `runs` times 258 zeros, and one before them, in a quarter of a byte each: every match has the code `0`, and so has its distance
 * (RFC 1951 §3.2.7).
 */
export function zeros(runs: number): Buffer {
  const bits: number[] = []
  /** The lowest bit first. */
  const put = (value: number, width: number): void => {
    for (let at = 0; at < width; at++) bits.push(Math.floor(value / 2 ** at) % 2)
  }
  // The last block, with codes of its own: 286 for lengths, 1 for distances, 18 for the lengths of codes.
  put(1, 1)
  put(2, 2)
  put(29, 5)
  put(0, 5)
  put(14, 4)
  // Code lengths come in the order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1: 18, 2 and 1 are used.
  for (const width of [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2]) put(width, 3)
  // Canonical: 18 is `0`, 1 is `10`, 2 is `11`; codes come with their highest bit first.
  const [one, two] = [
    () => [1, 0].forEach((bit) => put(bit, 1)),
    () => [1, 1].forEach((bit) => put(bit, 1)),
  ]
  const none = (count: number): void => {
    put(0, 1)
    put(count - 11, 7)
  }
  // Literal 0 and the end of the block have two bits, length 258 (285) one, and so has the distance.
  two()
  none(138)
  none(117)
  two()
  none(28)
  one()
  one()
  // 285 is `0`; literal 0 is `10`, the end `11`.
  put(1, 1)
  put(0, 1)
  for (let run = 0; run < runs; run++) put(0, 2)
  put(1, 1)
  put(1, 1)
  const packed = Buffer.alloc(Math.ceil(bits.length / 8))
  for (const [at, bit] of bits.entries())
    packed[at >> 3] = (packed[at >> 3] ?? 0) | (bit << (at & 7))
  return Buffer.concat([HEADER, packed, adlerOfZeros(1 + runs * 258)])
}

function adler32(bytes: Buffer): Buffer {
  let [a, b] = [1, 0]
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return checksum(a, b)
}

function adlerOfZeros(count: number): Buffer {
  return checksum(1, count % 65_521)
}

function checksum(a: number, b: number): Buffer {
  const sum = Buffer.alloc(4)
  sum.writeUInt16BE(b, 0)
  sum.writeUInt16BE(a, 2)
  return sum
}
