/** The public documents: the same under every form of their address, of one tenant each, and nothing under any other path. */
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { sendRaw } from './raw-request.ts'

let server: TestServer
let origin: string
beforeAll(async () => {
  server = await startAuthorizationServer()
  origin = server.config.publicUrl
})
afterAll(() => server.close())

const NAMES = ['oauth-authorization-server', 'openid-configuration']
const formsOf = (tenant: string): string[] =>
  NAMES.flatMap((name) => [`/.well-known/${name}/t/${tenant}`, `/t/${tenant}/.well-known/${name}`])

const NOT_FOUND = {
  type: 'about:blank',
  status: 404,
  reason: 'not_found',
  detail: 'There is nothing at this path.',
}

describe('metadata', () => {
  test.each(['acme', 'globex'])(
    'of %s is one document under all four addresses',
    async (tenant) => {
      const issuer = server.issuer(tenant)
      for (const path of formsOf(tenant)) {
        const { status, body, type } = await request(origin).get(path)
        expect(status, path).toBe(200)
        expect(type).toBe('application/json')
        expect(body).toEqual({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          introspection_endpoint: `${issuer}/introspect`,
          revocation_endpoint: `${issuer}/revoke`,
          jwks_uri: `${issuer}/jwks`,
          grant_types_supported: [
            'urn:ietf:params:oauth:grant-type:token-exchange',
            'client_credentials',
          ],
          response_types_supported: ['none'],
          scopes_supported: ['files:read', 'files:write', 'mail:send', 'pay:transfer'],
          ...Object.fromEntries(
            ['token', 'introspection', 'revocation'].flatMap((endpoint) => [
              [`${endpoint}_endpoint_auth_methods_supported`, ['private_key_jwt']],
              [
                `${endpoint}_endpoint_auth_signing_alg_values_supported`,
                ['ES256', 'EdDSA', 'Ed25519', 'RS256'],
              ],
            ]),
          ),
          dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'RS256'],
          status_list_aggregation_endpoint: `${issuer}/status`,
        })
      }
    },
  )

  test('names endpoints that are there', async () => {
    const { body } = await request(origin).get(formsOf('acme')[0]!)
    for (const member of ['token_endpoint', 'introspection_endpoint', 'revocation_endpoint']) {
      const { pathname } = new URL(body[member])
      expect((await request(origin).post(pathname).type('form').send('')).status, member).toBe(401)
    }
    for (const member of ['jwks_uri', 'status_list_aggregation_endpoint']) {
      const { pathname } = new URL(body[member])
      expect((await request(origin).get(pathname)).status, member).toBe(200)
    }
  })

  test('names an authorization endpoint for clients that want one; it sends nobody anywhere', async () => {
    const { body } = await request(origin).get(formsOf('acme')[0]!)
    const { pathname } = new URL(body.authorization_endpoint)
    const query = '?response_type=code&client_id=planner&redirect_uri=https://evil.example'
    for (const method of ['get', 'post'] as const) {
      const answer = await request(origin)[method](`${pathname}${query}`)
      expect([answer.status, answer.headers['location']]).toEqual([400, undefined])
      expect(JSON.parse(answer.text)).toMatchObject({ reason: 'authorization_not_offered' })
    }
  })
})

describe('the key set', () => {
  test('has public members alone, and is another for each tenant', async () => {
    const kids: string[] = []
    for (const tenant of ['acme', 'globex']) {
      const { status, body } = await request(origin).get(`/t/${tenant}/jwks`)
      expect(status).toBe(200)
      expect(Object.keys(body)).toEqual(['keys'])
      expect(body.keys).toEqual([
        {
          kty: 'EC',
          crv: 'P-256',
          x: expect.stringMatching(/^[\w-]{43}$/),
          y: expect.stringMatching(/^[\w-]{43}$/),
          kid: expect.any(String),
          alg: 'ES256',
          use: 'sig',
        },
      ])
      kids.push(body.keys[0].kid)
    }
    expect(new Set(kids).size).toBe(2)
  })
})

describe('every document', () => {
  const paths = [...formsOf('acme'), '/t/acme/jwks']

  test.each(paths)('%s may be kept for five minutes and read from any page', async (path) => {
    const { headers } = await request(origin).get(path)
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    })
    expect(headers).not.toHaveProperty('set-cookie')
    expect(headers).not.toHaveProperty('x-powered-by')
  })

  test.each(paths)('%s answers HEAD without a body', async (path) => {
    const [head, get] = [await request(origin).head(path), await request(origin).get(path)]
    expect(head.status).toBe(200)
    expect(head.text ?? '').toBe('')
    expect(head.headers['content-length']).toBe(get.headers['content-length'])
  })

  test.each(['post', 'put', 'patch', 'delete', 'options'] as const)(
    'refuses %s',
    async (method) => {
      for (const path of paths) {
        const { status, headers, type, text } = await request(origin)[method](path)
        expect(status, path).toBe(405)
        expect(headers['allow']).toBe('GET, HEAD')
        expect(headers['cache-control']).toBe('no-store')
        expect(type).toBe('application/problem+json')
        expect(JSON.parse(text)).toEqual({
          type: 'about:blank',
          status: 405,
          reason: 'method_not_allowed',
          detail: 'This document is read with GET.',
        })
      }
    },
  )

  test('is the same whatever is in the query', async () => {
    for (const path of paths) {
      const plain = await request(origin).get(path)
      for (const query of ['?', '?tenant=globex', '?a=1&a=2', '?/t/globex/jwks', '?%23', '??']) {
        const answer = await sendRaw(origin, { target: `${path}${query}` })
        expect([answer.status, JSON.parse(answer.body)]).toEqual([200, plain.body])
      }
    }
  })
})

describe('nothing', () => {
  test.each([
    '/',
    '/t',
    '/t/',
    '/t/acme',
    '/t/acme/',
    '/t/acme/jwks/',
    '/t/acme//jwks',
    '//t/acme/jwks',
    '/t//jwks',
    '/t/ACME/jwks',
    '/T/acme/jwks',
    '/t/acme/JWKS',
    '/t/acme%2fjwks',
    '/t/acme%2Fjwks',
    '/t%2facme/jwks',
    '/t/%61cme/jwks',
    '/t/acme/jwk%73',
    '/t/acme/./jwks',
    '/t/acme/../globex/jwks',
    '/t/acme/..%2fglobex/jwks',
    '/t/acme/%2e%2e/globex/jwks',
    '/t/acme\\jwks',
    '/t/acme\\jwks#x',
    '/t/acme/jwks#',
    '/t/acme/jwks#x',
    '/t/acme/jwks%23',
    '/t/acme;x/jwks',
    'http://evil.example/t/acme/jwks',
    '*',
    '/t/acme/jwks;x',
    '/t/acme/jwks%00',
    '/t/acme%00/jwks',
    '/t/acme/jwks%0a',
    '/t/acme%20/jwks',
    '/t/nobody/jwks',
    '/t/__proto__/jwks',
    '/t/constructor/jwks',
    `/t/${'a'.repeat(64)}/jwks`,
    '/t/9acme/jwks',
    '/t/acme-/../jwks',
    '/t/acme/.well-known',
    '/t/acme/.well-known/jwks.json',
    '/t/nobody/.well-known/openid-configuration',
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server/',
    '/.well-known/oauth-authorization-server/t/acme/',
    '/.well-known/oauth-authorization-server/t/acme/jwks',
    '/.well-known/oauth-authorization-server/t/nobody',
    '/.well-known/OpenID-Configuration/t/acme',
    '/t/acme/.well-known/openid-configuration/t/globex',
    '/t/acme/auth',
    '/t/acme/authorize/',
    '/t/nobody/authorize',
    '/t/acme/me',
    '/t/acme/session/end',
    '/livez',
    '/readyz',
    '/metrics',
    '/.env',
  ])('is at %s', async (target) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, headers, body } = await sendRaw(origin, { method, target })
      expect(status, method).toBe(404)
      expect(headers).toMatch(/^content-type: application\/problem\+json/im)
      expect(headers).toMatch(/^cache-control: no-store/im)
      expect(JSON.parse(body)).toEqual(NOT_FOUND)
    }
  })

  test('of the path is in the answer', async () => {
    const { text } = await request(origin).get('/t/acme/<script>alert(1)</script>')
    expect(JSON.parse(text)).toEqual(NOT_FOUND)
  })

  test('is the answer for an unknown tenant: it reads as any other unknown path', async () => {
    const [tenant, path] = await Promise.all(
      ['/t/nobody/jwks', '/nowhere'].map((target) => sendRaw(origin, { target })),
    )
    expect(tenant?.body).toBe(path?.body)
  })
})
