/** Keys and JWTs made by hand: any header, any payload, any signature. Nothing here checks anything. */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto'
import type { Jwk } from './profile.ts'

export type Claims = Readonly<Record<string, unknown>>

/** A JSON object of which nothing is known. */
export type Members = Record<string, ReturnType<typeof JSON.parse>>

export interface SigningKey {
  readonly key: KeyObject
  readonly alg: string
  readonly kid: string | undefined
  /** Public members alone. */
  readonly publicJwk: Jwk
  /** RFC 7638. */
  readonly thumbprint: string
}

export function signingKey(jwk: Jwk): SigningKey {
  const { kty, crv, x, y, n, e, kid } = jwk
  const members: Jwk =
    kty === 'RSA' ? { e, kty, n } : kty === 'OKP' ? { crv, kty, x } : { crv, kty, x, y }
  return {
    key: createPrivateKey({ key: jwk as never, format: 'jwk' }),
    alg: kty === 'RSA' ? 'RS256' : kty === 'OKP' ? 'EdDSA' : 'ES256',
    kid: typeof kid === 'string' ? kid : undefined,
    publicJwk: members,
    thumbprint: createHash('sha256').update(JSON.stringify(members)).digest('base64url'),
  }
}

export function newJwk(kid: string = randomUUID()): Jwk {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
}

export function newKey(kid?: string): SigningKey {
  return signingKey(newJwk(kid))
}

export function newRsaKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return signingKey({ ...privateKey.export({ format: 'jwk' }), kid: randomUUID() })
}

/** JSON of a value, or text and octets as they are, in base64url. */
export function encode(value: unknown): string {
  const data =
    typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value)
  return Buffer.from(data).toString('base64url')
}

/** `header` and `payload` may be raw text. Members that are undefined are left out. */
export function signJwt(key: SigningKey, header: unknown, payload: unknown): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signature(key, input)}`
}

export function signature({ key, alg }: SigningKey, input: string): string {
  const digest = alg === 'EdDSA' ? null : 'sha256'
  return sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

export function payloadOf(token: string): Members {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

export function headerOf(token: string): Members {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
}

/** The same token with one character of its signature changed for good. */
export function tampered(token: string): string {
  const at = token.lastIndexOf('.') + 5
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

/** The same claims, signed by nobody. */
export function unsigned(token: string): string {
  return `${encode({ ...headerOf(token), alg: 'none' })}.${token.split('.')[1]}.`
}

/** The same token under a payload with some members changed and the old signature. */
export function altered(token: string, changes: Claims): string {
  const [header, , proof] = token.split('.')
  return `${header}.${encode({ ...payloadOf(token), ...changes })}.${proof}`
}

/** Another spelling of the same signature: unused bits of its last character are set. */
export function respelt(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.at(-1) ?? 'A')
  return token.slice(0, -1) + alphabet[last ^ 1]
}

export const epoch = (): number => Math.floor(Date.now() / 1000)
