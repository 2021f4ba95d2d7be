/** oauth4webapi: discovery (RFC 8414), private_key_jwt, DPoP, and its own call of the API. */
import * as oauth from 'oauth4webapi'
import { expect, test } from 'vitest'
import { EXCHANGE, target } from '../given.ts'
import { privateKeyOf } from '../keys.ts'
import type { Agent } from '../target.ts'
import { type LibraryClient, type Parameters, walkChain } from './chain.ts'

const issuer = new URL(target.issuer)

async function clientOf(agent: Agent): Promise<LibraryClient> {
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' })
  const server = await oauth.processDiscoveryResponse(issuer, found)
  const client: oauth.Client = { client_id: agent.client_id }
  const auth = oauth.PrivateKeyJwt(await privateKeyOf(agent))
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  return {
    exchange: async (parameters: Parameters) => {
      const form = { ...parameters }
      const reply = await oauth.genericTokenEndpointRequest(server, client, auth, EXCHANGE, form, {
        DPoP,
      })
      const answer = await oauth.processGenericTokenEndpointResponse(server, client, reply)
      expect(answer.token_type).toBe('dpop')
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

test('oauth4webapi walks three hops and reads the refusal of a wider scope', async () => {
  expect(await walkChain('bound', clientOf)).toMatchObject({
    name: 'ResponseBodyError',
    status: 400,
    error: 'invalid_scope',
    cause: { reason: 'scope_not_permitted' },
  })
})
