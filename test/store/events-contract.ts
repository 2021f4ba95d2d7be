/** What any store must do with streams of security events. `open` with the same folder opens the same state again. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT_TYPES, type EventContent } from '../../server/core/security-event.ts'
import type { EventFor, EventStore, EventStream } from '../../server/use-cases/ports.ts'
import { NOW } from './records.ts'

export interface EventsHere {
  readonly events: EventStore
  close(): Promise<void>
}

/** Opens a store whose streams hold at most so many events. */
export type OpenEvents = (most: number) => Promise<EventsHere>

export const MOST = 3

export function aStream(parts: Partial<EventStream> = {}): EventStream {
  return {
    id: 'stream-1',
    receiver: 'siem',
    delivery: { method: 'poll' },
    eventsRequested: undefined,
    description: undefined,
    status: 'enabled',
    reason: undefined,
    lost: 0,
    verifiedAt: 0,
    ...parts,
  }
}

export function content(
  txn: string | undefined = 'txn-1',
  type: string = EVENT_TYPES.sessionRevoked,
): EventContent {
  const subject = { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' } as const
  return { type, subject, members: { event_timestamp: NOW }, txn, issuedAt: NOW }
}

export function anEvent(id: string, parts: Partial<EventFor> = {}): EventFor {
  return { receiver: 'siem', id, content: content(), ...parts }
}

const PUSH = {
  method: 'push',
  endpoint: 'https://siem.example/events',
  authorization: undefined,
} as const

export function eventsContract(name: string, open: OpenEvents): void {
  describe(name, () => {
    let store: EventsHere
    let events: EventStore
    beforeEach(async () => {
      store = await open(MOST)
      events = store.events
    })
    afterEach(async () => store.close())

    const jtis = (id = 'stream-1', limit = 10): string[] =>
      events.read('acme', id, limit).events.map(({ jti }) => jti)
    const append = async (...ids: readonly string[]) =>
      events.append(
        'acme',
        ids.map((id) => anEvent(id)),
        NOW,
      )
    const create = async (parts: Partial<EventStream> = {}) =>
      events.createStream('acme', aStream(parts))

    test('one stream a receiver, and another tenant’s is not there', async () => {
      expect(await create()).toBe(true)
      expect(await create({ id: 'stream-2' })).toBe(false)
      expect(events.streamOf('acme', 'siem')).toEqual(aStream())
      expect(events.streamOf('globex', 'siem')).toBeUndefined()
      expect(events.streamOf('acme', 'edr')).toBeUndefined()
      expect(await events.changeStream('globex', 'stream-1', {})).toBeUndefined()
      expect(await events.removeStream('globex', 'stream-1')).toBe(false)
      expect(events.read('globex', 'stream-1', 10)).toEqual({ events: [], more: false })
      await events.acknowledge('globex', 'stream-1', ['a.0'])
    })

    test('of twenty that make the same stream at once one succeeds', async () => {
      const made = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => create({ id: `stream-${n}` })),
      )
      expect(made.filter(Boolean)).toHaveLength(1)
    })

    test('what waits comes in its order, again and again, until it is acknowledged', async () => {
      await create()
      expect(await append('a', 'b', 'c')).toEqual(['waiting', 'waiting', 'waiting'])
      expect(events.read('acme', 'stream-1', 2)).toEqual({
        events: [
          { jti: 'a.0', content: content() },
          { jti: 'b.1', content: content() },
        ],
        more: true,
      })
      expect(jtis()).toEqual(['a.0', 'b.1', 'c.2'])
      await events.acknowledge('acme', 'stream-1', ['b.1', 'b.0', 'x.2', 'c', 'nothing', 'a.0'])
      expect(jtis()).toEqual(['c.2'])
      await events.acknowledge('acme', 'stream-1', ['c.2', 'c.2'])
      expect(jtis()).toEqual([])
      expect(await append('d', 'e', 'f')).toEqual(['waiting', 'waiting', 'waiting'])
    })

    test('what is asked for with no room tells nothing but whether there is more', async () => {
      await create()
      expect(events.read('acme', 'stream-1', 0)).toEqual({ events: [], more: false })
      await append('a')
      expect(events.read('acme', 'stream-1', 0)).toEqual({ events: [], more: true })
    })

    test('types that were not asked for, and receivers without a stream, are passed over', async () => {
      await create({ eventsRequested: [EVENT_TYPES.tokenClaimsChange] })
      const claims = content('txn-2', EVENT_TYPES.tokenClaimsChange)
      const asked = [
        anEvent('a'),
        anEvent('b', { content: claims }),
        anEvent('c', { receiver: 'edr' }),
      ]
      expect(await events.append('acme', asked, NOW)).toEqual(['unasked', 'waiting', 'unasked'])
      expect(jtis()).toEqual(['b.0'])
    })

    test('SSF-7-03: a paused stream holds and hands out nothing; a disabled one holds nothing', async () => {
      await create()
      await append('a')
      const status = { status: 'paused', reason: 'maintenance' } as const
      expect(await events.changeStream('acme', 'stream-1', { status })).toMatchObject(status)
      await append('b')
      expect(jtis()).toEqual([])
      const enabled = { status: { status: 'enabled', reason: undefined } } as const
      expect(await events.changeStream('acme', 'stream-1', enabled)).toEqual(aStream())
      expect(jtis()).toEqual(['a.0', 'b.1'])
      const disabled = { status: { status: 'disabled', reason: undefined } } as const
      await events.changeStream('acme', 'stream-1', disabled)
      expect(await append('c')).toEqual(['unasked'])
      expect(await events.verify('acme', anEvent('v'), { now: NOW, interval: 1 })).toBe('unasked')
      await events.changeStream('acme', 'stream-1', enabled)
      expect(jtis()).toEqual([])
      await append('d')
      expect(jtis()).toHaveLength(1)
    })

    test('SSF-7-05: a full stream says so, keeps the oldest and counts what it does not keep', async () => {
      await create()
      await append('a', 'b', 'c')
      expect(await append('d', 'e')).toEqual(['paused', 'lost'])
      const full = { status: 'paused', reason: 'queue_full', lost: 2 }
      expect(events.streamOf('acme', 'siem')).toMatchObject(full)
      const { events: told } = events.read('acme', 'stream-1', 10)
      expect(told.map(({ jti }) => jti)).toEqual(['a.0', 'b.1', 'c.2', 'd.3'])
      expect(told[3]?.content).toEqual({
        type: EVENT_TYPES.streamUpdated,
        subject: { format: 'opaque', id: 'stream-1' },
        members: { status: 'paused', reason: 'queue_full' },
        txn: undefined,
        issuedAt: NOW,
      })
      // There is room again, but it is paused: held until its receiver enables it.
      await events.acknowledge('acme', 'stream-1', ['a.0', 'b.1', 'c.2', 'd.3'])
      expect(await append('f')).toEqual(['waiting'])
      expect(jtis()).toEqual([])
      await events.changeStream('acme', 'stream-1', {
        status: { status: 'enabled', reason: undefined },
      })
      expect(jtis()).toEqual(['f.4'])
      expect(events.streamOf('acme', 'siem')).toMatchObject({ status: 'enabled', lost: 0 })
    })

    test('a verification comes whatever was asked for, once in an interval', async () => {
      await create({ eventsRequested: [] })
      const event = anEvent('v', { content: content(undefined, EVENT_TYPES.verification) })
      expect(await events.verify('acme', event, { now: NOW, interval: 5 })).toBe('waiting')
      expect(await events.verify('acme', event, { now: NOW + 4, interval: 5 })).toBe('too_soon')
      expect(await events.verify('acme', event, { now: NOW + 5, interval: 5 })).toBe('waiting')
      expect(jtis()).toEqual(['v.0', 'v.1'])
      const unknown = anEvent('v', { receiver: 'edr' })
      expect(await events.verify('acme', unknown, { now: NOW, interval: 5 })).toBe('unasked')
    })

    test('a removed stream is gone with all that waits, and can be made again', async () => {
      await create()
      await append('a')
      expect(await events.removeStream('acme', 'stream-1')).toBe(true)
      expect(await events.removeStream('acme', 'stream-1')).toBe(false)
      expect(await create()).toBe(true)
      expect(jtis()).toEqual([])
    })

    describe('pushing', () => {
      const claim = async (holder: string, now = NOW) =>
        events.claimPush({ tenant: 'acme', stream: 'stream-1', holder, now, until: now + 30 })
      const settle = async (holder: string, jti: string, againAt?: number) =>
        events.settlePush({ tenant: 'acme', stream: 'stream-1', holder, jti, againAt })

      test('a stream that is polled is nobody’s to push', async () => {
        await create()
        await append('a')
        expect(events.due(NOW)).toEqual([])
        expect(await claim('one')).toBeUndefined()
      })

      test('the oldest event is one holder’s at a time', async () => {
        await create({ delivery: PUSH })
        expect(events.due(NOW)).toEqual([])
        await append('a', 'b')
        expect(events.due(NOW)).toEqual([{ tenant: 'acme', stream: 'stream-1' }])
        const claims = await Promise.all(['one', 'two', 'three'].map(async (id) => claim(id)))
        const held = claims.findIndex((claimed) => claimed !== undefined)
        const holder = ['one', 'two', 'three'][held]!
        expect(claims.filter((claimed) => claimed !== undefined)).toEqual([
          {
            stream: aStream({ delivery: PUSH }),
            event: { jti: 'a.0', content: content() },
            attempts: 0,
          },
        ])
        expect(events.due(NOW)).toEqual([])
        await settle('another', 'a.0')
        expect(jtis()).toEqual(['a.0', 'b.1'])
        await settle(holder, 'a.0')
        expect((await claim('another'))?.event.jti).toBe('b.1')
      })

      test('what failed waits for its time; a claim ends by itself', async () => {
        await create({ delivery: PUSH })
        await append('a')
        await claim('one')
        await settle('one', 'a.0', NOW + 2)
        expect(events.due(NOW + 1)).toEqual([])
        expect(await claim('one', NOW + 1)).toBeUndefined()
        expect(events.due(NOW + 2)).toHaveLength(1)
        expect(await claim('one', NOW + 2)).toMatchObject({ attempts: 1 })
        expect(await claim('two', NOW + 31)).toBeUndefined()
        expect(await claim('two', NOW + 32)).toMatchObject({ attempts: 1 })
        // The one that was late changes nothing of it.
        await settle('one', 'a.0', NOW + 1000)
        await settle('two', 'a.0')
        expect(jtis()).toEqual([])
      })

      test('a paused stream is not pushed; a full one until it has said so', async () => {
        await create({ delivery: PUSH })
        await append('a', 'b', 'c', 'd')
        const sent: string[] = []
        for (;;) {
          const claimed = await claim('one')
          if (claimed === undefined) break
          sent.push(claimed.event.jti)
          await settle('one', claimed.event.jti)
        }
        expect(sent).toEqual(['a.0', 'b.1', 'c.2', 'd.3'])
        await append('e')
        expect(await claim('one')).toBeUndefined()
      })

      test('a receiver that changes its stream is not made to wait', async () => {
        await create({ delivery: PUSH })
        await append('a')
        await claim('one')
        await settle('one', 'a.0', NOW + 300)
        const wishes = { delivery: PUSH, eventsRequested: undefined, description: 'again' }
        await events.changeStream('acme', 'stream-1', { wishes })
        expect(await claim('one')).toMatchObject({ attempts: 0 })
      })
    })
  })
}
