/** The parts a status check is made of, each by itself. */
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { fixedKeys } from '../../lib/src/jwks.ts'
import { EventStream, MAX_EVENT_LENGTH } from '../../lib/src/status/event-stream.ts'
import { ageOf, stampOf } from '../../lib/src/status/freshness.ts'
import { inflate } from '../../lib/src/status/inflate.ts'
import { KeyNews } from '../../lib/src/status/key-news.ts'
import { ListCache } from '../../lib/src/status/list-cache.ts'
import {
  INVALID,
  type StatusList,
  SUSPENDED,
  VALID,
  worstOf,
} from '../../lib/src/status/status-list.ts'
import { aKey, ISSUER, NOW, signToken, type TestKey } from '../support/chain-token.ts'

const aList = (bits: number, ...bytes: readonly number[]): StatusList => ({
  uri: '',
  gen: 'a1',
  seq: 0,
  iat: 0,
  exp: 0,
  kids: undefined,
  bits,
  statuses: Uint8Array.from(bytes),
})

describe('what a list says of an index', () => {
  // Token Status List §4.1 and §10
  const ONE_BIT = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
  test.each(ONE_BIT.map((status, index) => [index, status]))(
    'one bit each: index %i is %i',
    (index, status) => {
      expect(worstOf(aList(1, 0xb9, 0xa3), [index])).toBe(status === 0 ? VALID : INVALID)
    },
  )

  const TWO_BITS = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
  test.each(TWO_BITS.map((status, index) => [index, status]))(
    'two bits each: index %i is %i',
    (index, status) => {
      // What is neither valid nor suspended is not valid.
      expect(worstOf(aList(2, 0xc9, 0x44, 0xf9), [index])).toBe(
        Math.min(status, status === 3 ? 1 : 2),
      )
    },
  )

  test('four and eight bits each', () => {
    expect([0, 1, 2, 3].map((at) => worstOf(aList(4, 0x20, 0xf1), [at]))).toEqual([0, 2, 1, 1])
    expect([0, 1, 2].map((at) => worstOf(aList(8, 2, 0, 0x80), [at]))).toEqual([2, 0, 1])
  })

  test('of several it is the worst that counts, and outside is not valid', () => {
    const list = aList(2, 0b00_10_01_00)
    expect(worstOf(list, [0, 3])).toBe(VALID)
    expect(worstOf(list, [0, 2, 3])).toBe(SUSPENDED)
    expect(worstOf(list, [2, 1, 0])).toBe(INVALID)
    for (const index of [4, 2 ** 31, 2 ** 32, 2 ** 32 + 3, Number.MAX_SAFE_INTEGER]) {
      expect(worstOf(list, [0, index])).toBe(undefined)
      expect(worstOf(list, [index, 0, 3])).toBe(undefined)
      expect(worstOf(list, [index, 1])).toBe(INVALID)
      expect(worstOf(list, [1, index])).toBe(INVALID)
    }
  })
})

describe('what is packed', () => {
  const plain = new Uint8Array(100_000).map((_, at) => at % 251)
  const bytesOf = (buffer: Buffer) => Uint8Array.from(buffer)

  test('comes out whole', async () => {
    expect(await inflate(bytesOf(deflateSync(plain)), plain.length)).toEqual(plain)
    expect(await inflate(bytesOf(deflateSync(new Uint8Array(0))), 10)).toEqual(new Uint8Array(0))
  })

  test.each([
    ['one byte too many', deflateSync(plain), plain.length - 1],
    ['another format', gzipSync(plain), plain.length],
    ['no header', deflateRawSync(plain), plain.length],
    ['no end', deflateSync(plain).subarray(0, -1), plain.length],
    ['more after the end', Buffer.concat([deflateSync(plain), Buffer.from('x')]), plain.length],
    ['nothing', Buffer.alloc(0), plain.length],
  ])('does not come out at all: %s', async (_, packed, most) => {
    expect(await inflate(bytesOf(packed), most)).toBe(undefined)
  })
})

describe('a stream of events', () => {
  test('is the same however it is cut', () => {
    const text =
      ': hello\nid: 1\nevent: status\ndata: a\n\nevent: x\r\ndata:b\r\ndata: c\r\n\r\ndata: d\n\n'
    const events = [
      { event: 'status', data: 'a' },
      { event: 'x', data: 'b\nc' },
      { event: '', data: 'd' },
    ]
    for (let size = 1; size <= text.length; size++) {
      const stream = new EventStream()
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
      expect(pieces.flatMap((piece) => stream.push(piece))).toEqual(events)
    }
  })

  test.each([
    ['line', 'a'.repeat(MAX_EVENT_LENGTH + 1)],
    ['event', `data: ${'a'.repeat(1000)}\n`.repeat(300)],
    ['event of empty lines', 'data\n'.repeat(MAX_EVENT_LENGTH + 1)],
  ])('has no %s without end', (_, text) => {
    expect(() => new EventStream().push(text)).toThrow('too large')
  })
})

test('a statement is as old as the older of two clocks says, and never younger than its stay', () => {
  const stamp = stampOf(100, { now: 103, tick: 1 })
  expect(ageOf(stamp, { now: 110, tick: 8 })).toBe(10)
  expect(ageOf(stampOf(104, { now: 100, tick: 1 }), { now: 108, tick: 9 })).toBe(8)
  expect(ageOf(stamp, { now: 50, tick: 9 })).toBe(8)
})

test('M05 so many lists are held, those no token needs leave first, and what changed stays known', async () => {
  const key: TestKey = await aKey()
  let tick = 0
  let seq = 10
  const requests: string[] = []
  const uriOf = (at: number): string => `${ISSUER}/status/g1-${at}`
  const lst = deflateSync(new Uint8Array(16)).toString('base64url')
  const cache = new ListCache(
    {
      issuer: ISSUER,
      algorithms: ['ES256'],
      keys: {
        find: async () => ({
          algorithm: 'ES256',
          cryptoKey: await crypto.subtle.importKey(
            'jwk',
            key.publicJwk,
            { name: 'ECDSA', namedCurve: 'P-256' },
            false,
            ['verify'],
          ),
        }),
        age: () => undefined,
        refresh: async () => true,
        retain: () => undefined,
      },
      now: () => NOW,
      onFault: ({ detail }) => expect.unreachable(detail),
      fetch: async (uri) => {
        requests.push(uri)
        const claims = { iss: ISSUER, sub: uri, iat: NOW, exp: NOW + 60, gen: 'a1', seq }
        const list = { ...claims, status_list: { bits: 2, lst } }
        return new Response(await signToken(key, list, { typ: 'statuslist+jwt' }))
      },
    },
    { now: () => NOW, tick: () => ++tick },
    new KeyNews(fixedKeys({ entries: [] })),
  )
  for (let at = 0; at < 70; at++) {
    await cache.renew(uriOf(at))
    // The first is in use all the time.
    expect(cache.find(uriOf(0))).toBeDefined()
  }
  const held = Array.from({ length: 70 }, (_, at) => at).filter((at) => cache.find(uriOf(at)))
  expect(held).toEqual([0, ...Array.from({ length: 63 }, (_, at) => at + 7)])
  // A list the feed spoke of long ago, and of a thousand others since: an old copy of it is not taken for current.
  const changed = (from: number, to: number, changedAt: number) => ({
    iat: NOW,
    gen: 'a1',
    seq: changedAt,
    since: 0,
    lists: new Map(Array.from({ length: to - from }, (_, at) => [uriOf(from + at), changedAt])),
    kids: [],
  })
  cache.apply(changed(1, 2, 50), stampOf(NOW, { now: NOW, tick }))
  cache.apply(changed(5_000, 6_024, 60), stampOf(NOW, { now: NOW, tick }))
  seq = 40
  await cache.renew(uriOf(1))
  expect(cache.find(uriOf(1))?.lapsed).toBeDefined()
  seq = 50
  await cache.renew(uriOf(1))
  await cache.renew(uriOf(1))
  expect(cache.find(uriOf(1))?.lapsed).toBe(undefined)
  cache.close()
})
