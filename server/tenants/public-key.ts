/**
 * A public key as an identity team writes it (RFC 7517, RFC 7518 §6): P-256, Ed25519, or RSA of 2048 bits and more.
 * Says what is wrong with a key without ever repeating any of it: a private key pasted by mistake stays unseen.
 */
import { createPublicKey, type webcrypto } from 'node:crypto'
import type { PublicJwk } from '../core/tenant.ts'
import { isOnP256 } from './p-256.ts'

export type KeyResult =
  | { readonly kind: 'key'; readonly key: PublicJwk }
  | { readonly kind: 'refused'; readonly text: string }

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1: members only a private or symmetric key has. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const KEPT_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg', 'key_ops']
const LEAST_RSA_BITS = 2048
const MOST_RSA_BITS = 8192

interface KeyKind {
  readonly curve: string | undefined
  readonly alg: string
  readonly material: readonly string[]
}

const KINDS: ReadonlyMap<unknown, KeyKind> = new Map([
  ['EC', { curve: 'P-256', alg: 'ES256', material: ['x', 'y'] }],
  ['OKP', { curve: 'Ed25519', alg: 'EdDSA', material: ['x'] }],
  ['RSA', { curve: undefined, alg: 'RS256', material: ['n', 'e'] }],
])

/** The key with its public members only, or a sentence that says what is wrong. */
export function parsePublicKey(jwk: Readonly<Record<string, unknown>>): KeyResult {
  const text = findFault(jwk)
  if (text !== undefined) return { kind: 'refused', text }
  const kept = KEPT_MEMBERS.filter((member) => Object.hasOwn(jwk, member))
  return { kind: 'key', key: Object.fromEntries(kept.map((member) => [member, jwk[member]])) }
}

export function hasPrivateMember(jwk: Readonly<Record<string, unknown>>): boolean {
  return PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))
}

function findFault(jwk: Readonly<Record<string, unknown>>): string | undefined {
  if (hasPrivateMember(jwk)) {
    return 'private or symmetric key: only public keys belong here; treat this one as disclosed'
  }
  const kind = KINDS.get(jwk['kty'])
  if (kind === undefined) return 'key type must be "EC", "OKP" or "RSA"'
  if (kind.curve !== undefined && jwk['crv'] !== kind.curve) return `curve must be "${kind.curve}"`
  return findUseFault(jwk, kind) ?? findMaterialFault(jwk, kind)
}

function findUseFault(jwk: Readonly<Record<string, unknown>>, kind: KeyKind): string | undefined {
  const { use, alg, key_ops: operations, kid } = jwk
  if (use !== undefined && use !== 'sig') return '"use" must be "sig"'
  if (alg !== undefined && alg !== kind.alg) return `"alg" of such a key must be "${kind.alg}"`
  if (operations !== undefined && JSON.stringify(operations) !== '["verify"]') {
    return '"key_ops" must be ["verify"]'
  }
  if (kid !== undefined && (typeof kid !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(kid))) {
    return '"kid" must be 1 to 256 printable ASCII characters'
  }
  return undefined
}

function findMaterialFault(
  jwk: Readonly<Record<string, unknown>>,
  kind: KeyKind,
): string | undefined {
  for (const member of kind.material) {
    if (!isCanonicalBase64url(jwk[member])) return `"${member}" must be base64url without padding`
  }
  // RFC 8017 allows others; small or even exponents are how weak keys look.
  if (kind.alg === 'RS256' && jwk['e'] !== 'AQAB') return 'the RSA exponent must be 65537'
  if (kind.alg === 'ES256') {
    return isOnP256(octetsOf(jwk['x']), octetsOf(jwk['y'])) ? undefined : 'not a valid public key'
  }
  try {
    // Imports the point or modulus.
    const key = createPublicKey({ key: jwk as webcrypto.JsonWebKey, format: 'jwk' })
    const bits = key.asymmetricKeyDetails?.modulusLength
    if (bits !== undefined && (bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS)) {
      return `an RSA key must have ${LEAST_RSA_BITS} to ${MOST_RSA_BITS} bits`
    }
  } catch {
    return 'not a valid public key'
  }
  return undefined
}

function isCanonicalBase64url(value: unknown): boolean {
  if (typeof value !== 'string' || value.length === 0 || value.length > 1400) return false
  return octetsOf(value).toString('base64url') === value
}

function octetsOf(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : '', 'base64url')
}
