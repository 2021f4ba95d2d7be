/**
 * An MCP server of the SDK, with its own bearer middleware and with ours, called by the SDK's client: discovery, tokens by the
 * SDK's own providers and by an exchange at the end of a chain, tools that know who calls for whom, and refusals.
 */
import { createVerifier } from '@actchain/verifier'
import { bearerAuth, callerOf, protect } from '@actchain/verifier/mcp'
import { resourceMetadata, resourceMetadataPath } from '@actchain/verifier/metadata'
import { statusLists } from '@actchain/verifier/status'
import {
  extractWWWAuthenticateParams,
  type OAuthClientProvider,
} from '@modelcontextprotocol/sdk/client/auth.js'
import {
  ClientCredentialsProvider,
  PrivateKeyJwtProvider,
} from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  InsufficientScopeError,
  InvalidTokenError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { metadataHandler } from '@modelcontextprotocol/sdk/server/auth/handlers/metadata.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { FetchLike, Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { RequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS_TOKEN, EXCHANGE, target } from '../given.ts'
import { serve } from '../serve.ts'
import { type Agent, ROLES } from '../target.ts'
import { BAD_TOKENS, type Trial, tokensFor, untilExpired, walk } from './tokens.ts'

const { issuer } = target
const { uri, port, read, write } = target.apis.mcp
const verifier = createVerifier({
  issuer,
  audience: uri,
  revocation: statusLists(),
  bearer: 'allowed',
  clockTolerance: 0,
})
const errors = { InvalidTokenError, InsufficientScopeError }
const METADATA = new URL(resourceMetadataPath(uri), uri).href

function newServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('who', {}, ({ authInfo }) => {
    const { subject, actor, chain } = callerOf(authInfo)
    const who = { for: subject, by: actor.sub, through: chain.map(({ sub }) => sub) }
    return { content: [{ type: 'text', text: JSON.stringify(who) }] }
  })
  server.registerTool('write', {}, ({ authInfo }) => {
    callerOf(authInfo, write)
    return { content: [{ type: 'text', text: 'written' }] }
  })
  return server
}

const answerMcp: RequestHandler = async (request, response) => {
  const transport = new StreamableHTTPServerTransport({})
  // Its optional members are declared in a way that exactOptionalPropertyTypes refuses.
  await newServer().connect(transport as Transport)
  await transport.handleRequest(request, response, request.body)
}

let tokens: Trial
let stop: () => Promise<void>
beforeAll(async () => {
  const app = createMcpExpressApp()
  app.use(resourceMetadataPath(uri), metadataHandler(resourceMetadata(verifier)))
  app.post('/mcp', protect(verifier, { scope: read }), answerMcp)
  app.post('/mcp/bearer', requireBearerAuth(bearerAuth(verifier, { scope: read }, errors)))
  app.post('/mcp/write', protect(verifier, { scope: write }), answerMcp)
  app.post('/mcp/bearer/write', requireBearerAuth(bearerAuth(verifier, { scope: write }, errors)))
  app.post('/mcp/bearer{/*more}', answerMcp)
  ;[stop, tokens] = await Promise.all([serve(target, port, app), tokensFor(target.apis.mcp)])
})
afterAll(async () => {
  verifier.close()
  await stop?.()
})

/** Calls the tool at this place of the server, by the SDK's client; the text it answers. */
async function callTool(
  place: string,
  name: string,
  authProvider: OAuthClientProvider,
  fetchBy?: FetchLike,
) {
  const options = fetchBy === undefined ? { authProvider } : { authProvider, fetch: fetchBy }
  const transport = new StreamableHTTPClientTransport(new URL(uri + place), options)
  const client = new Client({ name: 'agent', version: '1.0.0' })
  try {
    await client.connect(transport as Transport)
    const { content, isError } = await client.callTool({ name, arguments: {} })
    const [{ text = '' } = {}] = content as readonly { readonly text?: string }[]
    return isError === true ? `refused: ${text}` : text
  } finally {
    await client.close()
  }
}

/** The SDK's own, of an agent on its own behalf. */
function ownProviders(): readonly (readonly [string, Agent, OAuthClientProvider])[] {
  const { basic, signed } = target.teams
  const withSecret = new ClientCredentialsProvider({
    clientId: basic.planner.client_id,
    clientSecret: basic.planner.secret ?? '',
    expectedIssuer: issuer,
  })
  const withKey = new PrivateKeyJwtProvider({
    clientId: signed.planner.client_id,
    privateKey: { ...signed.planner.jwk },
    algorithm: 'ES256',
    expectedIssuer: issuer,
  })
  return [
    ['ClientCredentialsProvider', basic.planner, withSecret],
    ['PrivateKeyJwtProvider', signed.planner, withKey],
  ]
}

/** Of an agent that was handed a token: it exchanges that for one for the MCP server, as docs/mcp.md says. */
class ExchangeProvider extends PrivateKeyJwtProvider {
  readonly #handed: string

  constructor({ client_id: clientId, jwk }: Agent, handed: string) {
    super({ clientId, privateKey: { ...jwk }, algorithm: 'ES256', expectedIssuer: issuer })
    this.#handed = handed
  }

  override prepareTokenRequest = () =>
    new URLSearchParams({
      grant_type: EXCHANGE,
      subject_token: this.#handed,
      subject_token_type: ACCESS_TOKEN,
    })
}

const [planner, researcher, writer] = ROLES.map((role) => target.teams.signed[role].client_id)

describe.each([
  ['requireBearerAuth', '/bearer'],
  ['our middleware', ''],
])('with %s', (_name, place) => {
  test.each(ownProviders())('the SDK’s %s calls a tool for itself', async (_, agent, provider) => {
    const { client_id: sub } = agent
    const who = JSON.parse(await callTool(place, 'who', provider))
    expect(who).toEqual({ for: sub, by: sub, through: [sub] })
    expect(await callTool(place, 'write', provider)).toBe('written')
  })

  test('an agent at the end of a chain calls a tool, which knows them all', async () => {
    const { token } = await walk('signed', target.apis.mcp, { hops: 2 })
    const provider = new ExchangeProvider(target.teams.signed.writer, token)
    const who = JSON.parse(await callTool(place, 'who', provider))
    const through = [writer, researcher, planner]
    expect(who).toEqual({ for: target.idp.subject, by: writer, through })
    expect(await callTool(place, 'write', provider)).toBe(
      `refused: the token lacks the scope this tool needs: ${write}`,
    )
  })

  test('a request without a token is led to the metadata of the resource', async () => {
    const answer = await post(place)
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(answer)
    expect([answer.status, resourceMetadataUrl?.href, scope]).toEqual([401, METADATA, read])
    expect(await (await fetch(METADATA)).json()).toMatchObject({
      resource: uri,
      authorization_servers: [issuer],
    })
  })

  test.each(BAD_TOKENS)('a token that is %s is refused', async (name) => {
    const answer = await post(place, tokens.bad[name])
    const { resourceMetadataUrl, error } = extractWWWAuthenticateParams(answer)
    expect([answer.status, resourceMetadataUrl?.href, error]).toEqual([
      401,
      METADATA,
      'invalid_token',
    ])
  })

  test('a token that is bound to a key is refused without its proof', async () => {
    expect((await post(place, tokens.bound.token)).status).toBe(401)
  })

  test('a token without the scope is refused, and the client told which', async () => {
    const answer = await post(`${place}/write`, tokens.good.token)
    const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(answer)
    expect([answer.status, error, scope, resourceMetadataUrl?.href]).toEqual([
      403,
      'insufficient_scope',
      write,
      METADATA,
    ])
  })

  test('an expired token is refused', async () => {
    await untilExpired(tokens.brief)
    expect((await post(place, tokens.brief.token)).status).toBe(401)
  })

  test('a revoked token is refused', async () => {
    const { token, revoke } = await walk('signed', target.apis.mcp)
    const status = async () => (await post(place, token)).status
    // Not of MCP's form, but let through.
    expect(await status()).toBe(406)
    await revoke()
    await expect.poll(status, { timeout: 5000 }).toBe(401)
  })
})

test('a client with DPoP calls a tool, by a fetch of its own', async () => {
  const { token, proof } = tokens.bound
  const provider = new ExchangeProvider(target.teams.bound.writer, token)
  provider.saveTokens({ access_token: token, token_type: 'DPoP' })
  const fetchBound: FetchLike = (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('authorization', `DPoP ${token}`)
    headers.set('dpop', proof(init?.method ?? 'GET', String(input)))
    return fetch(input, { ...init, headers })
  }
  const through = ['writer', 'researcher', 'planner'].map((role) => `bound-${role}`)
  const who = JSON.parse(await callTool('', 'who', provider, fetchBound))
  expect(who).toEqual({ for: target.idp.subject, by: 'bound-writer', through })
  const refused = await fetchBound(`${uri}/bearer`, { method: 'POST' })
  expect([refused.status, await refused.json()]).toMatchObject([401, { error: 'invalid_token' }])
})

function post(place: string, token?: string): Promise<Response> {
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  return fetch(uri + place, { method: 'POST', headers, body: '{}' })
}
