/** openid-client: discovery (RFC 8414), private_key_jwt, DPoP, and its own call of the API. */
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { EXCHANGE, target } from '../given.ts'
import { privateKeyOf } from '../keys.ts'
import type { Agent } from '../target.ts'
import { type LibraryClient, type Parameters, walkChain } from './chain.ts'

async function clientOf(agent: Agent): Promise<LibraryClient> {
  const config = await client.discovery(
    new URL(target.issuer),
    agent.client_id,
    undefined,
    client.PrivateKeyJwt(await privateKeyOf(agent)),
    { algorithm: 'oauth2' },
  )
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  return {
    exchange: async (parameters: Parameters) => {
      const form = { ...parameters }
      const answer = await client.genericGrantRequest(config, EXCHANGE, form, { DPoP })
      expect(answer.token_type).toBe('dpop')
      return answer.access_token
    },
    call: async (token, url) => {
      const reply = await client.fetchProtectedResource(
        config,
        token,
        url,
        'GET',
        undefined,
        undefined,
        { DPoP },
      )
      return reply.json()
    },
  }
}

test('openid-client walks three hops and reads the refusal of a wider scope', async () => {
  expect(await walkChain('bound', clientOf)).toMatchObject({
    name: 'ResponseBodyError',
    status: 400,
    error: 'invalid_scope',
    cause: { reason: 'scope_not_permitted' },
  })
})
