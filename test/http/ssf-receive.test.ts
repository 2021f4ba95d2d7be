/** Events of others come in (RFC 8935): whom they end, what is refused, and what is acknowledged without effect. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tokenOf } from '../attacks/fixture.ts'
import { auditMark, auditSince } from '../attacks/refusal.ts'
import {
  CAEP,
  type EventStage,
  poll,
  RISC,
  type SendOptions,
  SSF,
  setEventStage,
  verified,
} from '../support/event-stage.ts'
import { encode, epoch, newKey, payloadOf, signJwt } from '../support/signing.ts'

let stage: EventStage
beforeAll(async () => {
  stage = await setEventStage(({ tenant }) => {
    const transmitters = tenant['event_transmitters'] as Record<string, unknown>[]
    transmitters.push({
      id: 'down',
      issuer: 'https://down.example',
      jwks_uri: 'https://127.0.0.1:1/jwks',
      subjects_of: 'idp',
    })
  })
})
afterAll(() => stage.close())

async function open(user = 'alice', tenant = 'acme'): Promise<string> {
  const { server } = stage
  const planner = server.client('planner', tenant)
  const form = { audience: 'researcher-a2a', scope: 'files:read' }
  return tokenOf(await planner.open(server.idToken(user), form))
}

async function isLive(token: string, tenant = 'acme'): Promise<unknown> {
  return (await stage.server.client('researcher', tenant).introspect(token)).body['active']
}

const type = (name: string) => ({ events: { [name]: {} } })

describe('H10: a subject’s tasks end', () => {
  test.each([
    ['its session was revoked', type(`${CAEP}/session-revoked`)],
    ['its sessions were revoked', type(`${RISC}/sessions-revoked`)],
    ['its account is disabled', type(`${RISC}/account-disabled`)],
    ['its account is gone', type(`${RISC}/account-purged`)],
    ['its credential is known to others', type(`${RISC}/credential-compromise`)],
    [
      'the user of a complex subject is it',
      {
        sub_id: {
          format: 'complex',
          user: { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' },
          session: { format: 'opaque', id: 'x' },
        },
      },
    ],
    ['it is meant for several', { aud: ['https://other.example', 'AUD'] }],
  ])('when %s', async (_, claims) => {
    const [first, second, bobs] = [await open(), await open(), await open('bob')]
    const elsewhere = await open('alice', 'globex')
    const aud = 'aud' in claims ? ['https://other.example', stage.server.issuer()] : undefined
    const before = auditMark(stage.server)
    const answer = await stage.send(stage.event({ ...claims, ...(aud && { aud }) }))
    expect([answer.status, answer.text]).toEqual([202, ''])
    // Acknowledged: so it is over already.
    expect([await isLive(first), await isLive(second), await isLive(bobs)]).toEqual([
      false,
      false,
      true,
    ])
    expect(await isLive(elsewhere, 'globex')).toBe(true)
    const entries = auditSince(stage.server, before).filter(
      ({ action }) => action === 'receive_event',
    )
    expect(entries).toMatchObject([
      { event: 'security_event', outcome: 'permit', author: 'transmitter:hr', subject: 'alice' },
    ])
    expect(entries[0]).toMatchObject({
      tasks_reached: expect.any(Number),
      revocation: expect.any(String),
    })
  })

  test('and receivers are told once, by whose word', async () => {
    const siem = await stage.receiver('siem')
    const id = await stage.stream(siem)
    await open()
    await open()
    await stage.send(stage.event())
    const { tokens } = await poll(siem, id)
    const events = await Promise.all(tokens.map(async (one) => verified(stage.server, one)))
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      type: `${CAEP}/session-revoked`,
      claims: { sub_id: { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' } },
      members: { initiating_entity: 'system', reason_admin: { en: 'session-revoked' } },
    })
  })
})

describe('acknowledged without effect, and on record', () => {
  const iss = 'https://idp.example'
  test.each([
    ['another type', type(`${CAEP}/device-compliance-change`), 'event_without_effect'],
    ['a verification', type(`${SSF}/verification`), 'event_without_effect'],
    ['no subject', { sub_id: undefined }, 'subject_of_others'],
    [
      'a subject of another form',
      { sub_id: { format: 'email', email: 'alice@acme.example' } },
      'subject_of_others',
    ],
    [
      'H09: a subject of another issuer',
      { sub_id: { format: 'iss_sub', iss: 'https://evil.example', sub: 'alice' } },
      'subject_of_others',
    ],
    [
      'a subject of ours',
      { sub_id: { format: 'iss_sub', iss: 'ISSUER', sub: 'planner' } },
      'subject_of_others',
    ],
    [
      'a subject that is no text',
      { sub_id: { format: 'iss_sub', iss, sub: ['alice'] } },
      'subject_of_others',
    ],
  ])('%s', async (_, claims, guard) => {
    const token = await open()
    const before = auditMark(stage.server)
    const text = JSON.stringify(claims).replace('ISSUER', stage.server.issuer())
    const sent = { ...claims, ...(JSON.parse(text) as object) }
    expect((await stage.send(stage.event(sent))).status).toBe(202)
    expect(await isLive(token)).toBe(true)
    const entries = auditSince(stage.server, before).filter(
      ({ event }) => event === 'security_event',
    )
    expect(entries).toMatchObject([{ outcome: 'refuse', guard, author: 'transmitter:hr' }])
  })

  test('a subject nobody here has heard of', async () => {
    const sub_id = { format: 'iss_sub', iss, sub: 'nobody' }
    expect((await stage.send(stage.event({ sub_id }))).status).toBe(202)
  })

  test('one that was received: a copy ends nothing that was begun since', async () => {
    const event = stage.event({ iat: epoch() - 5 })
    const old = await open()
    expect((await stage.send(event)).status).toBe(202)
    expect(await isLive(old)).toBe(false)
    const fresh = await open()
    for (let copy = 0; copy < 3; copy += 1) expect((await stage.send(event)).status).toBe(202)
    expect(await isLive(fresh)).toBe(true)
    const last = stage.server.audit().findLast(({ action }) => action === 'receive_event')
    expect(last).toMatchObject({ guard: 'event_repeated' })
  })

  test('of twenty copies at once the tasks end as by one', async () => {
    const event = stage.event()
    const token = await open()
    const answers = await Promise.all(Array.from({ length: 20 }, async () => stage.send(event)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(await isLive(token)).toBe(false)
  })
})

describe('refused, in the words of RFC 8935 §2.4', () => {
  const REQUEST = 'invalid_request'
  const rows: readonly (readonly [string, string, () => string, SendOptions?])[] = [
    ['nothing', REQUEST, () => ''],
    ['no token', REQUEST, () => 'nonsense'],
    ['another type', REQUEST, () => stage.event({}, { typ: 'JWT' })],
    ['no type', REQUEST, () => stage.event({}, { typ: undefined })],
    ['another issuer', 'invalid_issuer', () => stage.event({ iss: 'https://evil.example' })],
    [
      'the issuer in another spelling',
      'invalid_issuer',
      () => stage.event({ iss: 'https://HR.example' }),
    ],
    [
      'C05, F05: another tenant’s',
      'invalid_audience',
      () => stage.event({ aud: stage.server.issuer('globex') }),
    ],
    ['nobody’s', 'invalid_audience', () => stage.event({ aud: undefined })],
    ['another’s key', 'invalid_key', () => signAs(newKey('hr-1'))],
    ['a key nobody knows', 'invalid_key', () => stage.event({}, { kid: 'hr-2' })],
    ['another algorithm', 'invalid_key', () => stage.event({}, { alg: 'RS256' })],
    ['no signature', 'invalid_request', () => unsigned()],
    ['no id', REQUEST, () => stage.event({ jti: undefined })],
    ['an id that is no text', REQUEST, () => stage.event({ jti: 1 })],
    ['no time', REQUEST, () => stage.event({ iat: undefined })],
    ['a time to come', REQUEST, () => stage.event({ iat: epoch() + 60 })],
    ['a day that is over', REQUEST, () => stage.event({ iat: epoch() - 24 * 3600 - 1 })],
    ['SSF-4-02: a sub', REQUEST, () => stage.event({ sub: 'alice' })],
    ['SSF-4-03: an exp', REQUEST, () => stage.event({ exp: epoch() + 60 })],
    ['no events', REQUEST, () => stage.event({ events: undefined })],
    ['SSF-4-06: two events', REQUEST, () => stage.event({ events: { a: {}, b: {} } })],
    ['an event that is no object', REQUEST, () => stage.event({ events: { a: 'x' } })],
    ['an access token', REQUEST, () => signAs(stage.hrKey, { typ: 'at+jwt' })],
    ['another media type', REQUEST, () => stage.event(), { contentType: 'application/json' }],
    ['more than 16 KiB', REQUEST, () => stage.event({ more: 'x'.repeat(20_000) })],
  ]

  const cases = rows.map(([name, err, make, options = {}]) => [name, err, make, options] as const)

  test.each(cases)('%s', async (_, err, make, options) => {
    const token = await open()
    const before = auditMark(stage.server)
    const { status, body, headers } = await stage.send(make(), options)
    expect([status, body]).toEqual([400, { err, description: expect.any(String) }])
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(await isLive(token)).toBe(true)
    const entries = auditSince(stage.server, before).filter(
      ({ event }) => event === 'security_event',
    )
    expect(entries).toMatchObject([
      { outcome: 'refuse', guard: expect.stringMatching(/^[a-z_]+$/) },
    ])
    expect(JSON.stringify(entries)).not.toMatch(/eyJ[\w-]*\./)
  })

  test('F05: no tenant and no transmitter are the same nothing', async () => {
    const answers = [
      await stage.send(stage.event(), { transmitter: 'nobody' }),
      await stage.send(stage.event(), { tenant: 'nobody' }),
      await stage.send(stage.event(), { tenant: 'initech' }),
    ]
    for (const { status, body } of answers) {
      expect([status, body]).toEqual([404, { ...answers[0]?.body, error_ref: expect.any(String) }])
    }
    const { status, headers } = await stage.send('', { method: 'GET' })
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
  })

  test('keys that cannot be read: it is asked to send again', async () => {
    const claims = { iss: 'https://down.example' }
    const { status, body } = await stage.send(stage.event(claims), { transmitter: 'down' })
    expect([status, body['reason']]).toEqual([503, 'unavailable'])
  })

  function signAs(key = stage.hrKey, header: Readonly<Record<string, unknown>> = {}): string {
    const claims = payloadOf(stage.event())
    return signJwt(key, { alg: 'ES256', kid: 'hr-1', typ: 'secevent+jwt', ...header }, claims)
  }

  function unsigned(): string {
    const header = { alg: 'none', typ: 'secevent+jwt' }
    return `${encode(header)}.${encode(payloadOf(stage.event()))}.`
  }
})
