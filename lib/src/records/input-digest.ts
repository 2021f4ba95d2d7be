/** Digests of what a tool was called with: they show later that it was this input, and tell nobody what it was. */
import { decodeBase64url, encodeBase64url } from '../base64url.ts'
import { digestOf } from '../public-key.ts'

/** Octets: without them a short input could be guessed from its digest. */
const SALT_LENGTH = 16
export const INPUT_DIGEST: RegExp = /^sha-256:[A-Za-z0-9_-]{43}$/

export interface InputDigest {
  /** `sha-256:{base64url}` over the salt's octets and then the input's: for the record. */
  readonly digest: string
  /** Base64url: to be kept with the input, by whoever has to show it. */
  readonly salt: string
}

/**
 * Of text as UTF-8, or of bytes. The salt is new and random unless one is given, of 16 octets or more: to show that an input is
 * the one on record. Throws TypeError for another salt.
 */
export async function digestInput(
  input: string | Uint8Array,
  salt: string = encodeBase64url(crypto.getRandomValues(new Uint8Array(SALT_LENGTH))),
): Promise<InputDigest> {
  const salted = decodeBase64url(salt)
  if (salted === undefined || salted.length < SALT_LENGTH) throw new TypeError('bad salt')
  const octets = typeof input === 'string' ? new TextEncoder().encode(input) : input
  const bytes = new Uint8Array(salted.length + octets.length)
  bytes.set(salted)
  bytes.set(octets, salted.length)
  return Object.freeze({ digest: `sha-256:${await digestOf(bytes)}`, salt })
}
