/**
 * Whether two coordinates are a point of the curve P-256 (SP 800-186 §3.2.1.3). Importing a key tells the same and takes ten
 * times as long, which a tenant of ten thousand agents feels. Public values only, so time does not matter.
 */

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
/** Octets of a coordinate, leading zeros kept (RFC 7518 §6.2.1.2). */
const LENGTH = 32

/** The cofactor is 1 and the point at infinity has no coordinates, so a point of the curve is a public key. */
export function isOnP256(x: Buffer, y: Buffer): boolean {
  if (x.length !== LENGTH || y.length !== LENGTH) return false
  const [a, b] = [readNumber(x), readNumber(y)]
  return a < P && b < P && (b * b - (a * a - 3n) * a - B) % P === 0n
}

function readNumber(octets: Buffer): bigint {
  return BigInt(`0x${octets.toString('hex')}`)
}
