/**
 * What oidc-provider knows of a tenant's clients: their two kinds, and not one of them. It authenticates nobody:
 * client-authentication.ts has done so before the library looks for a client, and the form then names the client's kind.
 */
import type { ClientMetadata } from 'oidc-provider'
import type { Tenant } from '../core/tenant.ts'

type ClientKind = 'agent' | 'resource_server'

export function clientKind(tenant: Tenant, client: string): ClientKind {
  return tenant.agents.has(client) ? 'agent' : 'resource_server'
}

/** @param alg of the key the library was given; it signs nothing with it */
export function clientKinds(grants: readonly string[], alg: 'ES256'): ClientMetadata[] {
  const kinds: readonly ClientKind[] = ['agent', 'resource_server']
  return kinds.map((kind) => ({
    client_id: kind,
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: alg,
    // A resource server may introspect; it has no grant.
    grant_types: kind === 'agent' ? [...grants] : [],
    redirect_uris: [],
    response_types: [],
  }))
}
