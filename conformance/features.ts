/**
 * What a server may have or not: a requirement of a feature is asked only of a server that offers it. The metadata tells
 * (RFC 8414 §2), and where nothing in it can, the profile does.
 */

/** The authorization server's metadata document; nothing in it is believed to have its type. */
export type Metadata = Readonly<Record<string, unknown>>

export interface FeatureShape {
  readonly title: string
  /** Whether the metadata says that it is offered; absent where metadata has no word for it and the profile has to say. */
  readonly advertised?: (metadata: Metadata) => boolean
  /** Why the suite has no checks for it yet: its requirements count as not offered. */
  readonly unchecked?: string
}

const lists = (name: string, value: string) => (metadata: Metadata) =>
  Array.isArray(metadata[name]) && (metadata[name] as readonly unknown[]).includes(value)
const names = (name: string) => (metadata: Metadata) =>
  typeof metadata[name] === 'string' && metadata[name] !== ''
const has = (name: string) => (metadata: Metadata) =>
  Array.isArray(metadata[name]) && (metadata[name] as readonly unknown[]).length > 0
const says = (name: string) => (metadata: Metadata) => metadata[name] === true

const GRANT = 'urn:ietf:params:oauth:grant-type:'
const NOT_YET = 'the suite has no checks for it yet'

export const FEATURES = {
  token_exchange: {
    title: 'Token exchange',
    advertised: lists('grant_types_supported', `${GRANT}token-exchange`),
  },
  client_credentials: {
    title: 'Client credentials',
    advertised: lists('grant_types_supported', 'client_credentials'),
  },
  client_secrets: {
    title: 'Client secrets',
    advertised: (metadata) =>
      ['client_secret_basic', 'client_secret_post'].some((method) =>
        lists('token_endpoint_auth_methods_supported', method)(metadata),
      ),
  },
  private_key_jwt: {
    title: 'Client assertions',
    advertised: lists('token_endpoint_auth_methods_supported', 'private_key_jwt'),
  },
  dpop: { title: 'DPoP', advertised: has('dpop_signing_alg_values_supported') },
  mtls: {
    title: 'Tokens bound to certificates',
    advertised: says('tls_client_certificate_bound_access_tokens'),
  },
  introspection: { title: 'Introspection', advertised: names('introspection_endpoint') },
  revocation: { title: 'Revocation', advertised: names('revocation_endpoint') },
  jwt_access_tokens: { title: 'JWT access tokens', advertised: names('jwks_uri') },
  spiffe: { title: 'SPIFFE client authentication' },
  status_lists: {
    title: 'Token status lists',
    advertised: names('status_list_aggregation_endpoint'),
  },
  security_events: { title: 'Security events' },
  resource_server: { title: 'A resource server' },
  delegation: { title: 'The delegation profile' },
  jwt_bearer: {
    title: 'The JWT bearer grant',
    advertised: lists('grant_types_supported', `${GRANT}jwt-bearer`),
    unchecked: NOT_YET,
  },
  authorization_code: {
    title: 'An authorization endpoint',
    // Where no grants are named there is a default (RFC 8414 §2).
    advertised: (metadata) =>
      names('authorization_endpoint')(metadata) &&
      lists(
        'grant_types_supported',
        'authorization_code',
      )({ grant_types_supported: ['authorization_code'], ...metadata }),
    unchecked: NOT_YET,
  },
  refresh_tokens: {
    title: 'Refresh tokens',
    advertised: lists('grant_types_supported', 'refresh_token'),
    unchecked: NOT_YET,
  },
  pushed_requests: {
    title: 'Pushed authorization requests',
    advertised: names('pushed_authorization_request_endpoint'),
    unchecked: NOT_YET,
  },
  authorization_details: {
    title: 'authorization_details',
    advertised: has('authorization_details_types_supported'),
    unchecked: NOT_YET,
  },
  encrypted_tokens: { title: 'Encrypted access tokens', unchecked: NOT_YET },
  step_up: {
    title: 'Step-up authentication',
    advertised: has('acr_values_supported'),
    unchecked: NOT_YET,
  },
  identity_chaining: {
    title: 'Identity chaining',
    advertised: has('identity_chaining_requested_token_types_supported'),
    unchecked: NOT_YET,
  },
  id_jag: {
    title: 'Identity assertion grants',
    advertised: has('authorization_grant_profiles_supported'),
    unchecked: NOT_YET,
  },
  authzen: { title: 'AuthZEN decisions', unchecked: NOT_YET },
  mcp: { title: 'MCP authorization', unchecked: NOT_YET },
} as const satisfies Readonly<Record<string, FeatureShape>>

export type Feature = keyof typeof FEATURES
