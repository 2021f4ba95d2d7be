/**
 * Client authentication by private_key_jwt: agents, resource servers and event receivers of one tenant, single use as one atomic claim. Every
 * failure has one public reason; the guard goes to the audit entry.
 */
import type { SignatureAlgorithm } from '../../keys/algorithm.ts'
import { readVerificationKey, type VerificationKey } from '../../keys/verification-key.ts'
import { isActive } from '../core/guards.ts'
import type { Tenant } from '../core/tenant.ts'
import { type Authenticated, verifyAssertion } from './client-assertion.ts'
import { findClient } from './clients.ts'
import type { Form } from './exchange-parameters.ts'

export const CLIENT_ALGORITHMS: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

export interface ClientAuthenticator {
  /** The client whose assertion the form carries, or the guard that failed. */
  authenticate(form: Form, hasAuthorization: boolean, now: number): Authenticated | string
}

export function createClientAuthenticator(tenant: Tenant): ClientAuthenticator {
  const keysOf = clientKeys(tenant)
  const expected = { tenant: tenant.id, audience: tenant.issuer, keysOf }
  return {
    authenticate(form, hasAuthorization, now) {
      const outcome = verifyAssertion(expected, { form, hasAuthorization, now })
      if (typeof outcome === 'string') return outcome
      const agent = tenant.agents.get(outcome.client)
      // Others are clients too; what is disabled or expired is an agent.
      return agent === undefined || isActive(agent, now) ? outcome : 'agent_inactive'
    },
  }
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
