/**
 * oidc-provider alone: private_key_jwt, its own memory for single use, and a grant that answers at once. What our server
 * would cost if an exchange needed no proof, no subject token, no decision and no record.
 */
import { createServer } from 'node:http'
import { type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { Provider } from 'oidc-provider/lib/provider.js'
import { generatePrivateJwk } from '../../keys/signer.ts'
import { TOKEN_EXCHANGE } from '../../server/oauth/exchange-parameters.ts'
import { BENCH_ISSUER } from '../tenant.ts'
import { beMeasured } from './measured.ts'

const ANSWER = { access_token: 'x'.repeat(2000), token_type: 'DPoP', expires_in: 300 }
const PARAMETERS = ['subject_token', 'subject_token_type', 'audience', 'scope'] as const

interface Client {
  readonly id: string
  readonly key: object
}

const clients = JSON.parse(process.env['BENCH_CLIENTS'] ?? '[]') as readonly Client[]
const configuration: Configuration = {
  clients: clients.map(({ id, key }) => ({
    client_id: id,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [key] } as never,
    grant_types: [TOKEN_EXCHANGE],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: 'ES256',
  })),
  jwks: { keys: [{ ...generatePrivateJwk('ES256'), alg: 'ES256', use: 'sig' }] } as never,
  cookies: { keys: ['of this run'] },
  clientAuthMethods: ['private_key_jwt'],
  responseTypes: [],
  scopes: [],
  routes: { token: '/token' },
  features: {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    resourceIndicators: { enabled: false },
    dPoP: { enabled: false },
  },
}
const provider = new Provider(BENCH_ISSUER, configuration)
const grant = async (ctx: KoaContextWithOIDC): Promise<void> => {
  ctx.body = ANSWER
}
provider.registerGrantType(TOKEN_EXCHANGE, grant, [...PARAMETERS])
const callback = provider.callback()
const { host } = new URL(BENCH_ISSUER)
const server = createServer((req, res) => {
  req.headers.host = host
  req.url = '/token'
  void callback(req, res)
})
server.listen(Number(process.env['BENCH_PORT']), '127.0.0.1', () => {
  beMeasured(async () => void server.close())
})
