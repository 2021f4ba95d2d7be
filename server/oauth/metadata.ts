/**
 * Authorization server metadata (RFC 8414 §2). Every URL comes from configuration; only what is true is said.
 */
import type { Tenant } from '../core/tenant.ts'
import { TOKEN_EXCHANGE } from './exchange-parameters.ts'

/** Algorithms of client assertions and proofs, as clients name them (RFC 7518 §3.1, RFC 9864). */
export const CLIENT_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256'] as const

export function authorizationServerMetadata(tenant: Tenant): Readonly<Record<string, unknown>> {
  const { issuer } = tenant
  const authentication = ['private_key_jwt']
  const scopes = [...tenant.scopes.keys()]
  return {
    issuer,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    jwks_uri: `${issuer}/jwks`,
    grant_types_supported: [TOKEN_EXCHANGE, 'client_credentials'],
    // RFC 8414 §2 requires the member and §3.2 forbids an empty list: there is no authorization endpoint.
    response_types_supported: ['none'],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    token_endpoint_auth_methods_supported: authentication,
    token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: authentication,
    introspection_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: authentication,
    revocation_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    dpop_signing_alg_values_supported: CLIENT_ALGORITHMS,
    // Token Status List §9.1.
    status_list_aggregation_endpoint: `${issuer}/status`,
  }
}
