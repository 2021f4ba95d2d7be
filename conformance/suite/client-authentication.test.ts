/** RFC 7521, RFC 7523 and rfc7523bis: clients authenticate by JWTs signed with their keys. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect } from 'vitest'
import { ASSERTION_TYPE, Client, type Fault } from './client.ts'
import { isOffered } from './documents.ts'
import { profile } from './given.ts'
import type { Reply } from './http.ts'
import { type Claims, encode, epoch, newKey, respelt, tampered, unsigned } from './jwt.ts'
import {
  api,
  beyond,
  call,
  expectError,
  expectOneOf,
  first,
  issuer,
  isWhole,
  newId,
  ownToken,
  request,
  second,
  subject,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

/** An exchange that is right but for its assertion. */
const withAssertion = (assertion: string): Promise<Reply> =>
  request({ client_assertion_type: ASSERTION_TYPE, client_assertion: assertion })
const withClaims = (assertion: Claims): Promise<Reply> => request({}, { assertion })
/** `what` was sent, where one check sends much. */
const refused = async (reply: Promise<Reply>, what?: unknown): Promise<void> =>
  expectError(await reply, 'invalid_client', 401, what === undefined ? what : JSON.stringify(what))
/** RFC 6749 §5.2: a parameter that is missing or of no use, and a second way of authenticating, are bad requests as well. */
const refusedEitherWay = async (reply: Promise<Reply>): Promise<void> =>
  expectOneOf(await reply, [
    ['invalid_client', 401],
    ['invalid_request', 400],
  ])

describe('the request', () => {
  verifies(
    '7521-4.2-01',
    'an assertion and its type come together',
    async () => {
      await refusedEitherWay(request({ client_assertion: second.assertion() }))
      await refusedEitherWay(
        request({ client_assertion: undefined, client_assertion_type: ASSERTION_TYPE }),
      )
    },
    ['token', 'keys'],
  )

  verifies(
    '7521-4.2-02',
    'a client id beside it is the same client',
    async () => {
      const credentials = {
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: second.assertion(),
      }
      await refusedEitherWay(request({ ...credentials, client_id: first.id }))
      expect((await request({ client_id: second.id })).status).toBe(200)
    },
    ['token', 'keys'],
  )

  verifies(
    ['7521-4.2.1-02', '7523-3.1-02'],
    'a second method beside it fails',
    async () => {
      const basic = Buffer.from(`${second.id}:wrong`).toString('base64')
      await refusedEitherWay(request({}, { headers: { authorization: `Basic ${basic}` } }))
      await refusedEitherWay(request({ client_id: second.id, client_secret: 'wrong' }))
    },
    ['token', 'keys'],
  )

  verifies(
    '7523-2.2-01',
    'the type is the one URN, the assertion one JWT',
    async () => {
      const types = [ASSERTION_TYPE.toUpperCase(), 'urn:x', ASSERTION_TYPE.replace('jwt', 'saml2')]
      for (const client_assertion_type of types) {
        const client_assertion = second.assertion()
        await refusedEitherWay(request({ client_assertion_type, client_assertion }))
      }
      await refused(withAssertion('garbage'))
      await refused(withAssertion(`${second.assertion()} ${second.assertion()}`))
    },
    ['token', 'keys'],
  )
})

describe('claims', () => {
  verifies(
    ['7521-5.2-01', '7521-4.2.1-01', '7523-3-01', '7523-3-02'],
    'issuer and subject are the client, letter by letter',
    async () => {
      const names = [
        first.id,
        `${second.id}/`,
        second.id.toUpperCase(),
        undefined,
        '',
        7,
        [second.id],
      ]
      for (const name of names) {
        for (const claims of [{ iss: name }, { sub: name }]) {
          await refused(withClaims(claims), claims)
        }
      }
      await refused(withClaims({ iss: first.id, sub: first.id }))
    },
    ['token', 'keys'],
  )

  const audiences: readonly unknown[] = [
    `${issuer}/token`,
    `${issuer}/introspect`,
    `${issuer}/`,
    issuer.toUpperCase(),
    [issuer, `${issuer}/token`],
    [issuer, 'https://evil.example'],
    [issuer, issuer],
    [],
    '',
    undefined,
    profile.other.issuer,
    new URL(issuer).origin,
  ]

  verifies(
    '7523bis-3-01',
    'the issuer is the only audience',
    async () => {
      expect((await withClaims({ aud: issuer })).status).toBe(200)
      expect((await withClaims({ aud: [issuer] })).status).toBe(200)
      for (const aud of audiences) await refused(withClaims({ aud }), { aud })
    },
    ['token', 'keys'],
  )

  verifies(
    '7523bis-3-02',
    'at introspection and revocation too',
    async () => {
      const [asker, token] = isWhole ? [first, await subject()] : [second, tokenOf(await request())]
      for (const endpoint of ['introspection', 'revocation'] as const) {
        for (const aud of isOffered(endpoint) ? audiences : []) {
          await refused(asker.post(endpoint, { token }, { assertion: { aud } }), { aud })
        }
      }
      expect((await asker.introspect(token)).json['active']).toBe(true)
    },
    ['token', 'keys', 'introspection'],
  )

  verifies(
    '7523bis-3.2-01',
    'untyped passes, other kinds do not',
    async () => {
      const typed = (typ: unknown): Promise<Reply> => request({}, { assertionHeader: { typ } })
      for (const typ of [undefined, 'JWT', 'client-authentication+jwt']) {
        expect((await typed(typ)).status).toBe(200)
      }
      for (const typ of ['at+jwt', 'dpop+jwt', 'oauth-id-jag+jwt', 'secevent+jwt', 'id+jwt', 'x']) {
        await refused(typed(typ), { typ })
      }
    },
    ['token', 'keys'],
  )

  verifies(
    '7523-3-04',
    'it expires, and has not yet',
    async () => {
      const now = epoch()
      // How far clocks may differ, and that it expires soon, is for the server to say.
      const more = beyond(now - 60, now + 3600, now + 31_536_000, 1e300)
      for (const exp of [undefined, now - 400, -1, `${now + 60}`, ...more]) {
        await refused(withClaims({ exp }), { exp })
      }
      expect((await withClaims({ exp: now + 240 })).status).toBe(200)
    },
    ['token', 'keys'],
  )

  verifies(
    '7523-3-05',
    'it does not work before its time',
    async () => {
      for (const claims of [{ nbf: epoch() + 600 }, ...beyond({ iat: epoch() + 600 })]) {
        await refused(withClaims(claims), claims)
      }
    },
    ['token', 'keys'],
  )

  verifies(
    '7523-3-06',
    'an old one is refused',
    async () => {
      const now = epoch()
      await refused(withClaims({ iat: now - 604_800 }))
    },
    ['token', 'keys'],
  )
})

describe('single use', () => {
  verifies(
    '7523-3-07',
    'a second use fails, of twenty copies one succeeds',
    async () => {
      const assertion = second.assertion()
      expect((await withAssertion(assertion)).status).toBe(200)
      await refused(withAssertion(assertion))
      const raced = second.assertion()
      const replies = await Promise.all(Array.from({ length: 20 }, () => withAssertion(raced)))
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
    },
    ['token', 'keys'],
  )

  verifies('7523-3-07', 'an id belongs to its client', async () => {
    const jti = newId()
    const alone = (fault: Fault): Promise<Reply> => first.alone({ resource: api.uri }, fault)
    expect((await withClaims({ jti })).status).toBe(200)
    expect((await alone({ assertion: { jti } })).status).toBe(200)
    await refused(alone({ assertion: { jti } }))
    await refused(withClaims({ jti: undefined }))
  })
})

describe('signatures', () => {
  verifies(
    '7523-3-08',
    'by a key of the client, and no other',
    async () => {
      for (const change of [tampered, unsigned, ...beyond(respelt)]) {
        await refused(withAssertion(change(second.assertion())), change.name)
      }
      await refused(request({}, { assertionKey: first.key }))
      await refused(request({}, { assertionKey: newKey(second.key.kid) }))
      const hmac = await request({}, { assertionHeader: { alg: 'HS256' } })
      expectError(hmac, 'invalid_client', 401)
      // A key the assertion brought along.
      const own = newKey()
      const jwk = own.publicJwk
      await refused(request({}, { assertionKey: own, assertionHeader: { jwk, kid: undefined } }))
    },
    ['token', 'keys'],
  )

  verifies(
    '7523-3-09',
    'what is no JWT is refused without a fault',
    async () => {
      const good = second.assertion()
      const [header, payload, proof] = good.split('.')
      await refusedEitherWay(withAssertion(''))
      const malformed = [
        '.',
        '..',
        '...',
        `${header}.${payload}`,
        `${good}.x`,
        `${header}..${proof}`,
        `${encode('null')}.${payload}.${proof}`,
        `${encode('[]')}.${payload}.${proof}`,
        `${header}.${encode('7')}.${proof}`,
        `${header}.${encode('{"iss":')}.${proof}`,
        `${header}.${encode(Buffer.from([0xff, 0xfe]))}.${proof}`,
        `${good}=`,
        ` ${good}`,
        `${good}\n`,
        'e30.e30.',
        'a'.repeat(20_000),
        JSON.stringify({ payload, protected: header, signature: proof }),
      ]
      for (const assertion of malformed)
        await refused(withAssertion(assertion), assertion.slice(0, 9))
      const crit = { crit: ['b64'], b64: false }
      await refused(request({}, { assertionHeader: crit }))
      await refused(request({}, { assertionHeader: { crit: [] } }))
    },
    ['token', 'keys'],
  )
})

describe('keys', () => {
  verifies('7523-5-01', 'RS256 is an algorithm of clients', async () => {
    const { rsa } = profile
    if (rsa === undefined) return
    const client = new Client(issuer, rsa)
    expect(client.key.alg).toBe('RS256')
    tokenOf(await client.alone({ resource: api.uri }))
    await refused(client.alone({ resource: api.uri }, { assertionHeader: { alg: 'PS256' } }))
  })

  /** Proofs with keys that are none. */
  function weakProofs(): readonly Fault[] {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const { n, e } = privateKey.export({ format: 'jwk' })
    const rsa = { alg: 'RS256', key: privateKey, kid: undefined, thumbprint: '' }
    const { publicJwk } = second.proofKey
    const weak = [
      { kty: 'RSA', n, e },
      { kty: 'RSA', n, e: 'AQ' },
    ].map((jwk) => ({ proofKey: { ...rsa, publicJwk: jwk }, proofHeader: { jwk } }))
    const impossible = [
      { ...publicJwk, x: publicJwk['y'] },
      { ...publicJwk, crv: 'P-384' },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
    ].map((jwk) => ({ proofHeader: { jwk } }))
    return [...weak, ...impossible]
  }

  verifies(
    '8725-3.4-01',
    'weak and impossible keys are no keys',
    async () => {
      for (const fault of weakProofs()) {
        expectError(await request({}, fault), 'invalid_dpop_proof')
      }
    },
    ['token', 'proofs'],
  )

  verifies('8725-3.4-01', 'nor are they at the resource server', async () => {
    for (const fault of weakProofs()) {
      const called = await call(second, await ownToken(), { fault })
      // Either no key, or not the one the token is bound to.
      expect(called.status).toBe(401)
      expect(['invalid_dpop_proof', 'invalid_token']).toContain(called.json['error'])
    }
  })
})
