/** RFC 6749 at the token endpoint, and what RFC 6750 asks of the tokens it gives. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, ASSERTION_TYPE, EXCHANGE } from './client.ts'
import { FORM_TYPE, form, type Reply, send } from './http.ts'
import {
  agents,
  api,
  apiServer,
  claimsOf,
  exchange,
  expectError,
  issuer,
  newId,
  open,
  ownToken,
  second,
  subject,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const none = { client_assertion: undefined, client_assertion_type: undefined }
const basic = (name: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
})

describe('client authentication', () => {
  verifies('6749-2.3-01', 'a header and a secret in the body are two ways', async () => {
    const reply = await exchange(
      { ...none, client_id: second.id, client_secret: 'x' },
      { headers: basic(second.id, 'x') },
    )
    expectError(reply, 'invalid_request')
  })

  verifies('6749-2.3.1-02', 'credentials in the URL authenticate nobody', async () => {
    const credentials = {
      client_id: second.id,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: second.assertion(),
    }
    const query = `?${form(credentials)}`
    expectError(await exchange(none, { query }), 'invalid_client', 401)
    const secret = `?${form({ client_id: second.id, client_secret: 'x' })}`
    expectError(await exchange(none, { query: secret }), 'invalid_client', 401)
  })

  verifies('6749-3.2.1-01', 'a client id alone is not enough', async () => {
    expectError(await exchange({ ...none, client_id: second.id }), 'invalid_client', 401)
  })

  verifies('6749-5.2-02', 'a failed header is 401 and a challenge of its scheme', async () => {
    const reply = await exchange(none, { headers: basic(second.id, 'wrong') })
    expectError(reply, 'invalid_client', 401)
    expect(reply.headers['www-authenticate']).toMatch(/^Basic /)
  })

  verifies('6749-5.2-03', 'unknown, absent and unsupported are invalid_client', async () => {
    const unknown = { iss: 'nobody', sub: 'nobody' }
    expectError(await exchange({}, { assertion: unknown }), 'invalid_client', 401)
    expectError(await exchange(none), 'invalid_client', 401)
    const secret = { ...none, client_id: second.id, client_secret: 'x' }
    expectError(await exchange(secret), 'invalid_client', 401)
    const type = { client_assertion: second.assertion(), client_assertion_type: 'urn:x' }
    expectError(await exchange(type), 'invalid_client', 401)
  })

  verifies('6749-5.2-04', 'a client without the grant is unauthorized_client', async () => {
    const given = { subject_token: await subject(), subject_token_type: ACCESS_TOKEN }
    const reply = await apiServer.token({ grant_type: EXCHANGE, ...given })
    expectError(reply, 'unauthorized_client')
    expectError(await apiServer.alone(), 'unauthorized_client')
  })
})

describe('the form', () => {
  verifies('6749-3.2-01', 'other methods give no token', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'HEAD', 'PATCH']) {
      const reply = await send(`${issuer}/token`, { method, headers: { dpop: second.proof() } })
      expect([400, 404, 405]).toContain(reply.status)
      expect(reply.text).not.toContain('access_token"')
    }
  })

  verifies('6749-3.2-02', 'a parameter without a value is absent', async () => {
    const empty = { actor_token: '', actor_token_type: '', scope: '', audience: '' }
    const reply = await exchange(empty)
    expect(reply.status).toBe(200)
    expect(reply.json['scope']).toBe((await exchange({ scope: undefined })).json['scope'])
    expect(claimsOf(await exchange({ requested_token_type: '' }))['aud']).toBe(api.uri)
  })

  verifies('6749-3.2-03', 'unknown parameters change nothing', async () => {
    const reply = await exchange({ foo: ['bar', 'baz'], __proto__x: '1' })
    expect(reply.status).toBe(200)
    expect(reply.json['scope']).toBe(api.read)
  })

  verifies('6749-3.2-04', 'a parameter twice is refused, equal or not', async () => {
    const right = {
      grant_type: EXCHANGE,
      subject_token: await subject(),
      subject_token_type: ACCESS_TOKEN,
      actor_token: await ownToken(),
      actor_token_type: ACCESS_TOKEN,
      requested_token_type: ACCESS_TOKEN,
      scope: api.read,
    }
    for (const [name, value] of Object.entries(right)) {
      for (const other of [value, `${value}x`]) {
        const reply = await exchange({ ...right, [name]: [value, other] })
        expect({ name, error: reply.json['error'] }).toEqual({ name, error: 'invalid_request' })
        expectError(reply, 'invalid_request')
      }
    }
    expectError(await exchange({ ...right, client_id: [second.id, second.id] }), 'invalid_request')
    const assertion = second.assertion()
    const twice = {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: [assertion, assertion],
    }
    expectError(await exchange({ ...right, ...twice }), 'invalid_request')
  })

  verifies('6749-5.2-05', 'an unknown grant and no grant', async () => {
    for (const grant_type of ['authorization_code', 'refresh_token', 'implicit', 'urn:x']) {
      expectError(await second.token({ grant_type }), 'unsupported_grant_type')
    }
    expectError(await second.token({}), 'invalid_request')
    expectError(await second.token({ grant_type: '' }), 'invalid_request')
  })

  verifies('9700-2.4-01', 'there is no password grant', async () => {
    const parameters = { grant_type: 'password', username: 'alice', password: 'x' }
    expectError(await second.token(parameters), 'unsupported_grant_type')
    const { json } = await send(`${issuer}/.well-known/oauth-authorization-server`)
    expect(json['grant_types_supported']).not.toContain('password')
  })
})

describe('scope', () => {
  verifies('6749-3.3-01', 'characters outside the alphabet are refused', async () => {
    const scopes = ['a"b', 'a\\b', 'a\tb', 'lesen:ä', `${api.read}  ${api.write}`, ` ${api.read}`]
    for (const scope of scopes) expectError(await exchange({ scope }), 'invalid_scope')
  })

  verifies('6749-3.3-03', 'no scope is the documented default, within bounds', async () => {
    const reply = await exchange({ scope: undefined })
    const granted: string[] = reply.json['scope'].split(' ')
    expect(granted.every((name) => [api.read, api.write].includes(name))).toBe(true)
  })

  verifies('6749-5.2-06', 'unknown, malformed and excessive scope is invalid_scope', async () => {
    for (const scope of ['unknown', '*', `${api.read}:more`, `${api.read},${api.write}`]) {
      expectError(await exchange({ scope }), 'invalid_scope')
    }
    const { json } = await open({ resource: agents.second.endpoint, scope: api.read })
    const wider = { subject_token: String(json['access_token']), scope: api.write }
    expectError(await exchange(wider), 'invalid_scope')
  })
})

describe('answers', () => {
  const failures = (): Promise<readonly Reply[]> =>
    Promise.all([
      exchange({ subject_token: 'x' }),
      exchange({ scope: 'unknown' }),
      exchange({ resource: 'https://unknown.example' }),
      exchange(none),
      second.token({ grant_type: 'urn:x' }),
      exchange({}, { proofs: null }),
    ])

  verifies('6749-5.1-01', 'tokens and their data are not to be stored', async () => {
    const granted = await exchange()
    const own = await second.alone({ resource: api.uri })
    const introspected = await second.introspect(String(granted.json['access_token']))
    for (const reply of [granted, own, introspected]) {
      expect(reply.status).toBe(200)
      expect(reply.headers['cache-control']).toContain('no-store')
    }
  })

  verifies('6749-5.1-02', 'the older header is there too', async () => {
    expect((await exchange()).headers['pragma']).toBe('no-cache')
  })

  verifies('6749-5.2-01', 'every error is JSON with a code', async () => {
    for (const reply of await failures()) {
      expectError(reply, String(reply.json['error']), reply.status)
      expect([400, 401]).toContain(reply.status)
      expect(reply.json['error']).toMatch(/^[a-z_]+$/)
    }
  })

  verifies('6749-5.2-07', 'what was sent does not come back in an error', async () => {
    const hostile = ['"quoted"', 'back\\slash', 'line\r\nset-cookie: a=b', '🙂', '<b>']
    for (const text of hostile) {
      const replies = await Promise.all([
        exchange({ subject_token_type: text }),
        exchange({ scope: text }),
        exchange({ resource: undefined, audience: text }),
      ])
      for (const { json, headers } of replies) {
        expect(headers['set-cookie']).toBeUndefined()
        const told = [json['error'], json['error_description'], json['error_uri'] ?? 'none']
        for (const member of told) expect(member).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
      }
    }
  })

  verifies('6749-5.2-08', 'errors are not to be stored', async () => {
    for (const { headers } of await failures()) {
      expect(headers['cache-control']).toContain('no-store')
    }
  })
})

describe('what the tokens are', () => {
  verifies(['6750-5.2-01', '6750-5.3-01', '9449-11.2-01'], 'they end, within minutes', async () => {
    const own = await second.alone({ resource: api.uri })
    for (const reply of [await exchange(), await open({ resource: agents.second.endpoint }), own]) {
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
    const reply = await exchange({}, { headers })
    expect(claimsOf(reply)['iss']).toBe(issuer)
    const proof = { htu: 'https://evil.example/token' }
    expectError(await exchange({}, { headers, proof }), 'invalid_dpop_proof')
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
