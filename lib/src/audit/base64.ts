/** Standard base64 with padding (RFC 4648 §4), in its one canonical spelling: two texts never stand for the same octets. */
import { decodeBase64url } from '../base64url.ts'

const FORM = /^[A-Za-z0-9+/]*={0,2}$/

/** Undefined for anything but the canonical spelling: white space, missing padding, bits after the last octet. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0 || !FORM.test(text)) return undefined
  return decodeBase64url(text.replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_'))
}

/** For keys, hashes and signatures: not more than some thousand octets. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}
