/** Servers of somebody else for the conformance runner: oidc-provider as it comes, over plain HTTP on loopback. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type ClientMetadata } from 'oidc-provider'

export interface RunningServer {
  readonly origin: string
  readonly stop: () => Promise<void>
}

export const SECRET = 'a secret of forty characters: 0123456789'
const SCOPE = 'files:read files:write'

/** Two clients that have secrets. Tokens are opaque; there is no token exchange. */
export function startPlainProvider(): Promise<RunningServer> {
  return startProvider('opaque', { client_secret: SECRET })
}

/** The same with clients that have this key, and tokens that are JWTs. */
export function startProviderWithKeys(
  jwk: Readonly<Record<string, unknown>>,
): Promise<RunningServer> {
  const { d: _, ...published } = jwk
  return startProvider('jwt', {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [published] } as NonNullable<ClientMetadata['jwks']>,
  })
}

async function startProvider(
  format: 'opaque' | 'jwt',
  client: Partial<ClientMetadata>,
): Promise<RunningServer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' }
  const provider = new Provider(origin, {
    jwks: { keys: [jwk] },
    cookies: { keys: [SECRET] },
    scopes: SCOPE.split(' '),
    clients: ['worker', 'second-worker'].map((client_id) => ({
      client_id,
      ...client,
      id_token_signed_response_alg: 'ES256',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: SCOPE,
    })),
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        getResourceServerInfo: () => ({
          scope: SCOPE,
          accessTokenFormat: format,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  })
  const answer = provider.callback()
  server.on('request', (request, response) => void answer(request, response))
  return {
    origin,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
