/**
 * Who the server is comes from configuration. No header of a caller or of a proxy in front, and no absolute request target,
 * changes an issuer, an endpoint, an accepted audience or the URI a proof has to name (RFC 9700 §4.13).
 */
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AgentClient, ASSERTION_TYPE } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { payloadOf } from '../support/signing.ts'
import { sendRaw } from './raw-request.ts'

const SPOOFED: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['Host', { host: 'evil.example' }],
  ['Host with a port', { host: 'evil.example:443' }],
  ['Host with userinfo', { host: '127.0.0.1@evil.example' }],
  ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example' }],
  ['X-Forwarded-Proto', { 'x-forwarded-proto': 'https' }],
  [
    'all that a proxy sends',
    {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
      'x-forwarded-prefix': '/evil',
      'x-forwarded-for': '10.0.0.1',
    },
  ],
  ['Forwarded', { forwarded: 'for=10.0.0.1;host=evil.example;proto=https' }],
  ['X-Original-URL', { 'x-original-url': '/t/globex/token', 'x-rewrite-url': '/t/globex/token' }],
  ['Origin and Referer', { origin: 'https://evil.example', referer: 'https://evil.example/' }],
]
const DOCUMENTS = [
  '/.well-known/oauth-authorization-server/t/acme',
  '/t/acme/.well-known/openid-configuration',
  '/t/acme/jwks',
]

let server: TestServer
let origin: string
let planner: AgentClient
beforeAll(async () => {
  server = await startAuthorizationServer()
  origin = server.config.publicUrl
  planner = server.client('planner')
})
afterAll(() => server.close())

interface Named {
  readonly aud?: string
  readonly htu?: string
}

/** A root exchange whose assertion and proof may name another server. */
const open = (headers: Readonly<Record<string, string>>, named: Named = {}) =>
  request(origin)
    .post('/t/acme/token')
    .set({
      ...headers,
      dpop: planner.proof(named.htu === undefined ? {} : { proof: { htu: named.htu } }),
    })
    .type('form')
    .send({
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: planner.assertion(
        named.aud === undefined ? {} : { assertion: { aud: named.aud } },
      ),
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: server.idToken(),
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    })

describe.each(SPOOFED)('%s', (_, headers) => {
  test('changes no document', async () => {
    for (const path of DOCUMENTS) {
      const plain = await request(origin).get(path)
      const spoofed = await request(origin).get(path).set(headers)
      expect([spoofed.status, spoofed.text]).toEqual([200, plain.text])
      expect(JSON.stringify(spoofed.headers)).not.toContain('evil')
    }
  })

  test('changes no issuer of a token, and an honest request is served', async () => {
    const { status, body } = await open(headers)
    expect(status).toBe(200)
    const claims = payloadOf(String(body['access_token']))
    expect(claims).toMatchObject({ iss: server.issuer(), client_id: 'planner' })
    expect(JSON.stringify(claims)).not.toContain('evil')
  })

  test.each([
    ['evil.example', 'http'],
    ['evil.example', 'https'],
    ['127.0.0.1', 'https'],
  ])('opens no door to a proof for %s over %s', async (host, scheme) => {
    const { status, body } = await open(headers, { htu: `${scheme}://${host}/t/acme/token` })
    expect([status, body.reason]).toEqual([400, 'proof_invalid'])
  })

  test.each([
    'http://evil.example/t/acme',
    'https://evil.example/t/acme',
    'http://evil.example/t/acme/token',
  ])('opens no door to an assertion for %s', async (aud) => {
    const { status, body } = await open(headers, { aud })
    expect([status, body.reason]).toEqual([401, 'client_authentication_failed'])
  })

  test('is in no refusal', async () => {
    const { text, headers: answered } = await request(origin).post('/t/acme/token').set(headers)
    expect(`${text}${JSON.stringify(answered)}`).not.toContain('evil')
    const missing = await request(origin).get('/nowhere').set(headers)
    expect(`${missing.text}${JSON.stringify(missing.headers)}`).not.toContain('evil')
  })
})

describe('an absolute request target', () => {
  test.each([...DOCUMENTS, '/t/acme/token'])('is nobody’s: %s', async (path) => {
    for (const authority of ['http://evil.example', origin, 'http://a@evil.example']) {
      for (const method of ['GET', 'POST']) {
        const { status, body, headers } = await sendRaw(origin, {
          method,
          target: authority + path,
        })
        expect([status, JSON.parse(body).reason]).toEqual([404, 'not_found'])
        expect(`${headers}${body}`).not.toContain('evil')
      }
    }
  })
})

test('no page may read an answer of an endpoint, whether it says who it is or not', async () => {
  for (const headers of [{}, { origin: 'https://evil.example' }]) {
    for (const answer of [
      await open(headers),
      await open(headers, { aud: 'x' }),
      await request(origin).post('/t/acme/introspect').set(headers),
      await request(origin).options('/t/acme/token').set(headers),
    ]) {
      const names = Object.keys(answer.headers)
      expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  }
})

test('a request without a Host is refused by the parser; a second one is nothing', async () => {
  const target = '/t/acme/jwks'
  expect((await sendRaw(origin, { target, host: null })).status).toBe(400)
  const plain = await sendRaw(origin, { target })
  const twice = await sendRaw(origin, { target, headers: ['Host: evil.example'] })
  expect(twice.body).toBe(plain.body)
})
