/** RFC 6749 at the token endpoint, and what RFC 6750 asks of the tokens it gives. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, ASSERTION_TYPE, basic, EXCHANGE } from './client.ts'
import { metadata } from './documents.ts'
import { given } from './given.ts'
import { FORM_TYPE, form, type Reply, send } from './http.ts'
import { unmet } from './needs.ts'
import {
  agents,
  alone,
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
  open,
  ownToken,
  request,
  second,
  subject,
  subjectType,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const hasKey = unmet(['keys']) === undefined
const hasExchange = unmet(['exchange']) === undefined
const none = { client_assertion: undefined, client_assertion_type: undefined }
const header = (name: string, secret: string) => ({ authorization: basic(name, secret) })
const secret = given.agents?.second?.client_secret ?? 'x'

describe('client authentication', () => {
  verifies(
    '6749-2.3-01',
    'a header and a secret in the body are two ways',
    async () => {
      const reply = await request(
        { ...none, client_id: second.id, client_secret: secret },
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
        expectOneOf(await request(none, { query }), [
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
      expectError(await request({ ...none, client_id: second.id }), 'invalid_client', 401)
    },
    ['token'],
  )

  verifies(
    '6749-5.2-02',
    'a failed header is 401 and a challenge of its scheme',
    async () => {
      const reply = await request(none, { headers: header(second.id, 'wrong') })
      expectError(reply, 'invalid_client', 401)
      expect(reply.headers['www-authenticate']).toMatch(/^Basic /)
    },
    ['token'],
  )

  verifies(
    '6749-5.2-03',
    'unknown, absent and unsupported are invalid_client',
    async () => {
      expectError(await request(none), 'invalid_client', 401)
      const wrong = { ...none, client_id: second.id, client_secret: 'wrong' }
      expectError(await request(wrong), 'invalid_client', 401)
      const nobody = { ...none, client_id: 'nobody', client_secret: 'x' }
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

describe('scope', () => {
  verifies(
    '6749-3.3-01',
    'characters outside the alphabet are refused',
    async () => {
      const scopes = ['a"b', 'a\\b', 'a\tb', 'lesen:ä', `${api.read}  ${api.write}`, ` ${api.read}`]
      for (const scope of scopes) expectError(await request({ scope }), 'invalid_scope', 400, scope)
    },
    ['token', 'two_scopes'],
  )

  verifies(
    '6749-3.3-03',
    'no scope is the documented default, within bounds',
    async () => {
      const reply = await request({ scope: undefined })
      const told: unknown = reply.json['scope']
      const granted = typeof told === 'string' ? told.split(' ') : []
      if (isWhole) expect(granted).not.toEqual([])
      expect(granted.every((name) => [api.read, api.write].includes(name))).toBe(true)
    },
    ['token', 'two_scopes'],
  )

  verifies(
    '6749-5.2-06',
    'unknown, malformed and excessive scope is invalid_scope',
    async () => {
      for (const scope of ['unknown', '*', `${api.read}:more`, `${api.read},${api.write}`]) {
        expectError(await request({ scope }), 'invalid_scope', 400, scope)
      }
      if (!isWhole) return
      const { json } = await open({ resource: agents.second.endpoint, scope: api.read })
      const wider = { subject_token: String(json['access_token']), scope: api.write }
      expectError(await request(wider), 'invalid_scope')
    },
    ['token', 'two_scopes'],
  )
})

describe('answers', () => {
  const failures = (): Promise<readonly Reply[]> =>
    Promise.all([
      request(none),
      second.token({ grant_type: 'urn:x' }),
      ...(second.hasProofs ? [request({}, { proofs: 'garbage' })] : []),
      ...(isWhole ? [request({}, { proofs: null })] : []),
      ...(hasExchange
        ? [
            exchange({ subject_token: 'x' }),
            exchange({ scope: 'unknown' }),
            exchange({ resource: 'https://unknown.example' }),
          ]
        : []),
    ])

  verifies(
    '6749-5.1-01',
    'tokens and their data are not to be stored',
    async () => {
      const granted = await request()
      const token = String(granted.json['access_token'])
      const others = isWhole ? [await alone(), await second.introspect(token)] : []
      for (const reply of [granted, ...others]) {
        expect(reply.status).toBe(200)
        expect(reply.headers['cache-control']).toContain('no-store')
      }
    },
    ['token'],
  )

  verifies(
    '6749-5.1-02',
    'the older header is there too',
    async () => {
      expect((await request()).headers['pragma']).toBe('no-cache')
    },
    ['token'],
  )

  verifies(
    '6749-5.2-01',
    'every error is JSON with a code',
    async () => {
      for (const reply of await failures()) {
        expectError(reply, String(reply.json['error']), reply.status)
        expect([400, 401]).toContain(reply.status)
        expect(reply.json['error']).toMatch(/^[a-z_]+$/)
      }
    },
    ['token'],
  )

  verifies(
    '6749-5.2-07',
    'what was sent does not come back in an error',
    async () => {
      const hostile = ['"quoted"', 'back\\slash', 'line\r\nset-cookie: a=b', '🙂', '<b>']
      for (const text of hostile) {
        const replies = await Promise.all([
          request({ subject_token_type: text }),
          request({ scope: text }),
          request({ resource: undefined, audience: text }),
          second.token({ grant_type: text }),
        ])
        for (const { json, headers } of replies) {
          expect(headers['set-cookie']).toBeUndefined()
          const told = [json['error'], json['error_description'], json['error_uri'] ?? 'none']
          for (const member of told) {
            expect(member ?? '').toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
          }
        }
      }
    },
    ['token'],
  )

  verifies(
    '6749-5.2-08',
    'errors are not to be stored',
    async () => {
      for (const { headers } of await failures()) {
        expect(headers['cache-control']).toContain('no-store')
      }
    },
    ['token'],
  )
})

describe('what the tokens are', () => {
  verifies(['6750-5.2-01', '6750-5.3-01', '9449-11.2-01'], 'they end, within minutes', async () => {
    const own = await second.alone({ resource: api.uri })
    for (const reply of [await request(), await open({ resource: agents.second.endpoint }), own]) {
      const { exp, iat } = claimsOf(reply)
      expect(exp - iat).toBeGreaterThan(0)
      expect(reply.json['expires_in']).toBeLessThanOrEqual(300)
    }
    // At the opener's home, where only the token endpoint takes it.
    expect((await open()).json['expires_in']).toBeLessThanOrEqual(3600)
  })

  verifies(['6750-5.3-02', '9068-5-01'], 'each names one audience, and its own', async () => {
    const token = await subject()
    const one = claimsOf(await second.exchange(token, { resource: api.uri }))
    const other = claimsOf(await second.exchange(token, { resource: agents.third.endpoint }))
    expect(one['aud']).toBe(api.uri)
    expect(other['aud']).toBe(agents.third.endpoint)
  })
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
