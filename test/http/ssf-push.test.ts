/** Events pushed to a receiver's own server (RFC 8935), which may refuse them, be down, or be slow. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { tokenOf } from '../attacks/fixture.ts'
import {
  CAEP,
  type EventStage,
  PUSH,
  type Pushed,
  SSF,
  setEventStage,
  verified,
} from '../support/event-stage.ts'
import { type ManageClient, operatorAt } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'

const SECRET = 'Bearer the-receivers-own-secret'

let stage: EventStage
let soc: ManageClient
let operator: ManageClient
let id: string
beforeAll(async () => {
  stage = await setEventStage()
  soc = await stage.receiver('soc')
  operator = await operatorAt(stage.server)
})
afterAll(() => stage.close())
beforeEach(async () => {
  const { push } = stage
  push.answerWith({ status: 202 })
  push.received.length = 0
  id = await stage.stream(soc, {
    delivery: { method: PUSH, endpoint_url: push.url, authorization_header: SECRET },
  })
})

async function revokeOf(user: string): Promise<string> {
  const { server } = stage
  const form = { audience: 'researcher-a2a', scope: 'files:read' }
  const token = tokenOf(await server.client('planner').open(server.idToken(user), form))
  const txn = String(payloadOf(token)['txn'])
  const { status } = await operator.post(`tasks/${txn}/revoke`, { reason: 'looked wrong' })
  expect(status).toBe(200)
  return txn
}

const txnOf = ({ token }: Pushed): unknown => payloadOf(token)['txn']
const jtiOf = ({ token }: Pushed): unknown => payloadOf(token)['jti']

test('8935-2-01: each once and in order, with the header its receiver asked for', async () => {
  const { push, server } = stage
  const txns = [await revokeOf('alice'), await revokeOf('bob'), await revokeOf('carol')]
  await push.until(3)
  expect(push.received.map(txnOf)).toEqual(txns)
  for (const { path, headers, token } of push.received) {
    expect(path).toBe('/events')
    expect(headers).toMatchObject({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: SECRET,
    })
    expect((await verified(server, token, 'soc')).type).toBe(`${CAEP}/session-revoked`)
  }
})

test('a verification is pushed too', async () => {
  const { push, server } = stage
  await soc.post('ssf/verify', { stream_id: id, state: 'abc' })
  await push.until(1)
  const { type, members, claims } = await verified(server, push.received[0]!.token, 'soc')
  expect([type, members]).toEqual([`${SSF}/verification`, { state: 'abc' }])
  expect(claims['sub_id']).toEqual({ format: 'opaque', id })
})

test('a receiver that is down gets the same event again, before the next one', async () => {
  const { push, server } = stage
  push.answerWith({ status: 503 }, { status: 202 })
  const txns = [await revokeOf('alice'), await revokeOf('bob')]
  await push.until(3)
  const [first, second] = push.received
  expect(second?.token).toBe(first?.token)
  expect(push.received.map(txnOf)).toEqual([txns[0], txns[0], txns[1]])
  expect(server.logged).toContainEqual({
    event: 'event_push_failed',
    tenant: 'acme',
    client: 'soc',
    reason: 'status_503',
  })
})

test('8935-2-01: what it refuses is not sent for ever, and is on record', async () => {
  const { push, server } = stage
  push.answerWith(
    { status: 400, body: { err: 'invalid_issuer', description: 'a secret of theirs' } },
    { status: 400, body: { err: 'invalid_issuer' } },
    { status: 400, body: { err: 'invalid_issuer' } },
    { status: 202 },
  )
  const txns = [await revokeOf('alice'), await revokeOf('bob')]
  await push.until(4)
  expect(push.received.map(txnOf)).toEqual([txns[0], txns[0], txns[0], txns[1]])
  const jti = jtiOf(push.received[0]!)
  expect(server.audit().filter((entry) => entry['action'] === 'push_event')).toMatchObject([
    {
      event: 'security_event',
      outcome: 'refuse',
      client: 'soc',
      jti,
      changes: [`${String(jti)}: invalid_issuer`],
    },
  ])
  expect(JSON.stringify([server.logged, server.audit()])).not.toContain('a secret of theirs')
})

test('while one is on its way no other is, and nobody sends it again', async () => {
  const { push } = stage
  let release = (): void => {}
  const after = new Promise<void>((resolve) => {
    release = resolve
  })
  push.answerWith({ status: 202, after }, { status: 202 })
  const txns = [await revokeOf('alice')]
  await push.until(1)
  txns.push(await revokeOf('bob'))
  // Events of another process wake nobody here: the look each second is what could send one twice.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(push.received).toHaveLength(1)
  release()
  await push.until(2)
  expect(push.received.map(txnOf)).toEqual(txns)
})

test('SSF-7-03: paused it is sent nothing, enabled what was held', async () => {
  const { push } = stage
  await soc.post('ssf/status', { stream_id: id, status: 'paused' })
  const txns = [await revokeOf('alice'), await revokeOf('bob')]
  expect(push.received).toEqual([])
  await soc.post('ssf/status', { stream_id: id, status: 'enabled' })
  await push.until(2)
  expect(push.received.map(txnOf)).toEqual(txns)
})

test('what waits for a push is not polled', async () => {
  const { status, body } = await soc.post(`ssf/poll/${id}`, { returnImmediately: true })
  expect([status, body['reason']]).toEqual([404, 'not_found'])
})

test('an address among the configured may be chosen, and its header is asked for anew', async () => {
  const { push } = stage
  const delivery = { method: PUSH, endpoint_url: `${push.origin}/other` }
  const changed = await soc.send('PATCH', 'ssf/stream', { body: { stream_id: id, delivery } })
  expect([changed.status, changed.body['delivery']]).toEqual([200, delivery])
  await revokeOf('alice')
  await push.until(1)
  expect(push.received[0]?.path).toBe('/other')
  expect(push.received[0]?.headers).not.toHaveProperty('authorization')
})

test('the secret of a receiver is told to nobody and lies nowhere in clear', async () => {
  const { server } = stage
  const { text } = await soc.get(`ssf/stream?stream_id=${id}`)
  expect(text).not.toContain(SECRET)
  expect(JSON.stringify([server.logged, server.audit()])).not.toContain(SECRET)
  const folder = join(server.folder, 'data')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  const found = files
    .filter((entry) => entry.isFile())
    .filter((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(SECRET))
  expect(files.length).toBeGreaterThan(3)
  expect(found.map(({ name }) => name)).toEqual([])
})

test('a request that waits for events is answered when the server stops', async () => {
  const { server } = stage
  const siem = await stage.receiver('siem')
  const path = `ssf/poll/${await stage.stream(siem)}`
  // Of two that wait for one stream the later is answered at once: then the other does wait.
  const requests = [siem.post(path, {}), siem.post(path, {})]
  await Promise.race(requests)
  await server.stop()
  for (const { body } of await Promise.all(requests)) {
    expect(body).toEqual({ sets: {}, moreAvailable: false })
  }
  await server.start()
})

test('events that wait are pushed after a restart', async () => {
  const { push, server } = stage
  push.answerWith({ status: 503 })
  const txn = await revokeOf('alice')
  await push.until(1)
  await server.stop()
  push.received.length = 0
  push.answerWith({ status: 202 })
  await server.start()
  await push.until(1)
  expect(push.received.map(txnOf)).toEqual([txn])
})
