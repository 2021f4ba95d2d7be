/**
 * base64url without padding (RFC 7515 §2), in its one canonical spelling: no other character, and no non-zero
 * bit after the last byte. Two spellings of one token would dodge `ath`, caches and deny lists.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Has a bit that no value has, so it shows in the OR of all values read. */
const NO_VALUE = 64
const VALUES = new Uint8Array(256).fill(NO_VALUE)
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value

/** Bytes of `text` from `start` to `end` (exclusive), or undefined when it is not canonical. */
export function decodeBase64url(
  text: string,
  start: number = 0,
  end: number = text.length,
): Uint8Array<ArrayBuffer> | undefined {
  const tail = (end - start) % 4
  if (tail === 1) return undefined
  const bytes = new Uint8Array(((end - start) * 3) >> 2)
  let refused = 0
  let filled = 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    const a = valueAt(text, at)
    const b = valueAt(text, at + 1)
    const c = valueAt(text, at + 2)
    const d = valueAt(text, at + 3)
    refused |= a | b | c | d
    bytes[filled++] = (a << 2) | (b >> 4)
    bytes[filled++] = (b << 4) | (c >> 2)
    bytes[filled++] = (c << 6) | d
  }
  if (tail > 0) {
    const a = valueAt(text, at)
    const b = valueAt(text, at + 1)
    const c = tail === 3 ? valueAt(text, at + 2) : 0
    // Bits after the last byte are zero in the canonical spelling.
    const spare = tail === 3 ? c & 0x03 : b & 0x0f
    refused |= a | b | c | (spare === 0 ? 0 : NO_VALUE)
    bytes[filled++] = (a << 2) | (b >> 4)
    if (tail === 3) bytes[filled] = (b << 4) | (c >> 2)
  }
  return refused < NO_VALUE ? bytes : undefined
}

function valueAt(text: string, at: number): number {
  return VALUES[text.charCodeAt(at)] ?? NO_VALUE
}

export function encodeBase64url(bytes: Uint8Array): string {
  let text = ''
  let pending = 0
  let bits = 0
  for (const byte of bytes) {
    pending = (pending << 8) | byte
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += ALPHABET[(pending >> bits) & 63]
    }
    pending &= (1 << bits) - 1
  }
  return bits > 0 ? text + ALPHABET[(pending << (6 - bits)) & 63] : text
}
