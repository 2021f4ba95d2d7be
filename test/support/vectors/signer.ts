/** The published test keys, and signatures that come out the same each time. */
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Claims } from '../chain-token.ts'
import { signEcdsa } from './ecdsa.ts'

export interface Signer {
  readonly kid: string
  readonly alg: string
  /** As the issuer's JWKS has it. */
  readonly jwk: Claims
  /** Only what makes it a key, as a DPoP proof shows it. */
  readonly bare: Claims
  /** RFC 7638 */
  readonly thumbprint: string
  readonly sign: (text: string) => Buffer
}

const SECRETS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi'])
const REQUIRED: readonly string[] = ['crv', 'e', 'kty', 'n', 'x', 'y']
const DIGESTS: Readonly<Record<string, string>> = { RS256: 'sha256' }

const keys = JSON.parse(
  readFileSync(new URL('../../../conformance/vectors/keys.json', import.meta.url), 'utf8'),
) as Record<string, Claims>

/** The key of this name in keys.json. */
export function signerOf(name: string): Signer {
  const secret = keys[name]
  if (secret === undefined) throw new Error(`keys.json has no ${name}`)
  const { alg, kid } = secret as { alg: string; kid: string }
  const key = createPrivateKey({ key: secret, format: 'jwk' })
  const jwk = only(secret, (member) => !SECRETS.has(member))
  const bare = only(secret, (member) => REQUIRED.includes(member))
  const ordered = JSON.stringify(bare, REQUIRED.toSorted())
  const thumbprint = base64urlSha256(ordered)
  const raw = Buffer.from(String(secret['d']), 'base64url')
  const signed = (text: string): Buffer =>
    signEcdsa(alg, raw, text) ?? sign(DIGESTS[alg] ?? null, Buffer.from(text), key)
  return { kid, alg, jwk, bare, thumbprint, sign: signed }
}

function only(key: Claims, keeps: (member: string) => boolean): Claims {
  return Object.fromEntries(Object.entries(key).filter(([member]) => keeps(member)))
}

export function base64urlSha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

export function base64url(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url')
}
