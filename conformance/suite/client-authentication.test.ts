/** RFC 7521, RFC 7523 and rfc7523bis: clients authenticate by JWTs, whose claims are theirs, for here and for now. */
import { describe, expect } from 'vitest'
import { refused, refusedEitherWay, withAssertion, withClaims } from './assertions.ts'
import { ASSERTION_TYPE, type Fault } from './client.ts'
import { isOffered } from './documents.ts'
import { profile } from './given.ts'
import type { Reply } from './http.ts'
import { epoch } from './jwt.ts'
import {
  api,
  beyond,
  first,
  issuer,
  isWhole,
  newId,
  request,
  second,
  subject,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

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
