/** Mints `at+jwt` access tokens (RFC 9068 §2.1). Signing is the last thing that happens before the audit entry. */
import type { Keyring } from '../../keys/keyring.ts'
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import { type Refusal, refuse } from '../core/refusal.ts'

/** Octets of a token: a request's header line has to carry it, with a proof beside it. */
export const MAX_ACCESS_TOKEN = 4096

const headers = new WeakMap<Keyring, string>()

/** The token, or a refusal before anything is signed: too big is an error, never a truncation. */
export async function mintAccessToken(
  keyring: Keyring,
  claims: DelegatedClaims,
): Promise<string | Refusal> {
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
  const signingInput = `${protectedHeader(keyring)}.${payload}`
  // An ES256 or EdDSA signature is 86 characters, an RS256 one up to 683.
  if (signingInput.length + 87 > MAX_ACCESS_TOKEN) return refuse('token_too_large')
  return `${signingInput}.${await keyring.active.sign(signingInput)}`
}

function protectedHeader(keyring: Keyring): string {
  const known = headers.get(keyring)
  if (known !== undefined) return known
  const { alg, kid } = keyring.active
  const header = Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid })).toString('base64url')
  headers.set(keyring, header)
  return header
}
