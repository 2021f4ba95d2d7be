/**
 * The MCP SDK's client: its own provider with a key, told of another grant by the one member that is meant for it, and its own
 * fetch with tokens. Its MCP client is shown with its MCP server (`../servers/mcp.test.ts`).
 */
import {
  discoverAuthorizationServerMetadata,
  fetchToken,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { withOAuth } from '@modelcontextprotocol/sdk/client/middleware.js'
import { InvalidScopeError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { expect, test } from 'vitest'
import { EXCHANGE, target } from '../given.ts'
import type { Agent } from '../target.ts'
import { type LibraryClient, type Parameters, walkChain } from './chain.ts'

class ExchangeProvider extends PrivateKeyJwtProvider {
  parameters: Parameters = {}

  override prepareTokenRequest(): URLSearchParams {
    return new URLSearchParams({ grant_type: EXCHANGE, ...this.parameters })
  }
}

async function clientOf({ client_id: clientId, jwk }: Agent): Promise<LibraryClient> {
  const { issuer } = target
  const provider = new ExchangeProvider({
    clientId,
    privateKey: { ...jwk },
    algorithm: 'ES256',
    expectedIssuer: issuer,
  })
  // Without a document it would ask at /token of the origin, and sign for that address.
  const metadata = await discoverAuthorizationServerMetadata(issuer)
  if (metadata === undefined) throw new Error('the SDK found no metadata')
  return {
    exchange: async (parameters) => {
      provider.parameters = parameters
      const tokens = await fetchToken(provider, issuer, { metadata })
      provider.saveTokens(tokens)
      return tokens.access_token
    },
    call: async (_token, url) => (await withOAuth(provider)(fetch)(url)).json(),
  }
}

test('the MCP SDK walks three hops and reads the refusal of a wider scope', async () => {
  const refusal = await walkChain('signed', clientOf)
  expect(refusal).toBeInstanceOf(InvalidScopeError)
  // Members that RFC 6749 does not name it drops.
  expect(refusal).toMatchObject({
    message: 'a requested scope is beyond what may be granted here',
  })
})
