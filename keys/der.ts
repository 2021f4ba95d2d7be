/**
 * The frame of what is encoded in DER (X.690 §8.1, §10.1): enough to see whose certificate claims to be whose without reading the
 * rest of it.
 */

const SEQUENCE = 0x30
const INTEGER = 0x02
const VERSION = 0xa0

interface Value {
  readonly tag: number
  /** Where it begins, where its content does, and where both end. */
  readonly start: number
  readonly content: number
  readonly end: number
}

/** Names as DER in base64: chaining compares encodings. */
export interface CertificateFrame {
  readonly issuer: string
  readonly subject: string
}

/** Whether the bytes are one sequence of definite length, and nothing after it. */
export function isWholeDer(bytes: Uint8Array): boolean {
  const value = readValue(bytes, 0)
  return value?.tag === SEQUENCE && value.end === bytes.length
}

/** RFC 5280 §4.1: the names of a certificate. Undefined where it is none; a certificate in all else it need not be. */
export function readFrame(der: Uint8Array): CertificateFrame | undefined {
  const outer = readValue(der, 0)
  if (outer?.tag !== SEQUENCE || outer.end !== der.length) return undefined
  const tbs = readValue(der, outer.content)
  if (tbs?.tag !== SEQUENCE) return undefined
  const first = readValue(der, tbs.content)
  const serial = first?.tag === VERSION ? readValue(der, first.end) : first
  const algorithm = serial?.tag === INTEGER ? readValue(der, serial.end) : undefined
  const issuer = algorithm?.tag === SEQUENCE ? readValue(der, algorithm.end) : undefined
  const validity = issuer?.tag === SEQUENCE ? readValue(der, issuer.end) : undefined
  const subject = validity?.tag === SEQUENCE ? readValue(der, validity.end) : undefined
  if (issuer === undefined || subject?.tag !== SEQUENCE || subject.end > tbs.end) return undefined
  return { issuer: textOf(der, issuer), subject: textOf(der, subject) }
}

/** One value, whole within the bytes, with a definite length of at most four bytes. */
function readValue(bytes: Uint8Array, start: number): Value | undefined {
  const tag = bytes[start]
  const first = bytes[start + 1]
  if (tag === undefined || first === undefined) return undefined
  const count = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || count > 4) return undefined
  const content = start + 2 + count
  const length =
    count === 0
      ? first
      : bytes.subarray(start + 2, content).reduce((sum, byte) => sum * 256 + byte, 0)
  const end = content + length
  return end > bytes.length ? undefined : { tag, start, content, end }
}

function textOf(der: Uint8Array, { start, end }: Value): string {
  return Buffer.from(der.subarray(start, end)).toString('base64')
}
