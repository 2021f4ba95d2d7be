/**
 * base64url without padding (RFC 7515 §2), in its one canonical spelling: no other character, and no non-zero
 * bit after the last byte. Two spellings of one token would dodge `ath`, caches and deny lists.
 */

/** What the last character may be, by how many are left of a group of four: all zero is what lies after the last byte (RFC 4648 §3.5). */
const ENDS = ['', '', 'AQgw', 'AEIMQUYcgkosw048']

/** The runtime's own decoder (ES2026), where there is one: several times faster than any loop. */
type Decode = (text: string, options: { readonly alphabet: 'base64url' }) => Uint8Array<ArrayBuffer>
const URL_ALPHABET = { alphabet: 'base64url' } as const
const DECODE: Decode = (Uint8Array as { readonly fromBase64?: Decode }).fromBase64 ?? decodeByAtob

/** Bytes of `text` from `start` to `end` (exclusive), or undefined when it is not canonical. */
export function decodeBase64url(
  text: string,
  start?: number,
  end?: number,
): Uint8Array<ArrayBuffer> | undefined {
  const part = text.slice(start, end)
  const rest = part.length % 4
  if (rest > 0 && !ENDS[rest]?.includes(part.slice(-1))) return undefined
  let bytes: Uint8Array<ArrayBuffer> | undefined
  try {
    bytes = DECODE.call(Uint8Array, part, URL_ALPHABET)
  } catch {
    // Another alphabet's.
  }
  // Decoders skip white space and take padding: either leaves fewer bytes than the length promises.
  return bytes?.length === (part.length * 3) >> 2 ? bytes : undefined
}

/** For a runtime without a decoder of its own: nothing, where a character is of another alphabet. */
export function decodeByAtob(text: string): Uint8Array<ArrayBuffer> {
  const octets = /[+/]/.test(text) ? '' : atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = new Uint8Array(octets.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = octets.charCodeAt(at)
  return bytes
}

export function encodeBase64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
