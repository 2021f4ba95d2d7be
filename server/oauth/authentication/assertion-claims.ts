/** Claims that every client assertion has to have, whoever issued it, and what tells one from another. No cryptography. */
import { hash } from 'node:crypto'
import type { JsonObject } from '../../../lib/src/strict-json.ts'
import { readNumericDate, type UnverifiedJws } from '../verified-jwt.ts'

/** Seconds a foreign clock may differ. */
export const CLOCK_SKEW = 5

/** RFC 7523bis §3: our identifier is the only audience, as a string or as an array of that one. */
export function isSoleAudience(aud: unknown, issuer: string): boolean {
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return audiences.length === 1 && audiences[0] === issuer
}

/**
 * When the assertion has certainly expired, in seconds since the epoch, or the guard that fails. A function of the signed text,
 * so that copies of one text are claimed until the same moment.
 * @param maxLifetime seconds it may still live
 */
export function readTimes(
  payload: JsonObject,
  { now, maxLifetime }: { readonly now: number; readonly maxLifetime: number },
): number | string {
  const exp = readNumericDate(payload['exp'])
  if (exp === undefined || exp > now + maxLifetime + CLOCK_SKEW) return 'assertion_expiry'
  if (exp <= now - CLOCK_SKEW) return 'assertion_expired'
  for (const time of [payload['iat'], payload['nbf']]) {
    if (time === undefined) continue
    const seconds = readNumericDate(time)
    if (seconds === undefined || seconds > now + CLOCK_SKEW) return 'assertion_not_yet_valid'
  }
  return Math.ceil(exp) + CLOCK_SKEW
}

/**
 * What tells a platform's assertion from its others. Without a `jti`: what was signed, and the part of the signature that nobody but its
 * issuer can make anew. Of an elliptic curve signature that is the first half, for (r, s) and (r, n - s) both verify. Two that were
 * issued in one second to two instances of a workload are then two.
 */
export function nameOf({ header, payload, signingInput, signature }: UnverifiedJws): string {
  const { jti } = payload
  if (typeof jti === 'string' && jti !== '') return `jti:${jti}`
  const isCurve = header.alg.startsWith('E')
  const own = isCurve ? signature.subarray(0, signature.length / 2) : signature
  const text = `${signingInput}.${Buffer.from(own).toString('base64url')}`
  return `sha256:${hash('sha256', text, 'base64url')}`
}
