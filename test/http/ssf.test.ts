/** The transmitter of security events as a receiver meets it: metadata, streams, polling (SSF 1.0, RFC 8936, CAEP 1.0). */
import { createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tokenOf } from '../attacks/fixture.ts'
import type { Answer } from '../support/agent-client.ts'
import {
  CAEP,
  type EventStage,
  POLL,
  PUSH,
  poll,
  SSF,
  setEventStage,
  verified,
} from '../support/event-stage.ts'
import { type ManageClient, operatorAt, personAt } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'

let stage: EventStage
let siem: ManageClient
let edr: ManageClient
let operator: ManageClient
beforeAll(async () => {
  stage = await setEventStage()
  siem = await stage.receiver('siem')
  edr = await stage.receiver('edr')
  operator = await operatorAt(stage.server)
})
afterAll(() => stage.close())

/** alice's task, opened by planner: its id and planner's token, for researcher. */
async function open(user = 'alice') {
  const { server } = stage
  const answer = await server.client('planner').open(server.idToken(user), {
    audience: 'researcher-a2a',
    scope: 'files:read',
  })
  const token = tokenOf(answer)
  const claims = payloadOf(token)
  return { token, claims, txn: String(claims['txn']), jti: String(claims['jti']) }
}

async function revokeTask(txn: string): Promise<void> {
  const { status, text } = await operator.post(`tasks/${txn}/revoke`, { reason: 'looked wrong' })
  if (status !== 200) throw new Error(`not revoked: ${status} ${text}`)
}

function outcome({ status, body }: Answer): string {
  return `${status} ${String(body['reason'] ?? '')}`.trim()
}

describe('SSF-6-01, CAEPI-04: metadata', () => {
  const well = (path: string) => fetch(`${stage.server.config.publicUrl}/.well-known/${path}`)

  test('by path insertion, with the issuer asked for', async () => {
    const response = await well('ssf-configuration/t/acme')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    const issuer = stage.server.issuer()
    expect(await response.json()).toEqual({
      spec_version: '1_0',
      issuer,
      jwks_uri: `${issuer}/ssf/jwks`,
      delivery_methods_supported: [PUSH, POLL],
      configuration_endpoint: `${issuer}/ssf/stream`,
      status_endpoint: `${issuer}/ssf/status`,
      verification_endpoint: `${issuer}/ssf/verify`,
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
      default_subjects: 'ALL',
    })
  })

  test('of no tenant, or asked with another method', async () => {
    expect((await well('ssf-configuration/t/nobody')).status).toBe(404)
    expect((await well('ssf-configuration/')).status).toBe(404)
    const url = `${stage.server.config.publicUrl}/.well-known/ssf-configuration/t/acme`
    const posted = await fetch(url, { method: 'POST' })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test('CAEPI-02: one RSA key of 2048 bits that signs nothing else', async () => {
    const { keys } = await (await fetch(`${stage.server.issuer()}/ssf/jwks`)).json()
    expect(keys).toEqual([expect.objectContaining({ kty: 'RSA', alg: 'RS256', use: 'sig' })])
    const { asymmetricKeyDetails } = createPublicKey({ key: keys[0], format: 'jwk' })
    expect(asymmetricKeyDetails?.modulusLength).toBe(2048)
    const { keys: others } = await (await fetch(`${stage.server.issuer()}/jwks`)).json()
    expect(others.map(({ kid }: { kid: string }) => kid)).not.toContain(keys[0].kid)
    expect(Object.keys(keys[0])).not.toContain('d')
  })

  test('of a tenant without receivers there is no key to read', async () => {
    const response = await fetch(`${stage.server.issuer('initech')}/ssf/jwks`)
    expect(await response.json()).toEqual({ keys: [] })
  })
})

describe('SSF-7-01: who manages', () => {
  test('nobody without a token, and no token of another kind', async () => {
    const endpoints = [
      ['GET', 'ssf/stream'],
      ['POST', 'ssf/stream'],
      ['PATCH', 'ssf/stream'],
      ['PUT', 'ssf/stream'],
      ['DELETE', 'ssf/stream?stream_id=AAAAAAAAAAAAAAAAAAAAAA'],
      ['GET', 'ssf/status?stream_id=AAAAAAAAAAAAAAAAAAAAAA'],
      ['POST', 'ssf/status'],
      ['POST', 'ssf/verify'],
      ['POST', 'ssf/poll/AAAAAAAAAAAAAAAAAAAAAA'],
    ] as const
    const { token } = await open()
    for (const [method, path] of endpoints) {
      const none = await siem.send(method, path, { authorization: null })
      expect([path, outcome(none)]).toEqual([path, '401 token_required'])
      expect(none.headers.get('www-authenticate')).toMatch(/^DPoP /)
      // C05: a delegated token is none of ours here.
      const delegated = await siem.send(method, path, { authorization: `DPoP ${token}` })
      expect([path, outcome(delegated)]).toEqual([path, '401 token_unacceptable'])
      const person = await operator.send(method, path)
      expect([path, outcome(person)]).toEqual([path, '403 role_required'])
    }
  })

  test('a token that is bound to a key is no bearer token, and one of another tenant none here', async () => {
    const bearer = { authorization: `Bearer ${siem.token}`, proof: null }
    expect((await siem.send('GET', 'ssf/stream', bearer)).status).toBe(401)
    const elsewhere = await stage.receiver('siem', 'globex')
    const url = `${stage.server.issuer()}/ssf/stream`
    const stolen = await elsewhere.send('GET', `../acme/ssf/stream`, {
      proof: { htu: url },
    })
    expect(stolen.status).toBe(401)
  })

  test('F05: another receiver’s stream is as if it were not there', async () => {
    const own = await stage.stream(siem)
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAA'
    const ask = async (id: string) => [
      await edr.get(`ssf/stream?stream_id=${id}`),
      await edr.send('PATCH', 'ssf/stream', { body: { stream_id: id } }),
      await edr.send('PUT', 'ssf/stream', { body: { stream_id: id } }),
      await edr.send('DELETE', `ssf/stream?stream_id=${id}`),
      await edr.get(`ssf/status?stream_id=${id}`),
      await edr.post('ssf/status', { stream_id: id, status: 'disabled' }),
      await edr.post('ssf/verify', { stream_id: id }),
      await edr.post(`ssf/poll/${id}`, {}),
    ]
    const [others, missing] = [await ask(own), await ask(unknown)]
    const plain = ({ status, body }: Answer) => ({ status, body: { ...body, error_ref: '' } })
    expect(others.map(plain)).toEqual(missing.map(plain))
    expect(new Set(others.map(outcome))).toEqual(new Set(['404 not_found']))
    expect(outcome(await siem.get(`ssf/status?stream_id=${own}`))).toBe('200')
    const globex = await stage.receiver('siem', 'globex')
    expect(outcome(await globex.get(`ssf/stream?stream_id=${own}`))).toBe('404 not_found')
  })
})

describe('SSF-7-02: a stream', () => {
  test('is made once, read, and removed', async () => {
    const id = await stage.stream(siem, { description: 'of a test' })
    expect(outcome(await siem.post('ssf/stream', {}))).toBe('409 stream_exists')
    const issuer = stage.server.issuer()
    const view = {
      stream_id: id,
      iss: issuer,
      aud: 'siem',
      delivery: { method: POLL, endpoint_url: `${issuer}/ssf/poll/${id}` },
      events_supported: [`${CAEP}/session-revoked`, `${CAEP}/token-claims-change`],
      events_delivered: [`${CAEP}/session-revoked`, `${CAEP}/token-claims-change`],
      min_verification_interval: 1,
      description: 'of a test',
    }
    const read = await siem.get(`ssf/stream?stream_id=${id}`)
    expect(read.body).toEqual(view)
    expect(read.headers.get('cache-control')).toBe('no-store')
    expect((await siem.get('ssf/stream')).body).toEqual([view])
    const removed = await siem.send('DELETE', `ssf/stream?stream_id=${id}`)
    expect([removed.status, removed.text]).toEqual([204, ''])
    expect(outcome(await siem.get(`ssf/stream?stream_id=${id}`))).toBe('404 not_found')
    expect((await siem.get('ssf/stream')).body).toEqual([])
    expect(outcome(await siem.send('DELETE', `ssf/stream?stream_id=${id}`))).toBe('404 not_found')
    expect(outcome(await siem.send('DELETE', 'ssf/stream'))).toBe('400 request_malformed')
  })

  test.each([
    ['no JSON', 'nonsense'],
    ['another delivery', { delivery: { method: 'urn:ietf:rfc:1' } }],
    [
      'a poll address of its own',
      { delivery: { method: POLL, endpoint_url: 'https://siem.example' } },
    ],
    ['push without an address', { delivery: { method: PUSH } }],
    [
      '8935-4-01: push to where it pleases',
      { delivery: { method: PUSH, endpoint_url: 'https://evil.example' } },
    ],
    [
      '8935-4-01: push over plain http',
      { delivery: { method: PUSH, endpoint_url: 'http://siem.example' } },
    ],
    [
      'a header that begins another',
      { delivery: { method: PUSH, endpoint_url: 'https://a', authorization_header: 'a\r\nb: c' } },
    ],
    ['a header for a poll', { delivery: { method: POLL, authorization_header: 'Bearer a' } }],
    ['types that are no list', { events_requested: 'all' }],
    ['an unknown member', { surprise: 1 }],
  ])('is not made of %s', async (_, body) => {
    await stage.stream(siem)
    const id = String((await siem.get('ssf/stream')).body[0].stream_id)
    await siem.send('DELETE', `ssf/stream?stream_id=${id}`)
    expect(outcome(await siem.post('ssf/stream', body))).toBe('400 request_malformed')
    expect((await siem.get('ssf/stream')).body).toEqual([])
  })

  test('PATCH changes what is stated, PUT removes what is not', async () => {
    const requested = [`${CAEP}/session-revoked`, 'urn:example:unknown']
    const id = await stage.stream(siem, { description: 'one', events_requested: requested })
    const patched = await siem.send('PATCH', 'ssf/stream', {
      body: { stream_id: id, description: 'two' },
    })
    expect(patched.body).toMatchObject({
      description: 'two',
      events_requested: requested,
      events_delivered: [`${CAEP}/session-revoked`],
    })
    const whole = await siem.send('PUT', 'ssf/stream', {
      body: { ...patched.body, description: 'three' },
    })
    expect([whole.status, whole.body]).toEqual([200, { ...patched.body, description: 'three' }])
    const bare = await siem.send('PUT', 'ssf/stream', { body: { stream_id: id } })
    expect(bare.body).not.toHaveProperty('description')
    expect(bare.body).not.toHaveProperty('events_requested')
    expect(bare.body['events_delivered']).toHaveLength(2)
    for (const wrong of [
      { iss: 'https://evil.example' },
      { aud: 'edr' },
      { events_delivered: [] },
    ]) {
      const refused = await siem.send('PATCH', 'ssf/stream', { body: { stream_id: id, ...wrong } })
      expect(outcome(refused)).toBe('400 request_malformed')
      expect(refused.body['errors']).toEqual([
        { pointer: `/${Object.keys(wrong)[0]}`, text: 'is another here' },
      ])
    }
  })

  test('what was done with it is on record', () => {
    const actions = stage.server
      .audit()
      .filter(({ event, outcome: how }) => event === 'security_event' && how === 'permit')
      .map(({ action, author, client }) => `${author} ${client} ${action}`)
    for (const name of ['create', 'change', 'replace', 'delete']) {
      expect(actions).toContain(`receiver:siem siem ${name}_event_stream`)
    }
  })
})

describe('SSF-7-03: its status', () => {
  test('paused it holds what happens, enabled it tells it in order', async () => {
    const id = await stage.stream(siem)
    const path = `ssf/status?stream_id=${id}`
    expect((await siem.get(path)).body).toEqual({ stream_id: id, status: 'enabled' })
    const paused = { stream_id: id, status: 'paused', reason: 'maintenance' }
    expect((await siem.post('ssf/status', paused)).body).toEqual(paused)
    const tasks = [await open(), await open('bob')]
    for (const { txn } of tasks) await revokeTask(txn)
    expect((await poll(siem, id)).jtis).toEqual([])
    await siem.post('ssf/status', { stream_id: id, status: 'enabled' })
    const { tokens } = await poll(siem, id)
    expect(tokens.map((token) => payloadOf(token)['txn'])).toEqual(tasks.map(({ txn }) => txn))
  })

  test('disabled it holds nothing', async () => {
    const id = await stage.stream(siem)
    await siem.post('ssf/status', { stream_id: id, status: 'disabled' })
    await revokeTask((await open()).txn)
    expect(outcome(await siem.post('ssf/verify', { stream_id: id }))).toBe('400 request_malformed')
    await siem.post('ssf/status', { stream_id: id, status: 'enabled' })
    expect((await poll(siem, id)).jtis).toEqual([])
  })

  test('is one of three', async () => {
    const id = await stage.stream(siem)
    const wrong = await siem.post('ssf/status', { stream_id: id, status: 'asleep' })
    expect(outcome(wrong)).toBe('400 request_malformed')
    expect(outcome(await siem.get('ssf/status'))).toBe('400 request_malformed')
  })
})

describe('SSF-7-04: a verification', () => {
  test('echoes the state, and invents none', async () => {
    const id = await stage.stream(siem, { events_requested: [] })
    const asked = await siem.post('ssf/verify', { stream_id: id, state: 'VGhpcyBpcw==' })
    expect([asked.status, asked.text]).toEqual([204, ''])
    // Sooner than min_verification_interval.
    let again: Answer
    do again = await siem.post('ssf/verify', { stream_id: id })
    while (again.status === 429)
    expect(again.status).toBe(204)
    const { tokens } = await poll(siem, id)
    const events = await Promise.all(tokens.map(async (token) => verified(stage.server, token)))
    expect(events.map(({ type }) => type)).toEqual([`${SSF}/verification`, `${SSF}/verification`])
    expect(events.map(({ members }) => members)).toEqual([{ state: 'VGhpcyBpcw==' }, {}])
    for (const { claims } of events) expect(claims['sub_id']).toEqual({ format: 'opaque', id })
  })

  test('is not asked for without end', async () => {
    const id = await stage.stream(siem)
    const answers = await Promise.all(
      Array.from({ length: 6 }, async () => siem.post('ssf/verify', { stream_id: id })),
    )
    expect(answers.map(outcome)).toContain('429 rate_limited')
  })
})

describe('what is told', () => {
  test('CAEP-sr-01, CAEPI-01, CAEPI-03: a revoked task is a session that was revoked', async () => {
    const id = await stage.stream(siem)
    const { txn } = await open()
    const before = Math.floor(Date.now() / 1000)
    await revokeTask(txn)
    const { tokens, jtis } = await poll(siem, id)
    expect(tokens).toHaveLength(1)
    const { header, claims, type, members } = await verified(stage.server, tokens[0]!)
    expect(header).toEqual({ alg: 'RS256', typ: 'secevent+jwt', kid: expect.any(String) })
    expect(Object.keys(claims).sort()).toEqual(
      ['aud', 'events', 'iat', 'iss', 'jti', 'sub_id', 'txn'], // SSF-4-02, SSF-4-03: no sub, no exp
    )
    expect(claims).toMatchObject({
      iss: stage.server.issuer(),
      aud: 'siem',
      jti: jtis[0],
      txn,
      sub_id: { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' },
    })
    expect(Object.keys(claims['events'])).toEqual([type]) // SSF-4-06
    expect(type).toBe(`${CAEP}/session-revoked`)
    expect(members).toEqual({
      event_timestamp: expect.any(Number),
      initiating_entity: 'admin',
      reason_admin: { en: 'looked wrong' },
    })
    expect(members['event_timestamp']).toBeGreaterThanOrEqual(before)
  })

  test('CAEP-tcc-01, SSF-3-01: a revoked token has no scope any more', async () => {
    const id = await stage.stream(siem)
    const { token, txn, jti } = await open()
    await stage.server.client('planner').revoke(token)
    const { tokens } = await poll(siem, id)
    const { claims, type, members } = await verified(stage.server, tokens[0]!)
    expect(type).toBe(`${CAEP}/token-claims-change`)
    expect(claims['sub_id']).toEqual({ format: 'jwt_id', iss: stage.server.issuer(), jti })
    expect(claims['txn']).toBe(`${txn}.${jti}`)
    expect(members).toMatchObject({ claims: { scope: '' }, initiating_entity: 'system' })
  })

  test('SSF-4-05: a place’s tokens share one cause, another place has another', async () => {
    const id = await stage.stream(siem)
    const { txn, token } = await open()
    const researcher = stage.server.client('researcher')
    for (const scope of ['files:read', 'files:read']) {
      tokenOf(await researcher.exchange(token, { resource: 'https://files.api', scope }))
    }
    const revoked = await operator.post(`tasks/${txn}/revoke`, {
      reason: 'researcher is compromised',
      place: 'planner/researcher',
    })
    expect(revoked.status).toBe(200)
    const { tokens } = await poll(siem, id)
    const events = await Promise.all(tokens.map(async (one) => verified(stage.server, one)))
    expect(events.length).toBeGreaterThanOrEqual(2)
    expect(new Set(events.map(({ claims }) => claims['txn'])).size).toBe(1)
    await revokeTask(txn)
    const last = (await poll(siem, id)).tokens.at(-1)
    expect(payloadOf(last!)['txn']).not.toBe(events[0]?.claims['txn'])
    expect(new Set(events.map(({ claims }) => claims['jti'])).size).toBe(events.length)
  })

  test('a closed task leaves its subject alone; who closes their own is the user', async () => {
    const id = await stage.stream(siem)
    const { txn, claims: token } = await open()
    const alice = await personAt(stage.server, 'alice')
    expect((await alice.post(`tasks/${txn}/close`)).status).toBe(200)
    const { tokens } = await poll(siem, id)
    const { type, claims, members } = await verified(stage.server, tokens[0]!)
    expect(type).toBe(`${CAEP}/token-claims-change`)
    expect(members['initiating_entity']).toBe('user')
    expect(members['reason_admin'].en).not.toBe('')
    const { jti } = token['act_bounds'].root
    expect(claims['sub_id']).toEqual({ format: 'jwt_id', iss: stage.server.issuer(), jti })
  })

  test('each receiver has its own copy, addressed to it alone', async () => {
    const [ours, theirs] = [await stage.stream(siem), await stage.stream(edr)]
    await revokeTask((await open()).txn)
    const [mine, other] = [await poll(siem, ours), await poll(edr, theirs)]
    expect(payloadOf(mine.tokens[0]!)['aud']).toBe('siem')
    expect((await verified(stage.server, other.tokens[0]!, 'edr')).claims['aud']).toBe('edr')
    expect(mine.jtis).not.toEqual(other.jtis)
    await edr.send('DELETE', `ssf/stream?stream_id=${theirs}`)
  })

  test('only what was asked for', async () => {
    const id = await stage.stream(siem, { events_requested: [`${CAEP}/token-claims-change`] })
    const { token, txn } = await open()
    await stage.server.client('planner').revoke(token)
    await revokeTask(txn)
    const { tokens } = await poll(siem, id)
    expect(tokens).toHaveLength(1)
    expect((await verified(stage.server, tokens[0]!)).type).toBe(`${CAEP}/token-claims-change`)
  })
})

describe('8936-2-01: polling', () => {
  test('what is not acknowledged comes again, the same; what is acknowledged does not', async () => {
    const id = await stage.stream(siem)
    for (const user of ['alice', 'bob', 'carol']) await revokeTask((await open(user)).txn)
    const first = await poll(siem, id)
    expect(first.jtis).toHaveLength(3)
    expect(await poll(siem, id)).toEqual(first)
    const [one, two, three] = first.jtis
    const second = await poll(siem, id, {
      ack: [one],
      setErrs: { [two!]: { err: 'invalid_key', description: 'x' } },
    })
    expect(second.jtis).toEqual([three])
    const refused = stage.server
      .audit()
      .filter(({ changes }) => changes?.includes(`${two}: invalid_key`))
    expect(refused).toMatchObject([{ action: 'poll_events', author: 'receiver:siem' }])
    expect((await poll(siem, id, { ack: [three], maxEvents: 0 })).jtis).toEqual([])
    expect((await poll(siem, id)).jtis).toEqual([])
  })

  test('as many as were asked for, and whether there is more', async () => {
    const id = await stage.stream(siem)
    for (const user of ['alice', 'bob']) await revokeTask((await open(user)).txn)
    const first = await poll(siem, id, { maxEvents: 1 })
    expect([first.jtis.length, first.more]).toEqual([1, true])
    const second = await poll(siem, id, { maxEvents: 1, ack: first.jtis })
    expect([second.jtis.length, second.more]).toEqual([1, false])
    expect(await poll(siem, id, { maxEvents: 0 })).toEqual({ jtis: [], tokens: [], more: true })
  })

  test('a request that waits is answered when something happens', async () => {
    const id = await stage.stream(siem)
    const waiting = siem.post(`ssf/poll/${id}`, {})
    await revokeTask((await open()).txn)
    const { body } = await waiting
    expect(Object.keys(body['sets'])).toHaveLength(1)
  })

  test('another stream’s events are nobody’s to acknowledge', async () => {
    const [ours, theirs] = [await stage.stream(siem), await stage.stream(edr)]
    await revokeTask((await open()).txn)
    const { jtis } = await poll(siem, ours)
    await poll(edr, theirs, { ack: jtis })
    expect((await poll(siem, ours)).jtis).toEqual(jtis)
    await edr.send('DELETE', `ssf/stream?stream_id=${theirs}`)
  })

  test.each([
    ['maxEvents', { maxEvents: -1 }],
    ['maxEvents', { maxEvents: 1.5 }],
    ['ack', { ack: 'all' }],
    ['ack', { ack: ['a\nb'] }],
    ['setErrs', { setErrs: ['a'] }],
    ['returnImmediately', { returnImmediately: 'yes' }],
  ])('no other %s', async (_, body) => {
    const id = await stage.stream(siem)
    expect(outcome(await siem.post(`ssf/poll/${id}`, body))).toBe('400 request_malformed')
  })
})
