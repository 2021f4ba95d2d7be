/** Threats J, second half: well-signed tokens of the wrong types, the wrong kind, or with names that only look right. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS_TOKEN, ID_TOKEN, JWT_TYPE } from '../support/agent-client.ts'
import { epoch, payloadOf, signJwt } from '../support/signing.ts'
import { type Claims, type Stage, setStage, tokenOf } from './fixture.ts'
import { OWN_WORK, POSITIONS, type PositionName, withRawMembers } from './positions.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

const UNACCEPTABLE = 'subject_token_unacceptable'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

type Change = readonly [string, (payload: Claims) => object]

const set = (title: string, members: object): Change => [
  title,
  (payload) => ({ ...payload, ...members }),
]

describe('J08 types', () => {
  const BOTH: readonly Change[] = [
    set('sub as a number', { sub: 7 }),
    set('an empty sub', { sub: '' }),
    set('sub null', { sub: null }),
    set('sub as a list', { sub: ['alice'] }),
    set('no sub', { sub: undefined }),
    set('aud as an object', { aud: { 0: 'planner' } }),
    set('aud null', { aud: null }),
    set('no aud', { aud: undefined }),
    set('an empty list as aud', { aud: [] }),
    set('iss as a list', { iss: ['https://idp.example'] }),
    set('no iss', { iss: undefined }),
    ['exp as a string', (payload) => ({ ...payload, exp: String(payload['exp']) })],
    set('no exp', { exp: undefined }),
    set('exp null', { exp: null }),
    set('exp 1e300', { exp: 1e300 }),
    set('a negative exp', { exp: -1 }),
    set('no iat', { iat: undefined }),
    set('iat as a string', { iat: '1' }),
    ['iat in the future', (payload) => ({ ...payload, iat: epoch() + 60 })],
  ]
  const OURS: readonly Change[] = [
    ['a fractional exp', (payload) => ({ ...payload, exp: payload['exp'] + 0.5 })],
    set('scope as a list', { scope: ['files:read'] }),
    set('no scope', { scope: undefined }),
    set('jti as a number', { jti: 7 }),
    set('no jti', { jti: undefined }),
    set('txn as a number', { txn: 7 }),
    set('cnf as a string', { cnf: 'x' }),
    set('cnf null', { cnf: null }),
    set('cnf as a list', { cnf: ['jkt'] }),
    set('an empty cnf', { cnf: {} }),
    set('cnf with a numeric jkt', { cnf: { jkt: 7 } }),
    set('client_id as a number', { client_id: 7 }),
    set('no client_id', { client_id: undefined }),
    set('status as a string', { status: 'x' }),
    set('no status', { status: undefined }),
    set('no act_bounds', { act_bounds: undefined }),
    set('act_bounds null', { act_bounds: null }),
    set('amr as a string', { amr: 'pwd' }),
    set('acr as a number', { acr: 7 }),
    set('auth_time as a string', { auth_time: 'now' }),
    set('sub_profile as a list', { sub_profile: ['user'] }),
    [
      'act_bounds of version 2',
      (payload) => ({ ...payload, act_bounds: { ...payload['act_bounds'], v: 2 } }),
    ],
  ]
  const THEIRS: readonly Change[] = [
    set('a sub of 256 characters', { sub: 'a'.repeat(256) }),
    set('azp as a number', { azp: 7 }),
    set('azp of another client', { azp: 'coder' }),
    set('two audiences', { aud: ['planner', 'coder'] }),
    set('an audience that is no string', { aud: ['planner', 7] }),
    set('nbf as a string', { nbf: '1' }),
    ['nbf in the future', (payload) => ({ ...payload, nbf: epoch() + 60 })],
  ]
  const line = (name: PositionName, changes: readonly Change[]) =>
    changes.map((change): [PositionName, string, Change] => [name, change[0], change])

  test.each([
    ...line('a subject token of ours', [...BOTH, ...OURS]),
    ...line('an actor token', [...BOTH, ...OURS]),
    ...line('a user token', [...BOTH, ...THEIRS]),
  ])('J08 refuses %s with %s, signed by the right key', async (name, _, [, change]) => {
    const { reason, make } = POSITIONS[name]
    const honest = await make(stage)
    const text = await honest.sign(honest.header, change(honest.payload))
    await expectRefusal(stage.server, { reason }, () => honest.send(text))
  })

  test.each(['a subject token of ours', 'a user token', 'an actor token'] as const)(
    'J08 refuses %s with exp 1e999, signed by the right key',
    async (name) => {
      const { reason, make } = POSITIONS[name]
      const honest = await make(stage)
      const { exp: _, ...rest } = honest.payload
      const text = await honest.sign(honest.header, withRawMembers(rest, '"exp":1e999'))
      await expectRefusal(stage.server, { reason }, () => honest.send(text))
    },
  )

  test.each([
    set('a numeric jti', { jti: 7 }),
    set('jti as a list', { jti: ['x'] }),
    set('sub as a number', { sub: 7, iss: 7 }),
    set('sub as a list', { sub: ['planner'], iss: ['planner'] }),
    set('sub as an object', { sub: { toString: 'planner' } }),
    set('sub true', { sub: true }),
    set('aud as an object', { aud: { href: 'x' } }),
    set('aud as a number', { aud: 7 }),
    set('iat as a list', { iat: [1] }),
    set('nbf as an object', { nbf: {} }),
  ])('J08 refuses a client assertion with %s', async (_, change) => {
    const { reason, make } = POSITIONS['a client assertion']
    const honest = await make(stage)
    const text = honest.sign(honest.header, change(honest.payload))
    await expectRefusal(stage.server, { reason }, () => honest.send(text))
  })

  test('J08 a user token whose scope claim is no string bounds nothing: it is refused', async () => {
    const { server, planner } = stage
    for (const may of [['files:read'], 7, { 0: 'x' }, true, 'files:read  files:write']) {
      const form = { subject_token_type: JWT_TYPE }
      await expectRefusal(server, { reason: UNACCEPTABLE, guard: 'scope_claim_malformed' }, () =>
        planner.exchange(stage.partnerToken({ may }), form),
      )
    }
    for (const may of [undefined, null, '']) {
      await expectRefusal(server, { reason: 'scope_nothing_left' }, () =>
        planner.exchange(stage.partnerToken({ may }), { subject_token_type: JWT_TYPE }),
      )
    }
  })
})

describe('J09 the wrong kind of token', () => {
  test.each<[string, () => Promise<string> | string, string]>([
    ['an ID token', () => stage.server.idToken(), ACCESS_TOKEN],
    ['a client assertion', () => stage.planner.assertion(), ACCESS_TOKEN],
    ['a proof', () => stage.planner.proof(), ACCESS_TOKEN],
    ['an access token of ours', () => stage.first(), ID_TOKEN],
    ['an access token of ours', () => stage.first(), JWT_TYPE],
    ['a client assertion', () => stage.planner.assertion(), ID_TOKEN],
    ['a proof', () => stage.planner.proof(), JWT_TYPE],
    ['a user token of an issuer for JWTs alone', () => stage.partnerToken(), ID_TOKEN],
    ['a user token of an issuer for ID tokens alone', () => stage.server.idToken(), JWT_TYPE],
    ['an opaque text', () => 'd1b8c9f0a3', ACCESS_TOKEN],
  ])('J09 refuses %s as a subject token of another type', async (_, make, type) => {
    const { server, planner } = stage
    const text = await make()
    await expectRefusal(server, { reason: UNACCEPTABLE }, () =>
      planner.exchange(text, { subject_token_type: type }),
    )
  })

  test.each([
    'JWT',
    'jwt',
    undefined,
    'application/jwt',
    'dpop+jwt',
    'manage+jwt',
    'rt+jwt',
    'at+jwt ',
    '',
  ])('J09 refuses a token of our key whose typ is %s', async (typ) => {
    const { server, researcher } = stage
    const claims = payloadOf(await stage.first())
    const token = await stage.signAsTenant({ ...stage.tokenHeader(), typ }, claims)
    await expectRefusal(server, { reason: UNACCEPTABLE, guard: 'type_mismatch' }, () =>
      researcher.exchange(token),
    )
    expect((await researcher.introspect(token)).text).toBe('{"active":false}')
  })

  test.each([
    'at+jwt',
    'application/at+jwt',
    'dpop+jwt',
    'client-authentication+jwt',
    'logout+jwt',
  ])('J09 refuses an ID token whose typ is %s', async (typ) => {
    const { server, planner } = stage
    const claims = payloadOf(server.idToken())
    const token = signJwt(server.idpKey, { alg: 'ES256', kid: 'idp-1', typ }, claims)
    await expectRefusal(server, { reason: UNACCEPTABLE, guard: 'type_mismatch' }, () =>
      planner.open(token),
    )
  })

  test.each(['dpop+jwt', 'at+jwt', 'id+jwt', 'x'])(
    'J09 refuses a client assertion whose typ is %s',
    async (typ) => {
      const { server, planner } = stage
      await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
        planner.token(OWN_WORK, { assertionHeader: { typ } }),
      )
    },
  )

  test.each(['JWT', undefined, 'at+jwt', 'client-authentication+jwt', 'dpop'])(
    'J09 refuses a proof whose typ is %s',
    async (typ) => {
      const { server, planner } = stage
      await expectRefusal(server, { reason: 'proof_invalid' }, () =>
        planner.token(OWN_WORK, { proofHeader: { typ } }),
      )
    },
  )

  test('J09 an assertion is no proof and a proof no assertion', async () => {
    const { server, planner } = stage
    const client_assertion = planner.proof({ proofKey: planner.key })
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      planner.token({ ...OWN_WORK, client_assertion }),
    )
    await expectRefusal(server, { reason: 'proof_invalid' }, () =>
      planner.token(OWN_WORK, { headers: { dpop: planner.assertion() } }),
    )
    const token = tokenOf(await planner.token(OWN_WORK))
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      planner.token({ ...OWN_WORK, client_assertion: token }),
    )
    await expectRefusal(server, { reason: 'proof_invalid' }, () =>
      planner.token(OWN_WORK, { headers: { dpop: token } }),
    )
  })
})

describe('J10 unicode identities', () => {
  test.each([
    ['a Cyrillic letter', '\u0430lice'],
    ['a composed accent', 'al\u00efce'],
    ['a decomposed accent', 'ali\u0308ce'],
    ['a zero-width space', 'ali\u200bce'],
    ['a right-to-left override', '\u202eecila'],
    ['full-width letters', '\uff41lice'],
    ['NUL', 'alice\0'],
    ['a newline', 'alice\n'],
    ['a space', 'alice smith'],
    ['a lone surrogate', 'alice\ud800'],
    ['an emoji', 'alice\u{1f600}'],
    ['a byte order mark', '\ufeffalice'],
  ])('J10 refuses a subject with %s', async (_, sub) => {
    const { server, planner } = stage
    const idToken = server.idToken(sub)
    await expectRefusal(server, { reason: UNACCEPTABLE, guard: 'subject_malformed' }, () =>
      planner.open(idToken),
    )
  })

  test.each([
    ['an agent', 'planner'],
    ['a resource', 'files-api'],
    ['the prefix of another issuer', 'partner:alice'],
  ])('J10 refuses a subject that reads as %s', async (_, sub) => {
    const { server, planner } = stage
    await expectRefusal(server, { reason: UNACCEPTABLE, guard: 'subject_collides' }, () =>
      planner.open(server.idToken(sub)),
    )
  })

  test('J10 subjects that differ by case are two', async () => {
    const { server, planner } = stage
    for (const sub of ['alice', 'Alice']) {
      expect(await expectGranted(server, () => planner.open(server.idToken(sub)))).toMatchObject({
        sub,
      })
    }
    await expectRefusal(server, { reason: 'subject_inactive' }, () =>
      planner.open(server.idToken('mallory')),
    )
  })
})
