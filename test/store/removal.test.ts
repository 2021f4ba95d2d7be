/** What is over goes by itself, and never too early: tasks, statuses, spent tokens, counts (attack case H08). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Environment } from '../../server/store/embedded/environment.ts'
import { STATUS } from '../../server/use-cases/task-store.ts'
import {
  type RecordedStore as EmbeddedStore,
  openEmbeddedStore,
} from '../support/embedded-store.ts'
import { aClock, type SettableClock } from './contract.ts'
import { aHop, anEnding, aQuery, aTask, limits, NOW, statusIn } from './records.ts'

const HOUR = 3600
let dataFolder: string
let clock: SettableClock
let store: EmbeddedStore

beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-removal-'))
  clock = aClock()
  store = await openEmbeddedStore({ dataFolder, clock })
})
afterEach(async () => {
  await store.close()
  rmSync(dataFolder, { recursive: true, force: true })
})

/** Nothing comes in but attempts to end what is not there: they sweep as well. */
async function sweep(rounds = 4): Promise<void> {
  for (let each = 0; each < rounds * 40; each += 1) {
    await store.tasks.endTask('acme', 'nobody', 'revoked', anEnding())
  }
}
async function sweepClaims(): Promise<void> {
  for (let each = 0; each < 150; each += 1) {
    const id = ['sweeper', `${clock.now()} ${each}`]
    const expiresAt = clock.now() + 60
    await store.replay.claimReplay({ tenant: 'acme', kind: 'dpop_proof', id, expiresAt })
  }
}
/** Kinds of records there are, by the first byte of their keys. */
function kindsLeft(): ReadonlySet<number> {
  const environment = new Environment(join(dataFolder, 'store'), 'process', 1e9)
  const all = environment.keys({ start: Buffer.from([0x10]), end: Buffer.from([0xff]) }, Infinity)
  return new Set(all.map((key) => key[0] ?? 0))
}
/** Names of the store itself, and the sequences, which never go back. */
const NOTHING_BUT = new Set([0x10, 0x20])

describe('a status list', () => {
  test('H08 outlives the last token of its tasks and the skew of every clock, then goes', async () => {
    await store.tasks.openTask('acme', aTask(), aHop())
    const late = aHop({ jti: 'late', parent: 'first', idx: 2, expiresAt: NOW + 2 * HOUR })
    await store.tasks.recordHop('acme', 'task-1', late, limits())
    await store.tasks.revokeHop('acme', 'task-1', 'late')
    await store.tasks.endTask('acme', 'task-1', 'suspended', anEnding())
    const sequence = store.statusLists.sequence('acme')
    for (const at of [300, 900, HOUR, 2 * HOUR - 1, 2 * HOUR, 2 * HOUR + 60, 2 * HOUR + 119]) {
      clock.set(NOW + at)
      await sweep()
      expect([0, 1, 2].map((idx) => statusIn(store.statusLists, idx))).toEqual([
        STATUS.suspended,
        STATUS.valid,
        STATUS.invalid,
      ])
      expect(store.statusLists.lists('acme')).toEqual([{ id: 'g1-1', changedAt: sequence }])
    }
    clock.set(NOW + 3 * HOUR)
    await sweep()
    expect(store.statusLists.read('acme', 'g1-1')).toBeUndefined()
    expect(store.statusLists.lists('acme')).toEqual([])
    expect(store.statusLists.sequence('acme')).toBe(sequence)
    expect(kindsLeft()).toEqual(NOTHING_BUT)
  })

  test('H08 one that nothing was recorded in keeps its count for nine hours', async () => {
    expect(await store.statusIndexes.allocate('acme', 'g1-1')).toBe(0)
    const elsewhere = await openEmbeddedStore({ dataFolder, clock })
    clock.set(NOW + 9 * HOUR)
    await sweep()
    expect(await elsewhere.statusIndexes.allocate('acme', 'g1-1')).toBeGreaterThan(0)
    expect(store.statusLists.read('acme', 'g1-1')).toBeDefined()
    clock.set(NOW + 9 * HOUR + 300)
    await sweep()
    expect(store.statusLists.read('acme', 'g1-1')).toBeUndefined()
    await elsewhere.close()
  })

  test('H08 a long task keeps its list, whatever was handed out or ended in it', async () => {
    await store.statusIndexes.allocate('acme', 'g1-1')
    const deadline = NOW + 30 * HOUR
    await store.tasks.openTask('acme', aTask({ deadline }), aHop())
    await store.tasks.openTask('acme', aTask({ txn: 'short', rootIdx: 5 }), aHop({ idx: 6 }))
    await store.tasks.endTask('acme', 'task-1', 'revoked', anEnding())
    for (const at of [1, 10, 20, 30]) {
      clock.set(NOW + at * HOUR)
      await sweep()
      expect(statusIn(store.statusLists, 0)).toBe(STATUS.invalid)
    }
  })

  test('H08 a large one is never served in part while it goes', async () => {
    const count = 600
    for (let each = 0; each < count; each += 1) {
      const parts = { txn: `task-${each}`, rootIdx: each * 4096, subjectToken: undefined }
      await store.tasks.openTask('acme', aTask(parts), aHop({ idx: each * 4096 + 1 }))
      await store.tasks.endTask('acme', `task-${each}`, 'closed', anEnding())
    }
    clock.set(NOW + 2 * HOUR)
    let rounds = 0
    for (; kindsLeft().has(0x1f) && rounds < 50; rounds += 1) {
      if (store.statusLists.read('acme', 'g1-1') !== undefined) {
        expect(statusIn(store.statusLists, (count - 1) * 4096)).toBe(STATUS.invalid)
        expect(statusIn(store.statusLists, 0)).toBe(STATUS.invalid)
      }
      await sweep(1)
    }
    expect(rounds).toBeGreaterThan(1)
    expect(store.statusLists.read('acme', 'g1-1')).toBeUndefined()
  })
})

describe('a task', () => {
  test('is out of every look once it is removed, and leaves nothing', async () => {
    for (let each = 0; each < 80; each += 1) {
      const parts = { txn: `task-${each}`, rootIdx: 3 * each, openedAt: NOW - each }
      const subjectToken = { id: ['idp', `jti-${each}`], expiresAt: NOW + 600 }
      await store.tasks.openTask(
        'acme',
        aTask({ ...parts, subjectToken }),
        aHop({ idx: 3 * each + 1 }),
      )
      const hop = { jti: 'second', parent: 'first', place: 'planner/coder', idx: 3 * each + 2 }
      await store.tasks.recordHop('acme', parts.txn, aHop(hop), limits())
      await store.tasks.revokePlace('acme', parts.txn, 'planner/coder', anEnding())
      if (each % 2 === 0) await store.tasks.endTask('acme', parts.txn, 'revoked', anEnding())
    }
    clock.set(NOW + 900 + 119)
    await sweep()
    expect((await store.tasks.listTasks('acme', aQuery())).tasks).toHaveLength(80)
    clock.set(NOW + 2 * HOUR)
    await sweep(12)
    expect(await store.tasks.listTasks('acme', aQuery())).toEqual({ tasks: [], next: undefined })
    clock.set(NOW + 3 * HOUR)
    await sweepClaims()
    await sweep(12)
    clock.set(NOW + 4 * HOUR)
    await sweepClaims()
    expect(new Set([...kindsLeft()].filter((kind) => kind !== 0x11))).toEqual(NOTHING_BUT)
  })

  test('of a revoked one the subject token is remembered longer than any clock believes it', async () => {
    const subjectToken = { id: ['idp', 'jti:a'], expiresAt: NOW + 4 * HOUR }
    await store.tasks.openTask('acme', aTask({ subjectToken }), aHop())
    await store.tasks.endTask('acme', 'task-1', 'revoked', anEnding())
    for (const at of [HOUR, 4 * HOUR, 4 * HOUR + 60, 4 * HOUR + 119]) {
      clock.set(NOW + at)
      await sweep()
      await sweepClaims()
      const again = aTask({ txn: `task-${at}`, subjectToken })
      expect(await store.tasks.openTask('acme', again, aHop())).toBe('subject_token_spent')
    }
  })
})

test('counts go when their window is over, not before', async () => {
  const count = (id: string, window: number): Promise<number> =>
    store.counters.count({ tenant: 'acme', id: [id], window, now: clock.now() })
  expect(await count('long', 2 * HOUR)).toBe(1)
  for (let each = 0; each < 300; each += 1) expect(await count(`short ${each}`, 60)).toBe(1)
  clock.set(NOW + 1000)
  for (let each = 0; each < 200; each += 1) await count('sweeper', 1)
  expect(await count('long', 2 * HOUR)).toBe(2)
  clock.set(NOW + 3 * HOUR)
  for (let each = 0; each < 400; each += 1) await count('sweeper', 1)
  clock.set(NOW + 4 * HOUR)
  for (let each = 0; each < 64; each += 1) await count('last', 1)
  await count('last', 1)
  const environment = new Environment(join(dataFolder, 'store'), 'process', 1e9)
  const range = { start: Buffer.from([0x23]), end: Buffer.from([0x24]) }
  expect(environment.keys(range, Infinity)).toHaveLength(1)
})

test('M05 a look at others’ tasks ends, names none of them, and finds one’s own in the end', async () => {
  const openMany = async (name: string, count: number, openedAt: number): Promise<void> => {
    const all = Array.from({ length: count }, (_, each) =>
      store.tasks.openTask(
        'acme',
        aTask({ txn: `${name}-${each}`, openedAt, opener: name, subjectToken: undefined }),
        aHop(),
      ),
    )
    await Promise.all(all)
  }
  await openMany('own', 1, NOW)
  await openMany('other', 1500, NOW + 1)
  await openMany('another', 1500, NOW + 2)
  const first = await store.tasks.listTasks('acme', aQuery({ opener: 'own' }))
  // More than a look reads are of one second: it goes on to where that ends.
  expect(first).toEqual({ tasks: [], next: { openedAt: NOW + 1, txn: '' } })
  const { next: after } = first
  const second = await store.tasks.listTasks('acme', aQuery({ opener: 'own', after }))
  expect(second.tasks.map(({ txn }) => txn)).toEqual(['own-0'])
  expect(second.next).toBeUndefined()
})

test('M05 a full store still ends, in every way there is', async () => {
  await store.tasks.openTask('acme', aTask(), aHop())
  const full = await openEmbeddedStore({ dataFolder, clock, maxBytes: 1 })
  const { tasks } = full
  const counted = { tenant: 'acme', id: ['x'], window: 60, now: NOW }
  expect(await full.counters.count(counted)).toBe(1)
  await expect(full.tasks.openTask('acme', aTask({ txn: 'x' }), aHop())).rejects.toThrow('full')
  expect(await tasks.endTask('acme', 'task-1', 'suspended', anEnding())).toBe('ended')
  expect(await tasks.resumeTask('acme', 'task-1', anEnding())).toBe('resumed')
  expect(await tasks.revokePlace('acme', 'task-1', 'planner', anEnding())).toBe('revoked')
  const revocation = {
    id: 'revocation-1',
    scope: { kind: 'subject', id: 'alice' },
    ending: anEnding(),
  } as const
  await tasks.beginRevocation('acme', revocation)
  expect(await tasks.revokeIn('acme', 'task-1', revocation)).toEqual({ tasks: 1, places: 0 })
  await tasks.finishRevocation('acme', revocation.id)
  expect([0, 1].map((idx) => statusIn(full.statusLists, idx))).toEqual([1, 1])
  await full.close()
})
