/** private_key_jwt (RFC 7523 §2.2): agents, resource servers and event receivers of one tenant, by keys in its facts. */
import type { SignatureAlgorithm } from '../../../keys/algorithm.ts'
import { readVerificationKey, type VerificationKey } from '../../../keys/verification-key.ts'
import type { Tenant } from '../../core/tenant.ts'
import { findClient } from '../clients.ts'
import { verifyAssertion } from './client-assertion.ts'
import type { Authenticated, PresentedAssertion } from './credentials.ts'

export const CLIENT_ALGORITHMS: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

/** Returns the validator of a tenant's assertions; a client that has no keys is nobody to it. */
export function createKeyValidator(
  tenant: Tenant,
): (assertion: PresentedAssertion) => Authenticated | string {
  const keysOf = clientKeys(tenant)
  const expected = { tenant: tenant.id, audience: tenant.issuer, keysOf }
  return (assertion) => verifyAssertion(expected, assertion)
}

/**
 * Keys of a client by its id; undefined where there is no such client. Read when a client first
 * comes, because a tenant may have ten thousand. Only its own clients are kept.
 */
function clientKeys(tenant: Tenant): (client: string) => readonly VerificationKey[] | undefined {
  const read = new Map<string, readonly VerificationKey[]>()
  return (client) => {
    const known = read.get(client)
    if (known !== undefined) return known
    const jwks = findClient(tenant, client)?.jwks
    if (jwks === undefined) return undefined
    const keys = jwks.flatMap((jwk) => readVerificationKey(jwk, CLIENT_ALGORITHMS) ?? [])
    read.set(client, keys)
    return keys
  }
}
