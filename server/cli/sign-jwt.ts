/** Compact JWS by a P-256 key (RFC 7515 §7.1, ES256 of RFC 7518 §3.4). */
import { createPrivateKey, sign } from 'node:crypto'
import type { DevelopmentKey } from '../development-keys.ts'

export type SigningKey = Pick<DevelopmentKey, 'kty' | 'crv' | 'x' | 'y' | 'd' | 'alg'>

type JsonMembers = Readonly<Record<string, unknown>>

/** A signed JWT; `alg` is put into the header here. */
export function signJwt(key: SigningKey, header: JsonMembers, claims: JsonMembers): string {
  const input = `${part({ alg: key.alg, ...header })}.${part(claims)}`
  const { kty, crv, x, y, d } = key
  const privateKey = createPrivateKey({ key: { kty, crv, x, y, d }, format: 'jwk' })
  // RFC 7518 §3.4: the signature is R and S, not DER.
  const signature = sign('sha256', Buffer.from(input), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${input}.${signature.toString('base64url')}`
}

function part(members: JsonMembers): string {
  return Buffer.from(JSON.stringify(members)).toString('base64url')
}
