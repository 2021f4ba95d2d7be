/** The tenant's agents and resource servers as clients of oidc-provider: static, by key, for our grants only. */
import type { ClientMetadata } from 'oidc-provider'
import type { PublicJwk, Tenant } from '../core/tenant.ts'

export function clientsOf(tenant: Tenant, exchange: string): ClientMetadata[] {
  const agents = [...tenant.agents.values()].map((agent) =>
    client(tenant, agent.id, agent.auth.jwks, [exchange, 'client_credentials']),
  )
  // A resource server with keys may introspect; it has no grant.
  const servers = [...tenant.resources.values()]
    .filter((resource) => resource.keys.length > 0)
    .map((resource) => client(tenant, resource.id, resource.keys, []))
  return [...agents, ...servers]
}

function client(
  tenant: Tenant,
  id: string,
  keys: readonly PublicJwk[],
  grants: string[],
): ClientMetadata {
  return {
    client_id: id,
    token_endpoint_auth_method: 'private_key_jwt',
    id_token_signed_response_alg: tenant.signingAlgorithm,
    jwks: { keys: keys.map((key) => ({ ...key })) } as never,
    grant_types: grants,
    redirect_uris: [],
    response_types: [],
  }
}
