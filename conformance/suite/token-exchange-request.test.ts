/** RFC 8693 §2.1, the request: what an exchange has to say, and what it may not. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, type Client, EXCHANGE, ID_TOKEN, JWT } from './client.ts'
import { FORM_TYPE, type Form, form, type Reply, send } from './http.ts'
import { altered, epoch, newKey, payloadOf, signJwt, tampered, unsigned } from './jwt.ts'
import {
  agents,
  api,
  claimsOf,
  exchange,
  expectError,
  first,
  handover,
  idToken,
  issuer,
  open,
  otherApi,
  ownToken,
  second,
  stranger,
  subject,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const endpoint = `${issuer}/token`

async function goodForm(client: Client = second): Promise<Form> {
  return {
    grant_type: EXCHANGE,
    subject_token: await subject(),
    subject_token_type: ACCESS_TOKEN,
    resource: api.uri,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: client.assertion(),
  }
}

describe('the request', () => {
  verifies('8693-2.1-01', 'the exact grant type, and POST', async () => {
    expect((await exchange()).status).toBe(200)
    expectError(
      await exchange({ grant_type: EXCHANGE.replace('exchange', 'Exchange') }),
      'unsupported_grant_type',
    )
    const query = form(await goodForm())
    const read = await send(`${endpoint}?${query}`, { headers: { dpop: second.proof() } })
    expect([400, 405]).toContain(read.status)
    expect(read.json['access_token']).toBeUndefined()
  })

  verifies('8693-2.1-02', 'a JSON body or the query has no parameters', async () => {
    const headers = { dpop: second.proof(), 'content-type': 'application/json' }
    const json = await send(endpoint, {
      method: 'POST',
      headers,
      body: JSON.stringify(await goodForm()),
    })
    expectError(json, 'invalid_request')
    const query = await send(`${endpoint}?${form(await goodForm())}`, {
      method: 'POST',
      headers: { dpop: second.proof(), 'content-type': FORM_TYPE },
    })
    expect(query.status).toBeGreaterThanOrEqual(400)
    expect(query.json['access_token']).toBeUndefined()
    // Authenticated in the body, the rest in the query.
    const { client_assertion, client_assertion_type, ...rest } = await goodForm()
    const mixed = await second.post('token', {}, { query: `?${form(rest)}` })
    expectError(mixed, 'invalid_request')
    expect([client_assertion, client_assertion_type]).toHaveLength(2)
  })

  verifies('8693-2.1-03', 'a subject token is required', async () => {
    expectError(await exchange({ subject_token: undefined }), 'invalid_request')
    expectError(await exchange({ subject_token: '' }), 'invalid_request')
  })

  verifies('8693-2.1-04', 'a subject token type is required', async () => {
    expectError(await exchange({ subject_token_type: undefined }), 'invalid_request')
    expectError(await exchange({ subject_token_type: '' }), 'invalid_request')
  })

  verifies('8693-2.1-05', 'unknown token types are a bad request', async () => {
    expectError(await exchange({ subject_token_type: 'urn:example:x' }), 'invalid_request')
    const actor_token = await ownToken()
    expectError(
      await exchange({ actor_token, actor_token_type: 'urn:example:x' }),
      'invalid_request',
    )
  })

  verifies('8693-3-03', 'token types compare exactly', async () => {
    for (const subject_token_type of [
      ACCESS_TOKEN.toUpperCase(),
      ACCESS_TOKEN.replace('urn:ietf', 'URN:IETF'),
      `${ACCESS_TOKEN} `,
      'access_token',
    ]) {
      expectError(await exchange({ subject_token_type }), 'invalid_request')
    }
  })

  verifies('8693-2.1-06', 'an actor token without its type is refused', async () => {
    expectError(await exchange({ actor_token: await ownToken() }), 'invalid_request')
  })

  verifies('8693-2.1-07', 'an actor token type alone is refused', async () => {
    expectError(await exchange({ actor_token_type: ACCESS_TOKEN }), 'invalid_request')
  })
})

/** Tokens that are wrong in themselves, as subject of the second agent. */
async function badSubjects(): Promise<Readonly<Record<string, Form>>> {
  const good = await handover()
  const revoked = await handover()
  await first.revoke(revoked)
  const now = epoch()
  const id = (token: string): Form => ({ subject_token: token, subject_token_type: ID_TOKEN })
  const foreign = newKey()
  const claims = { ...payloadOf(good), jti: 'other' }
  return {
    'bad signature': { subject_token: tampered(good) },
    'changed claims': { subject_token: altered(good, { scope: 'x' }) },
    'no signature': { subject_token: unsigned(good) },
    'a key of nobody': { subject_token: signJwt(foreign, { alg: 'ES256', typ: 'at+jwt' }, claims) },
    revoked: { subject_token: revoked },
    'unknown opaque token': { subject_token: 'dGhpcyBpcyBubyB0b2tlbg' },
    expired: id(idToken({ claims: { exp: now - 60 } })),
    'without an end': id(idToken({ claims: { exp: undefined } })),
    'not valid yet': id(idToken({ claims: { nbf: now + 600 } })),
    'issued in the future': id(idToken({ claims: { iat: now + 600 } })),
    'unknown issuer': id(idToken({ claims: { iss: 'https://unknown.example' } })),
    'bad signature of an ID token': id(tampered(idToken())),
    'unsigned ID token': id(unsigned(idToken())),
  }
}

const isIdToken = ({ subject_token_type: type }: Form): boolean => type === ID_TOKEN

describe('input tokens', () => {
  verifies(['8693-2.1-08', '8693-2.2.2-01'], 'a bad subject token is invalid_request', async () => {
    for (const [what, parameters] of Object.entries(await badSubjects())) {
      const client = isIdToken(parameters) ? first : second
      const reply = await client.exchange('', { resource: agents.third.endpoint, ...parameters })
      expect({ what, status: reply.status, error: reply.json['error'] }).toEqual({
        what,
        status: 400,
        error: 'invalid_request',
      })
      expect(reply.json['access_token']).toBeUndefined()
    }
  })

  verifies(['8693-2.1-09', '8693-2.2.2-02'], 'a bad actor token is invalid_request', async () => {
    const good = await ownToken()
    const revoked = tokenOf(await second.alone({ resource: api.uri }))
    await second.revoke(revoked)
    const claims = { ...payloadOf(good), jti: 'other' }
    const actors: Readonly<Record<string, string>> = {
      'bad signature': tampered(good),
      'changed claims': altered(good, { exp: epoch() + 9999 }),
      'no signature': unsigned(good),
      'a key of nobody': signJwt(newKey(), { alg: 'ES256', typ: 'at+jwt' }, claims),
      revoked,
      'unknown opaque token': 'dGhpcyBpcyBubyB0b2tlbg',
      'unknown issuer': idToken({ claims: { iss: 'https://unknown.example' } }),
    }
    for (const [what, actor_token] of Object.entries(actors)) {
      const reply = await exchange({ actor_token, actor_token_type: ACCESS_TOKEN })
      expect({ what, error: reply.json['error'] }).toEqual({ what, error: 'invalid_request' })
      expectError(reply, 'invalid_request')
    }
    // The control: nothing but the actor token was wrong.
    expect((await exchange({ actor_token: good, actor_token_type: ACCESS_TOKEN })).status).toBe(200)
  })

  verifies('8693-2.1-10', 'a token of another type than declared is refused', async () => {
    const refused = async (reply: Promise<Reply>): Promise<void> =>
      expectError(await reply, 'invalid_request')
    const access = await subject()
    await refused(open({ subject_token_type: ACCESS_TOKEN, resource: agents.second.endpoint }))
    await refused(exchange({ subject_token: access, subject_token_type: ID_TOKEN }))
    await refused(exchange({ subject_token: access, subject_token_type: JWT }))
    await refused(exchange({ subject_token: 'opaque', subject_token_type: JWT }))
    await refused(open({}, {}, idToken({ header: { typ: 'at+jwt' } })))
    const actor = { actor_token: idToken(), actor_token_type: ACCESS_TOKEN }
    await refused(exchange(actor))
  })

  verifies(
    '8693-3-01',
    'an access token of another issuer is a JWT, not an access token',
    async () => {
      const token = idToken({ header: { typ: 'at+jwt' } })
      const target = { resource: agents.second.endpoint }
      expectError(await first.exchange(token, target), 'invalid_request')
      expect((await open({ ...target, subject_token_type: JWT }, {}, token)).status).toBe(200)
    },
  )

  verifies('8693-2.1-22', 'an exchange leaves its subject token as it was', async () => {
    const token = await handover()
    for (let times = 0; times < 2; times++) {
      const parameters = { resource: api.uri, scope: api.read }
      expect((await second.exchange(token, parameters)).status).toBe(200)
      expect((await first.introspect(token)).json['active']).toBe(true)
    }
  })
})

describe('targets', () => {
  verifies(['8693-2.1-11', '8707-2-01'], 'a resource is an absolute URI', async () => {
    const names = ['/api', 'api.example', '//api.example/x', 'https//api.example', '?x', ' ']
    for (const resource of names) {
      expectError(await exchange({ resource }), 'invalid_target')
      expectError(await second.alone({ resource }), 'invalid_target')
    }
    // RFC 6749 §3.2: without a value it is as if it were not sent.
    const reply = await open({ resource: '' })
    expect(claimsOf(reply)['aud']).toBe(claimsOf(await open())['aud'])
  })

  verifies(['8693-2.1-12', '8707-2-02'], 'a resource has no fragment', async () => {
    for (const ending of ['#x', '#', '?#', '/#']) {
      expectError(await exchange({ resource: `${api.uri}${ending}` }), 'invalid_target')
    }
  })

  verifies(
    ['8693-2.1-14', '8707-2-05', '9700-2.3-01'],
    'two resources are refused as a target',
    async () => {
      expectError(await exchange({ resource: [api.uri, otherApi.uri] }), 'invalid_target')
      expectError(await exchange({ resource: [api.uri, api.uri] }), 'invalid_target')
      expectError(await second.alone({ resource: [api.uri, otherApi.uri] }), 'invalid_target')
    },
  )

  verifies('8693-2.1-15', 'two audiences are refused as a target', async () => {
    const audience = [api.name, otherApi.name]
    expectError(await exchange({ resource: undefined, audience }), 'invalid_target')
  })

  verifies('8693-2.1-16', 'audience and resource agree, or it is refused', async () => {
    expect(claimsOf(await exchange({ audience: api.name }))['aud']).toBe(api.uri)
    expectError(await exchange({ audience: otherApi.name }), 'invalid_target')
  })

  verifies(
    ['8693-2.2.2-04', '8707-2-03'],
    'an unknown or closed target is invalid_target',
    async () => {
      expectError(await exchange({ resource: 'https://unknown.example' }), 'invalid_target')
      expectError(await exchange({ resource: undefined, audience: 'unknown' }), 'invalid_target')
      expectError(await exchange({ resource: agents.stranger.endpoint }), 'invalid_target')
    },
  )

  verifies('8707-2-07', 'a slash more is another resource', async () => {
    expectError(await exchange({ resource: `${api.uri}/` }), 'invalid_target')
  })
})

describe('scope and type', () => {
  verifies('8693-2.1-18', 'scope names differ by case', async () => {
    expectError(await exchange({ scope: api.read.toUpperCase() }), 'invalid_scope')
  })

  verifies(
    ['8693-2.1.1-01', '9068-2.2.3-02', '8707-2.2-01'],
    'a scope of another target',
    async () => {
      const scope = `${api.read} ${otherApi.scope}`
      expectError(await exchange({ scope }), 'invalid_scope')
      expectError(await exchange({ scope: otherApi.scope }), 'invalid_scope')
      const cut = claimsOf(await exchange({ scope: undefined }))
      expect(cut['scope'].split(' ')).not.toContain(otherApi.scope)
    },
  )

  verifies('8693-2.1-20', 'a type that is not issued is refused', async () => {
    const types = ['id_token', 'refresh_token', 'saml1', 'saml2', 'jwt', 'id-jag', 'x']
    for (const type of types) {
      const requested_token_type = `urn:ietf:params:oauth:token-type:${type}`
      expectError(await exchange({ requested_token_type }), 'invalid_request')
    }
  })

  verifies('8693-2.1-21', 'nobody exchanges without authentication', async () => {
    const anonymous = { client_assertion: undefined, client_assertion_type: undefined }
    for (const more of [{}, { client_id: second.id }]) {
      expectError(await exchange({ ...anonymous, ...more }), 'invalid_client', 401)
    }
    expectError(
      await second.exchange(await subject(), {}, { assertionKey: stranger.key }),
      'invalid_client',
      401,
    )
  })
})
