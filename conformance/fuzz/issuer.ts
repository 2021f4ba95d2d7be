/**
 * The signing oracle: it holds the keys of the issuer whose tokens are fuzzed, of a stranger who uses the same `kid`, and of the
 * agents. What it signs is broken behind the signature, where a forger's inputs never come.
 */
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface FuzzKey {
  readonly kid: string
  readonly alg: 'ES256' | 'EdDSA' | 'RS256'
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Public members in the order of RFC 7638 §3.2. */
  readonly jwk: Readonly<Record<string, string>>
  readonly thumbprint: string
}

type PrivateJwk = Readonly<Record<string, string>> & Pick<FuzzKey, 'kid' | 'alg'>

const NAMES = ['es256', 'eddsa', 'rs256', 'stranger', 'agent', 'other_agent'] as const
type KeyName = (typeof NAMES)[number]

const file = JSON.parse(readFileSync(join(import.meta.dirname, 'keys.json'), 'utf8')) as Readonly<
  Record<KeyName, PrivateJwk>
>

function readKey(jwk: PrivateJwk): FuzzKey {
  const { kid, alg, kty, crv, x, y, n, e } = jwk
  const members = { ES256: { crv, kty, x, y }, EdDSA: { crv, kty, x }, RS256: { e, kty, n } }[alg]
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  return {
    kid,
    alg,
    privateKey,
    publicKey: createPublicKey(privateKey),
    jwk: members as Readonly<Record<string, string>>,
    thumbprint: createHash('sha256').update(JSON.stringify(members)).digest('base64url'),
  }
}

export const KEYS = Object.fromEntries(
  NAMES.map((name) => [name, readKey(file[name])]),
) as Readonly<Record<KeyName, FuzzKey>>

/** What the issuer publishes. */
export const JWKS = {
  keys: [KEYS.es256, KEYS.eddsa, KEYS.rs256].map(({ kid, alg, jwk }) => ({ kid, alg, ...jwk })),
}

/** Text, or octets that need not be UTF-8. */
export type Raw = string | Uint8Array

export function encode(data: Raw): string {
  return Buffer.from(data as string).toString('base64url')
}

/** A compact JWS over header and payload exactly as written. */
export function signRaw(key: FuzzKey, header: Raw, payload: Raw): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signatureOf(key, input)}`
}

export function signatureOf({ alg, privateKey }: FuzzKey, input: string): string {
  const digest = alg === 'EdDSA' ? null : 'sha256'
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return sign(digest, Buffer.from(input), key).toString('base64url')
}

/** The oldest trick: a MAC whose secret is the issuer's public key. */
export function macOf(text: string, input: string): string {
  return createHmac('sha256', text).update(input).digest('base64url')
}

/** base64url SHA-256, such as `ath` is. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
