/** RFC 6749 at the token endpoint, the request: who sends it, and in what form. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, ASSERTION_TYPE, basic, EXCHANGE, NO_ASSERTION } from './client.ts'
import { metadata } from './documents.ts'
import { given } from './given.ts'
import { FORM_TYPE, form, send } from './http.ts'
import { unmet } from './needs.ts'
import {
  api,
  apiServer,
  claimsOf,
  exchange,
  expectError,
  expectOneOf,
  isReadable,
  issuer,
  isWhole,
  newId,
  ownToken,
  request,
  second,
  subject,
  subjectType,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const hasKey = unmet(['keys']) === undefined
const header = (name: string, secret: string) => ({ authorization: basic(name, secret) })
const secret = given.agents?.second?.client_secret ?? 'x'

describe('client authentication', () => {
  verifies(
    '6749-2.3-01',
    'a header and a secret in the body are two ways',
    async () => {
      const reply = await request(
        { ...NO_ASSERTION, client_id: second.id, client_secret: secret },
        { anonymous: true, headers: header(second.id, secret) },
      )
      expectError(reply, 'invalid_request')
    },
    ['token'],
  )

  verifies(
    '6749-2.3.1-02',
    'credentials in the URL authenticate nobody',
    async () => {
      const ask = async (query: string): Promise<void> =>
        expectOneOf(await request(NO_ASSERTION, { query }), [
          ['invalid_client', 401],
          ['invalid_request', 400],
        ])
      if (hasKey) {
        const credentials = {
          client_id: second.id,
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: second.assertion(),
        }
        await ask(`?${form(credentials)}`)
      }
      await ask(`?${form({ client_id: second.id, client_secret: secret })}`)
    },
    ['token'],
  )

  verifies(
    '6749-3.2.1-01',
    'a client id alone is not enough',
    async () => {
      expectError(await request({ ...NO_ASSERTION, client_id: second.id }), 'invalid_client', 401)
    },
    ['token'],
  )

  verifies(
    '6749-5.2-02',
    'a failed header is 401 and a challenge of its scheme',
    async () => {
      const reply = await request(NO_ASSERTION, { headers: header(second.id, 'wrong') })
      expectError(reply, 'invalid_client', 401)
      expect(reply.headers['www-authenticate']).toMatch(/^Basic /)
    },
    ['token'],
  )

  verifies(
    '6749-5.2-03',
    'unknown, absent and unsupported are invalid_client',
    async () => {
      expectError(await request(NO_ASSERTION), 'invalid_client', 401)
      const wrong = { ...NO_ASSERTION, client_id: second.id, client_secret: 'wrong' }
      expectError(await request(wrong), 'invalid_client', 401)
      const nobody = { ...NO_ASSERTION, client_id: 'nobody', client_secret: 'x' }
      expectError(await request(nobody), 'invalid_client', 401)
      if (!hasKey) return
      const unknown = { iss: 'nobody', sub: 'nobody' }
      expectError(await request({}, { assertion: unknown }), 'invalid_client', 401)
      const type = { client_assertion: second.assertion(), client_assertion_type: 'urn:x' }
      expectError(await request(type), 'invalid_client', 401)
    },
    ['token'],
  )

  verifies('6749-5.2-04', 'a client without the grant is unauthorized_client', async () => {
    const given = { subject_token: await subject(), subject_token_type: ACCESS_TOKEN }
    const reply = await apiServer.token({ grant_type: EXCHANGE, ...given })
    expectError(reply, 'unauthorized_client')
    expectError(await apiServer.alone(), 'unauthorized_client')
  })
})

describe('the form', () => {
  verifies(
    '6749-3.2-01',
    'other methods give no token',
    async () => {
      for (const method of ['GET', 'PUT', 'DELETE', 'HEAD', 'PATCH']) {
        const reply = await send(second.url('token'), { method, headers: second.proofHeader() })
        expect([400, 401, 404, 405, 501]).toContain(reply.status)
        expect(reply.text).not.toContain('access_token"')
      }
    },
    ['second'],
  )

  verifies(
    '6749-3.2-02',
    'a parameter without a value is absent',
    async () => {
      const empty = { actor_token: '', actor_token_type: '', scope: '', audience: '' }
      const reply = await request(empty)
      expect(reply.status).toBe(200)
      expect(reply.json['scope']).toBe((await request({ scope: undefined })).json['scope'])
      const untyped = await request({ requested_token_type: '' })
      if (isReadable(tokenOf(untyped))) expect(claimsOf(untyped)['aud']).toBe(api.uri)
    },
    ['token'],
  )

  verifies(
    '6749-3.2-03',
    'unknown parameters change nothing',
    async () => {
      const reply = await request({ foo: ['bar', 'baz'], __proto__x: '1' })
      expect(reply.status).toBe(200)
      expect(reply.json['scope']).toBe((await request()).json['scope'])
    },
    ['token'],
  )

  verifies(
    '6749-3.2-04',
    'a parameter twice is refused, equal or not',
    async () => {
      const right = {
        grant_type: EXCHANGE,
        subject_token: await subject(),
        subject_token_type: subjectType,
        requested_token_type: ACCESS_TOKEN,
        ...(isWhole ? { actor_token: await ownToken(), actor_token_type: ACCESS_TOKEN } : {}),
        ...(given.api?.read === undefined ? {} : { scope: api.read }),
      }
      for (const [name, value] of Object.entries(right)) {
        for (const other of [value, `${value}x`]) {
          const reply = await exchange({ ...right, [name]: [value, other] })
          expectError(reply, 'invalid_request', 400, name)
        }
      }
      if (!hasKey) return
      expectError(await request({ ...right, client_id: [second.id, second.id] }), 'invalid_request')
      const assertion = second.assertion()
      const twice = {
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: [assertion, assertion],
      }
      expectError(await request({ ...right, ...twice }), 'invalid_request')
    },
    ['exchange'],
  )

  verifies(
    '6749-5.2-05',
    'an unknown grant and no grant',
    async () => {
      const has = [metadata['grant_types_supported'] ?? ['authorization_code', 'implicit']].flat()
      for (const grant_type of ['authorization_code', 'refresh_token', 'implicit', 'urn:x']) {
        if (has.includes(grant_type)) continue
        expectError(await second.token({ grant_type }), 'unsupported_grant_type', 400, grant_type)
      }
      expectError(await second.token({}), 'invalid_request')
      expectError(await second.token({ grant_type: '' }), 'invalid_request')
    },
    ['second'],
  )

  verifies(
    '9700-2.4-01',
    'there is no password grant',
    async () => {
      const parameters = { grant_type: 'password', username: 'alice', password: 'x' }
      expectError(await second.token(parameters), 'unsupported_grant_type')
      expect([metadata['grant_types_supported']].flat()).not.toContain('password')
    },
    ['second'],
  )
})

describe('forwarding headers', () => {
  verifies('9700-4.13-01', 'a stranger’s headers change neither issuer nor proof', async () => {
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'host=evil.example;proto=http',
      'x-original-url': '/t/other/token',
      'x-client-cert': newId(),
    }
    const reply = await request({}, { headers })
    expect(claimsOf(reply)['iss']).toBe(issuer)
    const proof = { htu: 'https://evil.example/token' }
    expectError(await request({}, { headers, proof }), 'invalid_dpop_proof')
    const { json } = await send(`${issuer}/.well-known/oauth-authorization-server`, { headers })
    expect(json['issuer']).toBe(issuer)
    const host = await send(`${issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': FORM_TYPE, host: 'evil.example', dpop: second.proof() },
      body: form({
        grant_type: 'client_credentials',
        resource: api.uri,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: second.assertion(),
      }),
    })
    expect(claimsOf(host)['iss']).toBe(issuer)
  })
})
