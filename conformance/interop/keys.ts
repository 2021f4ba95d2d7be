/** Keys of the target as libraries take them. */
import type { Agent } from './target.ts'

/** Signs ES256; throws for an agent that proves itself by a secret. */
export function privateKeyOf({ client_id, jwk }: Agent): Promise<CryptoKey> {
  if (jwk === undefined) throw new Error(`${client_id} has no key`)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  return crypto.subtle.importKey('jwk', { ...jwk }, algorithm, false, ['sign'])
}
