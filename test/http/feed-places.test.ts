/** M05: places at the feed are counted, of the server, a tenant and an address; who does not read is let go. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ListenerPlaces } from '../../server/http/listener-places.ts'
import { EventStream } from './event-stream.ts'
import { ISSUER, openStatusSite, openToken, type StatusSite, stateTenant } from './status-site.ts'

let site: StatusSite
let open: EventStream[]
beforeEach(async () => {
  site = await openStatusSite()
  open = []
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

describe('M05: places', () => {
  test('of one address are a hundred, whatever a header says of it', async () => {
    const streams = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        listen({
          headers: { 'x-forwarded-for': `10.0.0.${index}`, forwarded: `for=10.0.0.${index}` },
        }),
      ),
    )
    expect(streams.map(({ status }) => status)).toEqual(Array(100).fill(200))
    for (let count = 0; count < 3; count += 1) await expectFull()
    expect(site.full).toEqual(['address'])
    const other = await listen({ localAddress: '127.0.0.2' })
    expect(other.status).toBe(200)
    streams[0]?.close()
    await expectRoom()
  })

  test('of one tenant are a thousand', async () => {
    const addresses = Array.from({ length: 10 }, (_, index) => `127.0.0.${index + 1}`)
    for (const localAddress of addresses) {
      await Promise.all(Array.from({ length: 100 }, () => listen({ localAddress })))
    }
    await expectFull('127.0.0.11')
    await expectFull('127.0.0.12')
    expect(site.full).toEqual(['tenant'])
    site.tenants.set('globex', stateTenant('globex'))
    expect((await listen({ localAddress: '127.0.0.11' }, 'globex')).status).toBe(200)
  })

  async function expectFull(localAddress = '127.0.0.1'): Promise<void> {
    const refused = await listen({ localAddress })
    expect(refused.status).toBe(503)
    expect(refused.response.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'retry-after': '5',
      'cache-control': 'no-store',
    })
    expect(JSON.parse(await refused.body())).toMatchObject({ reason: 'too_many_listeners' })
  }

  /** The server sees a listener go a moment after it went. */
  async function expectRoom(): Promise<void> {
    const deadline = Date.now() + 10_000
    while ((await listen()).status !== 200) {
      if (Date.now() > deadline) throw new Error('no place became free')
    }
  }

  test('of an address that speaks for many are as many as the tenant has', async () => {
    const proxied = await Promise.all(
      Array.from({ length: 110 }, () => listen({ localAddress: '127.0.0.99' })),
    )
    expect(proxied.map(({ status }) => status)).toEqual(Array(110).fill(200))
  })

  test("of one network are its subscriber's, and full is told once until half are free again", () => {
    const told: string[] = []
    const places = new ListenerPlaces({
      limits: { server: 8, tenant: 6, address: 4 },
      proxies: [],
      onFull: (place, tenant) => void told.push(`${tenant} ${place}`),
    })
    const enter = (address: string | undefined, tenant = 'acme') =>
      places.enter({ tenant, address })
    const leave = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:9::1', '2001:db8::4%eth0'].map(
      (address) => enter(address),
    )
    expect(leave.every((way) => way !== undefined)).toBe(true)
    for (let count = 0; count < 3; count += 1) expect(enter('2001:db8::5')).toBeUndefined()
    expect(told).toEqual(['acme address'])
    leave[0]?.()
    leave[0] = enter('2001:db8::6')
    expect(enter('2001:db8::7')).toBeUndefined()
    expect(told).toEqual(['acme address'])
    for (const way of leave.splice(0)) way?.()
    for (let count = 0; count < 4; count += 1) leave.push(enter('2001:db8::8'))
    expect(enter('2001:db8::9')).toBeUndefined()
    expect(told).toEqual(['acme address', 'acme address'])
    for (const address of ['2001:db8:1::1', undefined]) expect(enter(address)).toBeDefined()
    expect(enter('192.0.2.1')).toBeUndefined()
    for (const address of ['192.0.2.1', '192.0.2.1']) expect(enter(address, 'globex')).toBeDefined()
    expect(enter('192.0.2.2', 'globex')).toBeUndefined()
    expect(told.slice(2)).toEqual(['acme tenant', 'globex server'])
  })

  test('of a listener that reads nothing go to others', async () => {
    // Each message names them all: more than the sockets between take, after some.
    for (let index = 0; index < 4000; index += 1) site.lists.begin(`g1-${index}`)
    const deaf = await listen({ isDeaf: true })
    const reader = await listen()
    await reader.next()
    expect(deaf.status).toBe(200)
    let messages = 0
    for (; messages < 200 && (await site.connections()) === 2; messages += 1) {
      for (let index = 0; index < 4000; index += 1) site.lists.set(`g1-${index}`, 1, 1)
      await reader.next()
    }
    expect(await site.connections()).toBe(1)
    expect(messages).toBeLessThan(200)
    // Who reads goes on being told.
    site.lists.set('g1-0', 2, 1)
    const { claims } = await openToken((await reader.next()).data, site.keyring().jwks.keys)
    expect(claims['lists']).toEqual({ [`${ISSUER}/status/g1-0`]: expect.any(Number) })
  })
})
