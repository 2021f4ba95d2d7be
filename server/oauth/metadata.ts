/**
 * Authorization server metadata (RFC 8414 §2). Every URL comes from configuration; only what is true is said.
 */

import type { AuthMethod } from '../core/agent-auth.ts'
import type { Tenant } from '../core/tenant.ts'
import { TOKEN_EXCHANGE } from './exchange-parameters.ts'

/** Algorithms of client assertions and proofs, as clients name them (RFC 7518 §3.1, RFC 9864). */
export const CLIENT_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const

/**
 * Registered names (RFC 7591 §4.2, RFC 8705 §2), or those of the drafts. A platform's token is a client assertion (RFC 7521) of no name:
 * what its agents need to know is in their tenant's facts.
 */
const METHOD_NAMES: Readonly<Record<AuthMethod, string | undefined>> = {
  private_key_jwt: 'private_key_jwt',
  tls_client_auth: 'tls_client_auth',
  self_signed_tls_client_auth: 'self_signed_tls_client_auth',
  client_secret_basic: 'client_secret_basic',
  client_secret_post: 'client_secret_post',
  spiffe_jwt: 'spiffe_jwt',
  spiffe_x509: 'spiffe_x509',
  attest_jwt_client_auth: 'attest_jwt_client_auth',
  workload_jwt: undefined,
}

const BY_CERTIFICATE: ReadonlySet<AuthMethod> = new Set<AuthMethod>([
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'spiffe_x509',
])

/** Where certificates are not seen, nobody authenticates by one: TLS ends before us. */
export interface Edge {
  readonly seesCertificates: boolean
}

export type Metadata = Readonly<Record<string, unknown>>

/** A tenant's document, made once for each of its versions: it may have ten thousand agents. */
export function createMetadata(edge: Edge): (tenant: Tenant) => Metadata {
  const made = new WeakMap<Tenant, Metadata>()
  return (tenant) => {
    const known = made.get(tenant)
    if (known !== undefined) return known
    const metadata = authorizationServerMetadata(tenant, edge)
    made.set(tenant, metadata)
    return metadata
  }
}

function authorizationServerMetadata(tenant: Tenant, edge: Edge): Metadata {
  const { issuer } = tenant
  const authentication = methodsOf(tenant, edge)
  const scopes = [...tenant.scopes.keys()]
  return {
    issuer,
    // Nothing is authorized there. RFC 8414 §2 leaves it out, and clients in use read no document without it.
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    jwks_uri: `${issuer}/jwks`,
    grant_types_supported: [TOKEN_EXCHANGE, 'client_credentials'],
    // RFC 8414 §2 requires the member and §3.2 forbids an empty list.
    response_types_supported: ['none'],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    token_endpoint_auth_methods_supported: authentication,
    token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: authentication,
    introspection_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: authentication,
    revocation_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    dpop_signing_alg_values_supported: CLIENT_ALGORITHMS,
    // RFC 8705 §3.3; its absence is a no.
    ...(edge.seesCertificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
    // Token Status List §9.1.
    status_list_aggregation_endpoint: `${issuer}/status`,
  }
}

/** What this tenant's clients authenticate by: resource servers and event receivers by their keys, agents each by its own way. */
function methodsOf({ agents }: Tenant, { seesCertificates }: Edge): readonly string[] {
  const methods = new Set(['private_key_jwt'])
  for (const { auth } of agents.values()) {
    const name = METHOD_NAMES[auth.method]
    const isUsable = seesCertificates || !BY_CERTIFICATE.has(auth.method)
    if (name !== undefined && isUsable) methods.add(name)
  }
  return [...methods].sort()
}
