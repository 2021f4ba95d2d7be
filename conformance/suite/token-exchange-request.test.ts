/** RFC 8693 §2.1, the request: what an exchange has to say, and what it may not. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, EXCHANGE, NO_ASSERTION } from './client.ts'
import { FORM_TYPE, type Form, form, send } from './http.ts'
import {
  api,
  claimsOf,
  exchange,
  expectError,
  isWhole,
  otherApi,
  second,
  stranger,
  subject,
  subjectType,
  target,
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
      for (const more of [{}, { client_id: second.id }]) {
        expectError(await exchange({ ...NO_ASSERTION, ...more }), 'invalid_client', 401)
      }
      const others = { assertionKey: stranger.key, secret: 'another' }
      expectError(await exchange({}, others), 'invalid_client', 401)
    },
    ['exchange'],
  )
})
