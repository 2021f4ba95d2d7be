/** An agent with keys of its own, as oauth4webapi sees one: discovery (RFC 8414), private_key_jwt, DPoP, and its own call of an API. */
import * as oauth from 'oauth4webapi'
import { EXCHANGE, target } from '../given.ts'
import { privateKeyOf } from '../keys.ts'
import type { Agent } from '../target.ts'
import type { LibraryClient } from './chain.ts'

export interface BoundClient extends LibraryClient {
  /** What its tokens are bound to. */
  readonly proofKey: CryptoKeyPair
}

export async function clientOf(agent: Agent): Promise<BoundClient> {
  const issuer = new URL(target.issuer)
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' })
  const server = await oauth.processDiscoveryResponse(issuer, found)
  const client: oauth.Client = { client_id: agent.client_id }
  const auth = oauth.PrivateKeyJwt(await privateKeyOf(agent))
  const proofKey = await oauth.generateKeyPair('ES256')
  const DPoP = oauth.DPoP(client, proofKey)
  return {
    proofKey,
    exchange: async (parameters) => {
      const form = { ...parameters }
      const reply = await oauth.genericTokenEndpointRequest(server, client, auth, EXCHANGE, form, {
        DPoP,
      })
      const answer = await oauth.processGenericTokenEndpointResponse(server, client, reply)
      return answer.access_token
    },
    call: async (token, url) => {
      const reply = await oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, {
        DPoP,
      })
      return reply.json()
    },
  }
}
