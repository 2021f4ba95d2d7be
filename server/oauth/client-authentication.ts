/**
 * Client authentication by private_key_jwt: agents and resource servers of one tenant, single use as one atomic claim. Every
 * failure has one public reason; the guard goes to the audit entry.
 */
import type { SignatureAlgorithm } from '../../keys/algorithm.ts'
import { readVerificationKey, type VerificationKey } from '../../keys/verification-key.ts'
import { isActive } from '../core/guards.ts'
import type { Tenant } from '../core/tenant.ts'
import { type Authenticated, verifyAssertion } from './client-assertion.ts'
import type { Form } from './exchange-parameters.ts'

export const CLIENT_ALGORITHMS: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

export interface ClientAuthenticator {
  /** The client whose assertion the form carries, or the guard that failed. */
  authenticate(form: Form, hasAuthorization: boolean, now: number): Authenticated | string
}

export function createClientAuthenticator(tenant: Tenant): ClientAuthenticator {
  const keys = readClientKeys(tenant)
  const expected = {
    tenant: tenant.id,
    audience: tenant.issuer,
    keysOf: (client: string) => keys.get(client),
  }
  return {
    authenticate(form, hasAuthorization, now) {
      const outcome = verifyAssertion(expected, { form, hasAuthorization, now })
      if (typeof outcome === 'string') return outcome
      const agent = tenant.agents.get(outcome.client)
      // A resource server is a client too; what is disabled or expired is an agent.
      return agent === undefined || isActive(agent, now) ? outcome : 'agent_inactive'
    },
  }
}

/** Agents and resource servers by client id, their keys read once. */
function readClientKeys(tenant: Tenant): ReadonlyMap<string, readonly VerificationKey[]> {
  const keys = new Map<string, readonly VerificationKey[]>()
  for (const { id, keys: jwks } of tenant.resources.values()) {
    if (jwks.length > 0)
      keys.set(
        id,
        jwks.flatMap((jwk) => readVerificationKey(jwk, CLIENT_ALGORITHMS) ?? []),
      )
  }
  for (const { id, auth } of tenant.agents.values()) {
    keys.set(
      id,
      auth.jwks.flatMap((jwk) => readVerificationKey(jwk, CLIENT_ALGORITHMS) ?? []),
    )
  }
  return keys
}
