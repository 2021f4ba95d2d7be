/** Streams of security events: the contract over both stores, and what only the one on disk promises. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Environment } from '../../server/store/embedded/environment.ts'
import { EmbeddedEventStore } from '../../server/store/embedded/events.ts'
import { Writer } from '../../server/store/embedded/writer.ts'
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { MemoryEventStore } from '../support/memory-events.ts'
import { aClock, HOSTILE } from './contract.ts'
import { anEvent, aStream, eventsContract } from './events-contract.ts'
import { NOW } from './records.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'actchain-events-'))
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

eventsContract('memory events', async (most) => ({
  events: new MemoryEventStore(most),
  close: async () => {},
}))

async function openEvents(most?: number) {
  const environment = new Environment(folder, 'process', 64 * 1024 ** 2)
  const writer = new Writer(environment)
  return {
    events: new EmbeddedEventStore(environment, writer, most),
    close: async () => {
      writer.close()
      await environment.close()
    },
  }
}
eventsContract('embedded events', openEvents)

test('what waits is there after the store was closed and opened', async () => {
  const options = { dataFolder: folder, clock: aClock() }
  const first = await openEmbeddedStore(options)
  await first.events.createStream('acme', aStream())
  await first.events.append('acme', [anEvent('a')], NOW)
  await first.close()
  const second = await openEmbeddedStore(options)
  expect(second.events.read('acme', 'stream-1', 10).events).toMatchObject([{ jti: 'a.0' }])
  await second.close()
})

test('no receiver’s name reaches another’s stream', async () => {
  const { events, close } = await openEvents()
  for (const [n, receiver] of HOSTILE.entries()) {
    expect(await events.createStream('acme', aStream({ id: `s${n}`, receiver }))).toBe(true)
    await events.append('acme', [anEvent(`e${n}`, { receiver })], NOW)
  }
  for (const [n, receiver] of HOSTILE.entries()) {
    expect(events.streamOf('acme', receiver)?.id).toBe(`s${n}`)
    expect(events.read('acme', `s${n}`, 10).events).toMatchObject([{ jti: `e${n}.0` }])
    await events.removeStream('acme', `s${n}`)
    expect(events.streamOf('acme', receiver)).toBeUndefined()
  }
  await close()
})
