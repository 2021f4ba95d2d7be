/** RFC 8693 §2.1, the tokens of a request: held to the rules of the type they are declared as, and none changed by it. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, ID_TOKEN, JWT } from './client.ts'
import { given } from './given.ts'
import type { Form, Reply } from './http.ts'
import { altered, epoch, headerOf, newKey, payloadOf, signJwt, tampered, unsigned } from './jwt.ts'
import {
  agents,
  api,
  exchange,
  expectError,
  first,
  freshSubject,
  handover,
  idToken,
  isReadable,
  isWhole,
  open,
  ownToken,
  second,
  subject,
  subjectType,
  target,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

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
