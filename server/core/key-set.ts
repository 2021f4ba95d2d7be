/**
 * A fetched JWK Set (RFC 7517 §5), read into public signing keys. A set with anything in it that no honest issuer
 * publishes is refused whole: what else is wrong with it cannot be known (attack case K02).
 */

import type { PublicJwk } from './tenant.ts'

const MOST_KEYS = 64
const LONGEST_MEMBER = 2048
/** RFC 7518 §6.2.2, §6.3.2, §6.4.1. */
export const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const KEPT_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg']
export type Material = ReadonlyMap<string, readonly string[]>
const MATERIAL: Material = new Map([
  ['EC P-256', ['x', 'y']],
  ['OKP Ed25519', ['x']],
  ['RSA', ['n', 'e']],
])
/** 2048 bits as base64url; a shorter modulus is a key too weak to believe. */
const LEAST_MODULUS = 342

/** The usable keys; undefined where the set is refused or has none. */
export function findSigningKeys(set: unknown): readonly PublicJwk[] | undefined {
  if (!isRecord(set) || !Object.hasOwn(set, 'keys')) return undefined
  const stated = set['keys']
  if (!Array.isArray(stated) || stated.length > MOST_KEYS) return undefined
  const keys: PublicJwk[] = []
  const kids = new Set<string>()
  for (const jwk of stated as readonly unknown[]) {
    if (!isRecord(jwk) || isRefused(jwk)) return undefined
    const kid = jwk['kid']
    if (typeof kid === 'string') {
      if (kids.has(kid)) return undefined
      kids.add(kid)
    }
    if (isUsableKey(jwk)) keys.push(publicMembers(jwk))
  }
  return keys.length === 0 ? undefined : keys
}

function isRefused(jwk: PublicJwk): boolean {
  return (
    PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member)) ||
    jwk['kty'] === 'oct' ||
    typeof jwk['kty'] !== 'string' ||
    (jwk['use'] !== undefined && jwk['use'] !== 'sig') ||
    (jwk['kid'] !== undefined && typeof jwk['kid'] !== 'string')
  )
}

/**
 * RFC 7517 §5: keys of a type or size that is not understood are left out, not a fault of the set.
 * @param kinds of key that are understood, and the members each has
 */
export function isUsableKey(jwk: PublicJwk, kinds = MATERIAL): boolean {
  const kind = jwk['kty'] === 'RSA' ? 'RSA' : `${String(jwk['kty'])} ${String(jwk['crv'])}`
  const material = kinds.get(kind)
  if (material === undefined) return false
  if (!material.every((member) => isMaterial(jwk[member]))) return false
  return kind !== 'RSA' || (String(jwk['n']).length >= LEAST_MODULUS && jwk['e'] === 'AQAB')
}

function isMaterial(value: unknown): boolean {
  return (
    typeof value === 'string' && value.length <= LONGEST_MEMBER && /^[A-Za-z0-9_-]+$/.test(value)
  )
}

/** Its public members alone, those that tell what the key is. */
export function publicMembers(jwk: PublicJwk): PublicJwk {
  const kept = KEPT_MEMBERS.filter((member) => Object.hasOwn(jwk, member))
  return Object.fromEntries(kept.map((member) => [member, jwk[member]]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
