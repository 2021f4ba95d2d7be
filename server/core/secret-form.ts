/**
 * Client secrets have one form, ours: 256 random bits that nobody chose. So one hash of them is as hard to turn back as a slow
 * one, what people choose is never accepted, and scanners of source code find one that was pasted by its prefix.
 */

export const SECRET_PREFIX = 'acs_'
/** 32 octets, base64url: the last character has two bits that are zero. */
const SECRET = /^acs_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

export function isClientSecret(text: string): boolean {
  return SECRET.test(text)
}
