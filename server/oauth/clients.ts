/**
 * A tenant's clients, and what oidc-provider knows of them: their kinds, and not one of them. It authenticates nobody:
 * client-authentication.ts has done so before the library looks for a client, and the form then names the client's kind.
 */
import type { ClientMetadata } from 'oidc-provider'
import type { Agent, PublicJwk, Tenant } from '../core/tenant.ts'

/** Each kind, and the grants it has. */
const KINDS = {
  agent: (grants: readonly string[]) => grants,
  resource_server: () => ['client_credentials'],
  event_receiver: () => ['client_credentials'],
} as const satisfies Record<string, (grants: readonly string[]) => readonly string[]>

type ClientKind = keyof typeof KINDS

/** A client that may come to the token endpoint. */
export type GrantClient =
  | {
      readonly kind: 'agent'
      readonly id: string
      readonly binding: Agent['binding']
      readonly agent: Agent
    }
  | { readonly kind: 'receiver'; readonly id: string; readonly binding: 'dpop' | 'bearer' }
  | { readonly kind: 'resource'; readonly id: string; readonly binding: 'dpop' }

interface KnownClient {
  readonly kind: ClientKind
  readonly jwks: readonly PublicJwk[]
}

/** One id is one client: an agent, else a resource server, else a receiver. Of resource servers only one with keys is any. */
export function findClient(tenant: Tenant, id: string): KnownClient | undefined {
  const agent = tenant.agents.get(id)
  // Without keys nothing is signed by it: its method is another.
  if (agent !== undefined) {
    return { kind: 'agent', jwks: agent.auth.method === 'private_key_jwt' ? agent.auth.jwks : [] }
  }
  const resource = tenant.resources.get(id)
  if (resource !== undefined) {
    return resource.keys.length > 0 ? { kind: 'resource_server', jwks: resource.keys } : undefined
  }
  const receiver = tenant.eventReceivers.get(id)
  return receiver === undefined ? undefined : { kind: 'event_receiver', jwks: receiver.keys }
}

export function findGrantClient(tenant: Tenant, id: string): GrantClient | undefined {
  const kind = findClient(tenant, id)?.kind
  if (kind === 'resource_server') return { kind: 'resource', id, binding: 'dpop' }
  const agent = kind === 'agent' ? tenant.agents.get(id) : undefined
  if (agent !== undefined) return { kind: 'agent', id, binding: agent.binding, agent }
  const receiver = kind === 'event_receiver' ? tenant.eventReceivers.get(id) : undefined
  return receiver === undefined ? undefined : { kind: 'receiver', id, binding: receiver.binding }
}

/** @param alg of the key the library was given; it signs nothing with it */
export function clientKinds(grants: readonly string[], alg: 'ES256'): ClientMetadata[] {
  return Object.entries(KINDS).map(([kind, grantsOf]) => ({
    client_id: kind,
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: alg,
    grant_types: [...grantsOf(grants)],
    redirect_uris: [],
    response_types: [],
  }))
}
