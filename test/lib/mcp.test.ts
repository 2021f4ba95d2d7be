/** The adapter for the MCP SDK, under the SDK's own middleware and readers of challenges. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js'
import {
  InsufficientScopeError,
  InvalidTokenError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { metadataHandler } from '@modelcontextprotocol/sdk/server/auth/handlers/metadata.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { OAuthProtectedResourceMetadataSchema } from '@modelcontextprotocol/sdk/shared/auth.js'
import express, { type Express } from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bearerAuth, callerOf, protect } from '../../lib/src/adapters/mcp.ts'
import { resourceMetadata, resourceMetadataPath } from '../../lib/src/metadata.ts'
import type { VerifierOptions } from '../../lib/src/options.ts'
import { API, aProof, type Claims, signToken } from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED } from '../support/verifier-fixture.ts'

const ERRORS = { InvalidTokenError, InsufficientScopeError }
const METADATA = 'https://ledger.acme.example/.well-known/oauth-protected-resource/api'
/** The SDK compares `exp` with its own clock. */
const now = Math.floor(Date.now() / 1000)

let f: Fixture
let called: string
const closing: (() => unknown)[] = []
beforeAll(async () => {
  f = await aFixture()
  const lenient = anyKey({ bearer: 'allowed' })
  const app = express()
  app.use('/bearer', requireBearerAuth(bearerAuth(lenient, NEED, ERRORS)))
  app.use('/outage', requireBearerAuth(bearerAuth(without({ bearer: 'allowed' }), NEED, ERRORS)))
  app.use('/bound', protect(anyKey({}), NEED))
  app.use('/either', protect(lenient, NEED))
  app.use('/elsewhere', protect(anyKey({ resourceMetadata: 'https://x.example/m' }), NEED))
  app.use(resourceMetadataPath(API), metadataHandler(resourceMetadata(lenient, { scopes: ['a'] })))
  app.use((request, response, next) => {
    if (request.auth === undefined) next()
    else response.json({ ...request.auth, depth: callerOf(request.auth).ceilings.length })
  })
  called = await listen(app)
})
afterAll(() => Promise.all(closing.map((close) => close())))

function anyKey(options: Partial<VerifierOptions>) {
  return f.with({ now: () => Date.now() / 1000, ...options })
}

/** Its issuer cannot be reached. */
function without(options: Partial<VerifierOptions>) {
  return anyKey({ fetch: () => Promise.reject(new Error('away')), ...options })
}

async function listen(app: Express): Promise<string> {
  const server = createServer(app)
  closing.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const token = (claims: Claims = {}) =>
  signToken(f.issuerKey, { ...f.claims({ now }), cnf: undefined, ...claims })
const bound = () => signToken(f.issuerKey, f.claims({ now }))

function call(path: string, authorization?: string, proof?: string): Promise<Response> {
  const headers = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(proof === undefined ? {} : { dpop: proof }),
  }
  return fetch(`${called}${path}`, { headers })
}

const proofFor = (text: string, path: string) =>
  aProof(f.agentKey, {
    token: text,
    url: `${new URL(API).origin}${path}`,
    claims: { iat: Math.floor(Date.now() / 1000) },
  })

describe('under requireBearerAuth', () => {
  test('a tool learns who calls for whom', async () => {
    const good = await token()
    const answer = await call('/bearer', `Bearer ${good}`)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        token: good,
        clientId: 'writer',
        scopes: ['crm:read', 'ledger:read', 'ledger:propose'],
        expiresAt: expect.any(Number),
        resource: API,
        extra: {
          subject: 'alice',
          actor: expect.objectContaining({ sub: 'writer' }),
          chain: ['writer', 'researcher', 'planner'].map((sub) => expect.objectContaining({ sub })),
          txn: expect.any(String),
        },
        depth: 3,
      },
    ])
  })

  test('refusals are those of the SDK, and lead to the metadata', async () => {
    const lacking = bearerAuth(anyKey({ bearer: 'allowed' }), { scope: 'mail:send' }, ERRORS)
    await expect(lacking.verifier.verifyAccessToken(await token())).rejects.toThrow(
      InsufficientScopeError,
    )
    for (const [text, status] of [
      [await token({ aud: 'https://other.example' }), 401],
      [await bound(), 401],
      ['no-token', 401],
    ] as const) {
      const answer = await call('/bearer', `Bearer ${text}`)
      expect(answer.status).toBe(status)
      const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(answer)
      expect([resourceMetadataUrl?.href, scope, error]).toEqual([
        METADATA,
        'ledger:propose',
        'invalid_token',
      ])
    }
  })

  test('an outage is no refusal', async () => {
    const answer = await call('/outage', `Bearer ${await token()}`)
    expect([answer.status, await answer.json()]).toMatchObject([500, { error: 'server_error' }])
  })

  test('is refused to a verifier of bound tokens, which would refuse every one', () => {
    expect(() => bearerAuth(f.verifier, NEED, ERRORS)).toThrow(/^requireBearerAuth sees no proofs/)
  })

  test('asks for nothing but an address at an agent’s own door', () => {
    const { requiredScopes } = bearerAuth(anyKey({ bearer: 'allowed' }), { handover: true }, ERRORS)
    expect(requiredScopes).toEqual([])
  })
})

describe('under protect', () => {
  test('a bound token needs its proof, and then is the same to a tool', async () => {
    const text = await bound()
    const proof = await proofFor(text, '/bound')
    const answer = await call('/bound', `DPoP ${text}`, proof)
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { token: text, clientId: 'writer', resource: API, extra: { subject: 'alice' }, depth: 3 },
    ])
    for (const again of [proof, undefined]) {
      const refused = await call('/bound', `DPoP ${text}`, again)
      expect([refused.status, await refused.json()]).toMatchObject([
        401,
        { error: 'invalid_dpop_proof' },
      ])
    }
  })

  test.each([
    ['/bound', METADATA],
    ['/elsewhere', 'https://x.example/m'],
  ])('a request without a token is led to the metadata: %s', async (path, metadata) => {
    const answer = await call(path)
    const challenge = answer.headers.get('www-authenticate')
    expect([answer.status, challenge]).toEqual([
      401,
      `DPoP realm="${API}", scope="ledger:propose", algs="ES256 EdDSA RS256", ` +
        `resource_metadata="${metadata}"`,
    ])
  })

  test('the SDK’s client reads the challenge where bearer tokens are taken', async () => {
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(await call('/either'))
    expect([resourceMetadataUrl?.href, scope]).toEqual([METADATA, 'ledger:propose'])
    expect((await call('/either', `Bearer ${await token()}`)).status).toBe(200)
  })
})

describe('a tool', () => {
  const callerWith = async (text: string) => {
    const { verifier } = bearerAuth(anyKey({ bearer: 'allowed' }), NEED, ERRORS)
    return verifier.verifyAccessToken(text)
  }

  test('may need scopes of its own', async () => {
    const caller = await callerWith(await token())
    expect(callerOf(caller, 'ledger:read ledger:propose').subject).toBe('alice')
    expect(() => callerOf(caller, 'ledger:read mail:send')).toThrow(/needs: ledger:read mail:send$/)
    expect(() => callerOf(caller, '')).toThrow(TypeError)
  })

  test('is not called by who was not verified', async () => {
    const { extra } = await callerWith(await token())
    for (const nobody of [undefined, {}, { extra: { ...extra } }])
      expect(() => callerOf(nobody)).toThrow(TypeError)
  })
})

test('the metadata is a document to the SDK', async () => {
  const answer = await call('/.well-known/oauth-protected-resource/api')
  expect(OAuthProtectedResourceMetadataSchema.parse(await answer.json())).toMatchObject({
    resource: API,
    authorization_servers: ['https://as.example.com/t/acme'],
    scopes_supported: ['a'],
  })
})
