/** A server of somebody else for the conformance runner: oidc-provider with two clients that have secrets, over plain HTTP on loopback. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

export interface RunningServer {
  readonly origin: string
  readonly stop: () => Promise<void>
}

export const SECRET = 'a secret of forty characters: 0123456789'
const SCOPE = 'files:read files:write'

/** Tokens are opaque; there is no token exchange. */
export async function startPlainProvider(): Promise<RunningServer> {
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
      client_secret: SECRET,
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
        getResourceServerInfo: () => ({ scope: SCOPE, accessTokenFormat: 'opaque' }),
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
