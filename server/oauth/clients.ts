/**
 * The tenant's agents and resource servers as clients of oidc-provider: static, for our grants only. To the library they
 * are public clients: it never authenticates one, client-authentication.ts has done so before it looks.
 */
import type { ClientMetadata } from 'oidc-provider'
import type { Tenant } from '../core/tenant.ts'

export function clientsOf(tenant: Tenant, grants: readonly string[]): ClientMetadata[] {
  const agents = [...tenant.agents.keys()].map((id) => client(tenant, id, grants))
  // A resource server with keys may introspect; it has no grant.
  const servers = [...tenant.resources.values()].filter((resource) => resource.keys.length > 0)
  return [...agents, ...servers.map(({ id }) => client(tenant, id, []))]
}

function client(tenant: Tenant, id: string, grants: readonly string[]): ClientMetadata {
  return {
    client_id: id,
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: tenant.signingAlgorithm,
    grant_types: [...grants],
    redirect_uris: [],
    response_types: [],
  }
}
