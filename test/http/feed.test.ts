/** The feed: who listens is told what changed, at once and signed, and that nothing did; who does not read is let go. */
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EventStream, type StreamEvent } from './event-stream.ts'
import {
  type Claims,
  ISSUER,
  openStatusSite,
  openToken,
  type StatusSite,
  stateTenant,
} from './status-site.ts'

let site: StatusSite
let open: EventStream[]
beforeEach(async () => {
  site = await openStatusSite()
  open = []
  site.lists.begin('g1-a')
  site.lists.begin('g1-b')
})
afterEach(async () => {
  for (const stream of open) stream.close()
  await site.close()
})

async function listen(
  options: Parameters<typeof EventStream.open>[1] = {},
  tenant = 'acme',
): Promise<EventStream> {
  const stream = await EventStream.open(`${site.origin}/t/${tenant}/events`, options)
  open.push(stream)
  return stream
}

const from = (id: string) => listen({ headers: { 'last-event-id': id } })

/** The message of an event, once its signature and form were looked at. */
async function read(event: StreamEvent): Promise<Claims> {
  const { header, claims } = await openToken(event.data, site.keyring().jwks.keys)
  const { kid } = site.keyring().active
  expect(header).toEqual({ alg: 'ES256', kid, typ: 'statusfeed+jwt' })
  expect(event.event).toBe('status')
  expect(event.id).toBe(String(claims['seq']))
  return claims
}
const nextOf = async (stream: EventStream) => read(await stream.next())
const uri = (list: string) => `${ISSUER}/status/${list}`

/** Until it is so. */
async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!what()) {
    if (Date.now() > deadline) throw new Error('it did not come about')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('a listener', () => {
  test('is told at once all there is, and then what changes', async () => {
    site.lists.set('g1-a', 1, 1)
    const stream = await listen()
    expect(stream.status).toBe(200)
    expect(await nextOf(stream)).toEqual({
      iss: ISSUER,
      iat: site.now,
      gen: '1',
      seq: 1,
      since: 0,
      lists: { [uri('g1-a')]: 1 },
      kids: [site.keyring().active.kid],
    })
    site.lists.set('g1-b', 2, 1)
    expect(await nextOf(stream)).toMatchObject({ seq: 2, since: 1, lists: { [uri('g1-b')]: 2 } })
    site.lists.set('g1-a', 2, 1)
    site.lists.set('g1-b', 3, 2)
    expect(await nextOf(stream)).toMatchObject({
      seq: 4,
      since: 2,
      lists: { [uri('g1-a')]: 3, [uri('g1-b')]: 4 },
    })
  })

  test('has an answer that nothing between keeps or holds back', async () => {
    const { response } = await listen()
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    })
  })

  test('asks with HEAD what it would get, and is no listener', async () => {
    const { status, headers } = await request(site.origin).head('/t/acme/events')
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream'])
    expect(site.counted.signed).toBe(0)
  })

  test('that takes no event stream is refused', async () => {
    const { status } = await request(site.origin).get('/t/acme/events').set('accept', 'text/html')
    expect(status).toBe(406)
  })

  test('is told every two seconds that nothing changed', async () => {
    const stream = await listen()
    const first = await nextOf(stream)
    const heard: unknown[] = []
    for (let count = 0; count < 3; count += 1) {
      site.now += 2
      heard.push(await nextOf(stream))
    }
    expect(heard).toEqual(
      [2, 4, 6].map((later) => ({ ...first, iat: Number(first['iat']) + later, lists: {} })),
    )
  })

  test('is told on, though the clock was set back', async () => {
    const stream = await listen()
    await stream.next()
    site.now -= 3600
    expect(await nextOf(stream)).toMatchObject({ iat: site.now, lists: {} })
  })

  test('K04: hears of another key at once, signed by that one', async () => {
    const stream = await listen()
    const before = await nextOf(stream)
    site.killKey()
    const after = await nextOf(stream)
    expect(after).toEqual({ ...before, kids: [site.keyring().active.kid] })
    expect(after['kids']).not.toEqual(before['kids'])
  })
})

describe('a listener that comes back', () => {
  beforeEach(() => {
    for (const list of ['g1-a', 'g1-b', 'g1-b']) site.lists.set(list, 1, 1)
  })

  test('is told what changed after the last event it had', async () => {
    expect(await nextOf(await from('1'))).toMatchObject({
      seq: 3,
      since: 1,
      lists: { [uri('g1-b')]: 3 },
    })
    expect(await nextOf(await from('3'))).toMatchObject({ seq: 3, since: 3, lists: {} })
  })

  test.each([
    '4',
    '-1',
    '01',
    '1.0',
    '1e0',
    '0x1',
    ' ',
    'g1',
    '9007199254740993',
    '99999999999999999',
  ])('with %j, which no event had, is told everything', async (id) => {
    expect(await nextOf(await from(id))).toMatchObject({
      seq: 3,
      since: 0,
      lists: { [uri('g1-a')]: 1, [uri('g1-b')]: 3 },
    })
  })

  test('finds each event resumable: two halves say what the whole says', async () => {
    const stream = await listen()
    const first = await stream.next()
    site.lists.set('g1-a', 7, 1)
    const second = await nextOf(stream)
    const resumed = await nextOf(await from(first.id))
    expect(resumed).toEqual(second)
  })
})

describe('the work of the feed', () => {
  test('is one signature for all who know the same', async () => {
    const streams = await Promise.all(Array.from({ length: 40 }, () => listen()))
    const events = await Promise.all(streams.map((stream) => stream.next()))
    expect(new Set(events.map(({ data }) => data)).size).toBe(1)
    expect(site.counted.signed).toBe(1)
    site.lists.set('g1-a', 1, 1)
    const told = await Promise.all(streams.map((stream) => stream.next()))
    expect(new Set(told.map(({ data }) => data)).size).toBe(1)
    expect(site.counted.signed).toBe(2)
  })

  test('is none while nobody listens', async () => {
    expect(site.timers).toBe(0)
    const streams = [await listen(), await listen()]
    await Promise.all(streams.map((stream) => stream.next()))
    expect(site.timers).toBe(1)
    for (const stream of streams) stream.close()
    await until(() => site.timers === 0)
  })

  test('compresses nothing', async () => {
    await (await listen()).next()
    expect(site.counted.compressed).toBe(0)
  })
})

describe('a stream ends', () => {
  test('whole, at a shutdown, and none begins after it', async () => {
    const streams = await Promise.all(Array.from({ length: 5 }, () => listen()))
    await Promise.all(streams.map((stream) => stream.next()))
    site.drain()
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(Array(5).fill('whole'))
    const late = await listen()
    expect([late.status, JSON.parse(await late.body())]).toEqual([
      503,
      expect.objectContaining({ reason: 'unavailable' }),
    ])
  })

  test('when its tenant cannot be told of any more', async () => {
    const stream = await listen()
    await stream.next()
    site.broken = new Error('its version cannot be read')
    expect(await stream.ended).toBe('whole')
    expect(site.faults).toEqual([site.broken])
    expect((await listen()).status).toBe(503)
    site.broken = undefined
    expect((await nextOf(await listen()))['seq']).toBe(0)
  })

  test('when its tenant is gone', async () => {
    const stream = await listen()
    await stream.next()
    site.tenants.delete('acme')
    expect(await stream.ended).toBe('whole')
    expect((await listen()).status).toBe(404)
  })

  test('F05: of one tenant alone', async () => {
    site.tenants.set('globex', stateTenant('globex'))
    const [acme, globex] = [await listen(), await listen({}, 'globex')]
    site.lists.begin('g1-z', 64, 'globex')
    await acme.next()
    const { data } = await globex.next()
    const { claims } = await openToken(data, site.keyring().jwks.keys)
    expect(claims).toMatchObject({ iss: 'https://as.example/t/globex', lists: {} })
    site.tenants.delete('globex')
    expect(await globex.ended).toBe('whole')
    site.lists.set('g1-a', 1, 1)
    expect((await nextOf(acme))['seq']).toBe(1)
  })
})
