/**
 * base64url without padding (RFC 7515 §2), in its one canonical spelling: no other character, and no non-zero
 * bit after the last byte. Two spellings of one token would dodge `ath`, caches and deny lists.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = new Int8Array(128).fill(-1)
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value

/** Bytes of `text` from `start` to `end` (exclusive), or undefined when it is not canonical. */
export function decodeBase64url(
  text: string,
  start: number = 0,
  end: number = text.length,
): Uint8Array<ArrayBuffer> | undefined {
  const length = end - start
  if (length % 4 === 1) return undefined
  const bytes = new Uint8Array((length * 3) >> 2)
  let pending = 0
  let bits = 0
  let filled = 0
  for (let at = start; at < end; at++) {
    // A code above 127 reads undefined, which is no value either.
    const value = VALUES[text.charCodeAt(at)] ?? -1
    if (value < 0) return undefined
    pending = (pending << 6) | value
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[filled++] = pending >> bits
      pending &= (1 << bits) - 1
    }
  }
  return pending === 0 ? bytes : undefined
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
