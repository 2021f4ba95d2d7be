/** RFC 8693 §2.1, the request: what an exchange has to say, and what it may not. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, EXCHANGE, ID_TOKEN, JWT } from './client.ts'
import { given } from './given.ts'
import { FORM_TYPE, type Form, form, type Reply, send } from './http.ts'
import { altered, epoch, headerOf, newKey, payloadOf, signJwt, tampered, unsigned } from './jwt.ts'
import {
  agents,
  api,
  claimsOf,
  exchange,
  expectError,
  first,
  freshSubject,
  handover,
  idToken,
  isReadable,
  isWhole,
  open,
  otherApi,
  ownToken,
  second,
  stranger,
  subject,
  subjectType,
  target,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const endpoint = second.url('token')

async function goodForm(): Promise<Form> {
  const token = { subject_token: await subject(), subject_token_type: subjectType }
  return { grant_type: EXCHANGE, ...token, ...target }
}

/** What proves who sends it, but for what is in the form. */
const goodHeaders = () => ({ ...second.credentials().headers, ...second.proofHeader() })

describe('the request', () => {
  verifies(
    '8693-2.1-01',
    'the exact grant type, and POST',
    async () => {
      expect((await exchange()).status).toBe(200)
      expectError(
        await exchange({ grant_type: EXCHANGE.replace('exchange', 'Exchange') }),
        'unsupported_grant_type',
      )
      const query = form({ ...(await goodForm()), ...second.credentials().form })
      const read = await send(`${endpoint}?${query}`, { headers: goodHeaders() })
      expect([400, 404, 405]).toContain(read.status)
      expect(read.json['access_token']).toBeUndefined()
    },
    ['exchange'],
  )

  verifies(
    '8693-2.1-02',
    'a JSON body or the query has no parameters',
    async () => {
      const whole = async () => ({ ...(await goodForm()), ...second.credentials().form })
      const json = await send(endpoint, {
        method: 'POST',
        headers: { ...goodHeaders(), 'content-type': 'application/json' },
        body: JSON.stringify(await whole()),
      })
      expectError(json, 'invalid_request')
      const query = await send(`${endpoint}?${form(await whole())}`, {
        method: 'POST',
        headers: { ...goodHeaders(), 'content-type': FORM_TYPE },
      })
      expect(query.status).toBeGreaterThanOrEqual(400)
      expect(query.json['access_token']).toBeUndefined()
      // Authenticated as it should be, the rest in the query.
      const mixed = await second.post('token', {}, { query: `?${form(await goodForm())}` })
      expectError(mixed, 'invalid_request')
    },
    ['exchange'],
  )

  verifies(
    '8693-2.1-03',
    'a subject token is required',
    async () => {
      expectError(await exchange({ subject_token: undefined }), 'invalid_request')
      expectError(await exchange({ subject_token: '' }), 'invalid_request')
    },
    ['exchange'],
  )

  verifies(
    '8693-2.1-04',
    'a subject token type is required',
    async () => {
      expectError(await exchange({ subject_token_type: undefined }), 'invalid_request')
      expectError(await exchange({ subject_token_type: '' }), 'invalid_request')
    },
    ['exchange'],
  )

  verifies(
    '8693-2.1-05',
    'unknown token types are a bad request',
    async () => {
      expectError(await exchange({ subject_token_type: 'urn:example:x' }), 'invalid_request')
      const actor_token = await subject()
      expectError(
        await exchange({ actor_token, actor_token_type: 'urn:example:x' }),
        'invalid_request',
      )
    },
    ['exchange'],
  )

  verifies(
    '8693-3-03',
    'token types compare exactly',
    async () => {
      for (const subject_token_type of [
        ACCESS_TOKEN.toUpperCase(),
        ACCESS_TOKEN.replace('urn:ietf', 'URN:IETF'),
        `${ACCESS_TOKEN} `,
        'access_token',
      ]) {
        expectError(
          await exchange({ subject_token_type }),
          'invalid_request',
          400,
          subject_token_type,
        )
      }
    },
    ['exchange'],
  )

  verifies(
    '8693-2.1-06',
    'an actor token without its type is refused',
    async () => {
      expectError(await exchange({ actor_token: await subject() }), 'invalid_request')
    },
    ['exchange'],
  )

  verifies(
    '8693-2.1-07',
    'an actor token type alone is refused',
    async () => {
      expectError(await exchange({ actor_token_type: ACCESS_TOKEN }), 'invalid_request')
    },
    ['exchange'],
  )
})

/** Tokens that are wrong in themselves, as subject of the second agent. */
async function badSubjects(): Promise<Readonly<Record<string, Form>>> {
  return given.subject === undefined ? badHandovers() : badTokens(await subject())
}

function badTokens(good: string): Readonly<Record<string, Form>> {
  const opaque = {
    'another character': { subject_token: tampered(good) },
    'cut short': { subject_token: good.slice(0, -2) },
    'unknown opaque token': { subject_token: 'dGhpcyBpcyBubyB0b2tlbg' },
  }
  if (!isReadable(good)) return opaque
  const claims = { ...payloadOf(good), jti: 'other' }
  const { alg, typ } = headerOf(good)
  return {
    ...opaque,
    'changed claims': { subject_token: altered(good, { scope: 'x' }) },
    'no signature': { subject_token: unsigned(good) },
    'a key of nobody': { subject_token: signJwt(newKey(), { alg, typ }, claims) },
  }
}

/** With an issuer of ID tokens and agents that hand work to each other there is more to be wrong. */
async function badHandovers(): Promise<Readonly<Record<string, Form>>> {
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
  verifies(
    ['8693-2.1-08', '8693-2.2.2-01'],
    'a bad subject token is invalid_request',
    async () => {
      for (const [what, parameters] of Object.entries(await badSubjects())) {
        const client = isIdToken(parameters) ? first : second
        const whither = isWhole ? { resource: agents.third.endpoint } : target
        const rest = { subject_token_type: subjectType, ...whither, ...parameters }
        expectError(await client.exchange('', rest), 'invalid_request', 400, what)
      }
    },
    ['exchange'],
  )

  verifies(
    ['8693-2.1-09', '8693-2.2.2-02'],
    'a bad actor token is invalid_request',
    async () => {
      const good = isWhole ? await ownToken() : await subject()
      if (!isWhole) {
        expect((await exchange()).status).toBe(200)
        for (const [what, { subject_token: actor_token }] of Object.entries(badTokens(good))) {
          const reply = await exchange({ actor_token, actor_token_type: subjectType })
          expectError(reply, 'invalid_request', 400, what)
        }
        return
      }
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
      expect((await exchange({ actor_token: good, actor_token_type: ACCESS_TOKEN })).status).toBe(
        200,
      )
    },
    ['exchange'],
  )

  verifies(
    '8693-2.1-10',
    'a token of another type than declared is refused',
    async () => {
      const refused = async (reply: Promise<Reply>): Promise<void> =>
        expectError(await reply, 'invalid_request')
      const access = await subject()
      if (!isWhole) {
        const others = [ID_TOKEN, ID_TOKEN.replace('id_token', 'saml2')]
        for (const type of others.filter((other) => other !== subjectType)) {
          await refused(exchange({ subject_token_type: type }))
        }
        return
      }
      await refused(open({ subject_token_type: ACCESS_TOKEN, resource: agents.second.endpoint }))
      await refused(exchange({ subject_token: access, subject_token_type: ID_TOKEN }))
      await refused(exchange({ subject_token: access, subject_token_type: JWT }))
      await refused(exchange({ subject_token: 'opaque', subject_token_type: JWT }))
      await refused(open({}, {}, idToken({ header: { typ: 'at+jwt' } })))
      const actor = { actor_token: idToken(), actor_token_type: ACCESS_TOKEN }
      await refused(exchange(actor))
    },
    ['exchange'],
  )

  verifies(
    '8693-3-01',
    'an access token of another issuer is a JWT, not an access token',
    async () => {
      const token = idToken({ header: { typ: 'at+jwt' } })
      const whither = { resource: agents.second.endpoint }
      expectError(await first.exchange(token, whither), 'invalid_request')
      expect((await open({ ...whither, subject_token_type: JWT }, {}, token)).status).toBe(200)
    },
  )

  verifies(
    '8693-2.1-22',
    'an exchange leaves its subject token as it was',
    async () => {
      const token = await freshSubject()
      for (let times = 0; times < 2; times++) {
        expect((await exchange({ subject_token: token })).status).toBe(200)
        if (isWhole) expect((await first.introspect(token)).json['active']).toBe(true)
      }
    },
    ['exchange'],
  )
})

/** Both are served, where the answer or the token says so, or the request is refused as a target. */
function expectBothOrNone(reply: Reply, other: string): void {
  const token = String(reply.json['access_token'] ?? '')
  const audience: unknown = isReadable(token) ? payloadOf(token)['aud'] : reply.json['resource']
  const isBoth = Array.isArray(audience) && audience.length === 2 && audience.includes(other)
  if (isWhole || !isBoth) expectError(reply, 'invalid_target')
}

describe('targets', () => {
  verifies(
    ['8693-2.1-11', '8707-2-01'],
    'a resource is an absolute URI',
    async () => {
      const names = ['/api', 'api.example', '//api.example/x', 'https//api.example', '?x', ' ']
      for (const resource of names) {
        expectError(await exchange({ resource }), 'invalid_target', 400, resource)
        if (isWhole) expectError(await second.alone({ resource }), 'invalid_target')
      }
      if (!isWhole) return
      // RFC 6749 §3.2: without a value it is as if it were not sent.
      const reply = await open({ resource: '' })
      expect(claimsOf(reply)['aud']).toBe(claimsOf(await open())['aud'])
    },
    ['exchange', 'resource'],
  )

  verifies(
    ['8693-2.1-12', '8707-2-02'],
    'a resource has no fragment',
    async () => {
      for (const ending of ['#x', '#', '?#', '/#']) {
        expectError(
          await exchange({ resource: `${api.uri}${ending}` }),
          'invalid_target',
          400,
          ending,
        )
      }
    },
    ['exchange', 'resource'],
  )

  verifies(
    ['8693-2.1-14', '8707-2-05', '9700-2.3-01'],
    'two resources are refused as a target',
    async () => {
      expectBothOrNone(await exchange({ resource: [api.uri, otherApi.uri] }), otherApi.uri)
      if (!isWhole) return
      expectError(await exchange({ resource: [api.uri, api.uri] }), 'invalid_target')
      expectError(await second.alone({ resource: [api.uri, otherApi.uri] }), 'invalid_target')
    },
    ['exchange', 'two_resources'],
  )

  verifies(
    '8693-2.1-15',
    'two audiences are refused as a target',
    async () => {
      const audience = [api.name, otherApi.name]
      expectBothOrNone(await exchange({ resource: undefined, audience }), otherApi.name)
    },
    ['exchange', 'two_audiences'],
  )

  verifies(
    '8693-2.1-16',
    'audience and resource agree, or it is refused',
    async () => {
      expect(claimsOf(await exchange({ audience: api.name }))['aud']).toBe(api.uri)
      expectError(await exchange({ audience: otherApi.name }), 'invalid_target')
    },
    ['exchange', 'resource', 'two_audiences', 'jwt'],
  )

  verifies(
    ['8693-2.2.2-04', '8707-2-03'],
    'an unknown or closed target is invalid_target',
    async () => {
      for (const [what, place] of Object.entries({
        resource: { resource: 'https://unknown.example', audience: undefined },
        audience: { resource: undefined, audience: 'unknown' },
      })) {
        expectError(await exchange(place), 'invalid_target', 400, what)
      }
      if (!isWhole) return
      expectError(await exchange({ resource: agents.stranger.endpoint }), 'invalid_target')
    },
    ['exchange'],
  )

  verifies(
    '8707-2-07',
    'a slash more is another resource',
    async () => {
      expectError(await exchange({ resource: `${api.uri}/` }), 'invalid_target')
    },
    ['exchange', 'resource'],
  )
})

describe('scope and type', () => {
  verifies(
    '8693-2.1-18',
    'scope names differ by case',
    async () => {
      expectError(await exchange({ scope: api.read.toUpperCase() }), 'invalid_scope')
    },
    ['exchange', 'scope'],
  )

  verifies(
    ['8693-2.1.1-01', '9068-2.2.3-02', '8707-2.2-01'],
    'a scope of another target',
    async () => {
      const scope = `${api.read} ${otherApi.scope}`
      const reply = await exchange({ scope })
      if (!isWhole && reply.status === 200) {
        // Cut, and told so.
        expect(String(reply.json['scope']).split(' ')).toEqual([api.read])
        return
      }
      expectError(reply, 'invalid_scope')
      expectError(await exchange({ scope: otherApi.scope }), 'invalid_scope')
      const cut = await exchange({ scope: undefined })
      expect(String(cut.json['scope']).split(' ')).not.toContain(otherApi.scope)
      if (isWhole) expect(claimsOf(cut)['scope']).toBe(cut.json['scope'])
    },
    ['exchange', 'other_scope'],
  )

  verifies(
    '8693-2.1-20',
    'a type that is not issued is refused',
    async () => {
      const types = ['id_token', 'refresh_token', 'saml1', 'saml2', 'jwt', 'id-jag', 'x']
      for (const type of types) {
        const requested_token_type = `urn:ietf:params:oauth:token-type:${type}`
        const reply = await exchange({ requested_token_type })
        const isIssued = !isWhole && reply.json['issued_token_type'] === requested_token_type
        if (!isIssued) expectError(reply, 'invalid_request', 400, type)
      }
    },
    ['exchange'],
  )

  verifies(
    '8693-2.1-21',
    'nobody exchanges without authentication',
    async () => {
      const anonymous = { client_assertion: undefined, client_assertion_type: undefined }
      for (const more of [{}, { client_id: second.id }]) {
        expectError(await exchange({ ...anonymous, ...more }), 'invalid_client', 401)
      }
      const others = { assertionKey: stranger.key, secret: 'another' }
      expectError(await exchange({}, others), 'invalid_client', 401)
    },
    ['exchange'],
  )
})
