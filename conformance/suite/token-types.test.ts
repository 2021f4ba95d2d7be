/** RFC 8693 §2.2.2 and §3: tokens of each type that is taken, and the code of each thing that is wrong. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, ASSERTION_TYPE, Client, ID_TOKEN, JWT } from './client.ts'
import { profile } from './given.ts'
import type { Reply } from './http.ts'
import { newKey, payloadOf, signJwt, tampered } from './jwt.ts'
import {
  agents,
  call,
  exchange,
  expectError,
  first,
  idToken,
  newId,
  open,
  ownToken,
  second,
  subject,
  tokenOf,
} from './scenario.ts'
import { hasVectors, vector } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const SAML = ['saml1', 'saml2'].map((name) => `urn:ietf:params:oauth:token-type:${name}`)
const assertionLike = Buffer.from('<saml:Assertion/>').toString('base64url')

describe('each type', () => {
  verifies('8693-3-02', 'is what it names', async () => {
    const resource = agents.second.endpoint
    const rooted = (subject_token_type: string, token = idToken()): Promise<Reply> =>
      first.exchange(token, { subject_token_type, resource })
    expect((await rooted(ID_TOKEN)).status).toBe(200)
    expect((await rooted(JWT)).status).toBe(200)
    expect((await exchange({ subject_token_type: ACCESS_TOKEN })).status).toBe(200)
    expectError(await rooted(ACCESS_TOKEN), 'invalid_request')
    expectError(await rooted(ID_TOKEN, await subject()), 'invalid_request')
    expectError(await rooted(ID_TOKEN, first.assertion()), 'invalid_request')
    expectError(await rooted(JWT, 'opaque'), 'invalid_request')
    for (const type of SAML) expectError(await rooted(type, assertionLike), 'invalid_request')
  })
})

describe('kinds of tokens', () => {
  /** One right JWT of each kind there is here. */
  async function kinds(): Promise<Readonly<Record<string, string>>> {
    const other = new Client(profile.other.issuer, profile.other.agent)
    return {
      'access token': await subject(),
      'own access token': await ownToken(),
      'ID token': idToken(),
      'client assertion': second.assertion(),
      'DPoP proof': second.proof(),
      'access token of another server': tokenOf(
        await other.alone({ resource: profile.other.api.uri }),
      ),
      ...(hasVectors ? { 'access token of a played issuer': vector() } : {}),
    }
  }

  verifies(['8725-3.12-01', '8725-3.11-01'], 'none passes for another', async () => {
    const places: Readonly<Record<string, (token: string) => Promise<Reply>>> = {
      'access token': (token) => exchange({ subject_token: token }),
      'ID token': (token) => open({}, {}, token),
      'foreign JWT': (token) => open({ subject_token_type: JWT }, {}, token),
      'own access token': (token) =>
        exchange({ actor_token: token, actor_token_type: ACCESS_TOKEN }),
      'client assertion': (token) =>
        exchange({
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: token,
        }),
      'DPoP proof': (token) => exchange({}, { proofs: token }),
      bearer: (token) => call(second, token, { scheme: 'Bearer', proof: null }),
      'bound access token': (token) => call(second, token),
    }
    const passed: string[] = []
    for (const [kind, token] of Object.entries(await kinds())) {
      for (const [place, presentAt] of Object.entries(places)) {
        const { status } = await presentAt(token)
        if (status === 200) passed.push(`${kind} as ${place}`)
        else expect([400, 401]).toContain(status)
      }
    }
    expect(passed.sort()).toEqual([
      'DPoP proof as DPoP proof',
      'ID token as ID token',
      // Who trusts the JWTs of an issuer trusts its ID tokens.
      'ID token as foreign JWT',
      'access token as access token',
      'client assertion as client assertion',
      'own access token as bound access token',
      'own access token as own access token',
    ])
  })

  verifies(
    ['8725-3.10-01', '8725-3.10-02'],
    'keys are not found by what a token says',
    async () => {
      const own = newKey()
      const trap = `https://127.0.0.1:1/${newId()}`
      const headers = [
        { jku: trap, kid: own.kid },
        { jwk: own.publicJwk, kid: undefined },
        { x5u: trap },
        { kid: '../../x' },
        { kid: '__proto__' },
        { kid: 'x'.repeat(10_000) },
        { kid: 7 },
      ]
      for (const header of headers) {
        const alg = 'ES256'
        const root = signJwt(own, { alg, typ: 'JWT', ...header }, payloadOf(idToken()))
        expectError(await open({}, {}, root), 'invalid_request')
        const access = signJwt(own, { alg, typ: 'at+jwt', ...header }, payloadOf(await subject()))
        expectError(await exchange({ subject_token: access }), 'invalid_request')
      }
    },
  )
})

describe('an error', () => {
  verifies(
    '8693-2.2.2-06',
    'has the code of what is wrong',
    async () => {
      const cases: readonly (readonly [string, number, Promise<Reply>])[] = [
        ['invalid_client', 401, exchange({}, { assertionKey: newKey() })],
        ['invalid_scope', 400, exchange({ scope: newId() })],
        ['invalid_target', 400, exchange({ resource: 'https://unknown.example' })],
        ['invalid_dpop_proof', 400, exchange({}, { proof: { htm: 'GET' } })],
        ['invalid_request', 400, exchange({ subject_token: tampered(await subject()) })],
        ['unsupported_grant_type', 400, exchange({ grant_type: 'urn:example:x' })],
      ]
      for (const [error, status, reply] of cases) expectError(await reply, error, status, error)
    },
    ['exchange', 'keys', 'proofs'],
  )

  verifies(
    '8693-2.2.2-05',
    'explains, and repeats nothing',
    async () => {
      const good = await subject()
      const replies = [
        await exchange({ subject_token: `${good.slice(0, -8)}AAAAAAAA` }),
        await exchange({ actor_token: good, actor_token_type: 'urn:example:x' }),
        await exchange({ actor_token: `${good}x`, actor_token_type: ACCESS_TOKEN }),
        await exchange({ resource: 'https://unknown.example' }),
      ]
      for (const { status, text, headers } of replies) {
        expect(status).toBeGreaterThanOrEqual(400)
        const told = text + JSON.stringify(headers)
        for (const part of good.split('.')) expect(told).not.toContain(part.slice(0, 40))
      }
    },
    ['exchange'],
  )
})
