/** What ends in one process has ended in all of them; what a crash cuts short is finished by another. */
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { STATUS } from '../../server/use-cases/task-store.ts'
import {
  type RecordedStore as EmbeddedStore,
  openEmbeddedStore,
} from '../support/embedded-store.ts'
import { aClock } from './contract.ts'
import { aHop, anEnding, aRevocation, aTask, limits, NOW, statusIn } from './records.ts'
import { ask, kill, startWorker } from './worker-process.ts'

let dataFolder: string
let store: EmbeddedStore
const children: ChildProcess[] = []
const open = () => openEmbeddedStore({ dataFolder, clock: aClock() })

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'actchain-revocations-'))
  store = await open()
})
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child)
  await store.close()
  await rm(dataFolder, { recursive: true, force: true })
})

async function start(): Promise<ChildProcess> {
  const child = await startWorker(dataFolder)
  children.push(child)
  return child
}

/** Tasks of ten kinds: in every second one the coder acts for the planner, in every tenth it is the opener. */
async function openTasks(count: number): Promise<readonly string[]> {
  const txns = Array.from({ length: count }, (_, each) => `task-${each + 1000}`)
  await Promise.all(
    txns.map(async (txn, each) => {
      const opener = each % 10 === 0 ? 'coder' : 'planner'
      const task = aTask({ txn, opener, rootIdx: 3 * each, subjectToken: undefined })
      await store.tasks.openTask('acme', task, aHop({ place: opener, idx: 3 * each + 1 }))
      if (each % 2 === 0 || opener === 'coder') return
      const hop = { jti: 'second', parent: 'first', place: 'planner/coder', idx: 3 * each + 2 }
      await store.tasks.recordHop('acme', txn, aHop(hop), limits())
    }),
  )
  return txns
}

describe('two processes', () => {
  test('H01 what one ends the other knows at once: the sequence, the list, the record', async () => {
    const [first = '', second = ''] = await openTasks(2)
    const worker = await start()
    const before = store.statusLists.sequence('acme')
    expect(await ask(worker, { kind: 'end', txns: [first] })).toEqual(['ended'])
    expect(store.statusLists.sequence('acme')).toBe(before + 1)
    expect(statusIn(store.statusLists, 0)).toBe(STATUS.invalid)
    expect((await store.tasks.readTask('acme', first))?.task.state).toBe('revoked')
    await store.tasks.endTask('acme', second, 'suspended', anEnding())
    expect(await ask(worker, { kind: 'watch' })).toEqual({
      sequence: before + 2,
      lists: [{ id: 'g1-1', changedAt: before + 2 }],
    })
  })

  test('H03 ends and exchanges in two processes: nothing recorded outlives its task, each change counts once', async () => {
    const txns = await openTasks(60)
    const worker = await start()
    const before = store.statusLists.sequence('acme')
    const [ended, mine, recorded] = await Promise.all([
      ask<readonly string[]>(worker, { kind: 'end', txns }),
      Promise.all(txns.map((txn) => store.tasks.endTask('acme', txn, 'revoked', anEnding()))),
      Promise.all(
        txns.map((txn) =>
          store.tasks.recordHop('acme', txn, aHop({ jti: 'late', parent: 'first' }), limits()),
        ),
      ),
    ])
    for (const [each, txn] of txns.entries()) {
      expect(new Set([ended[each], mine[each]])).toEqual(new Set(['already', 'ended']))
      expect(['recorded', 'task_ended']).toContain(recorded[each])
      expect(statusIn(store.statusLists, 3 * each)).toBe(STATUS.invalid)
      const again = aHop({ jti: 'later', parent: 'first' })
      expect(await store.tasks.recordHop('acme', txn, again, limits())).toBe('task_ended')
    }
    expect(store.statusLists.sequence('acme')).toBe(before + 60)
  })
})

describe('crash', () => {
  test('a walk killed at random moments is pending still, and reaches all when it is finished', async () => {
    const count = 300
    const txns = await openTasks(count)
    const revocation = aRevocation({ kind: 'agent', id: 'coder' })
    const told = new Set<string>()
    for (let kills = 0; kills < 3; kills += 1) {
      const worker = await start()
      const enough = Promise.withResolvers<void>()
      let left = 10 + Math.floor(Math.random() * 60)
      worker.on(
        'message',
        ({ txn, reached }: { readonly txn: string; readonly reached: number }) => {
          if (reached > 0) told.add(txn)
          left -= 1
          if (left === 0) enough.resolve()
        },
      )
      worker.send({ kind: 'walk', revocation })
      await enough.promise
      await kill(worker)
    }
    await store.close()
    store = await open()
    expect(await store.tasks.pendingRevocations()).toEqual([{ tenant: 'acme', revocation }])
    // What it told of is done.
    expect(told.size).toBeGreaterThan(0)
    const isOut = async (txn: string): Promise<boolean> => {
      const tree = await store.tasks.readTask('acme', txn)
      return tree?.task.state === 'revoked' || (tree?.revokedPlaces.length ?? 0) > 0
    }
    for (const txn of told) expect(await isOut(txn)).toBe(true)

    for (let after: string | undefined; ; ) {
      const some = await store.tasks.liveTasks('acme', { now: NOW, after, limit: 50 })
      if (some.length === 0) break
      for (const txn of some) await store.tasks.revokeIn('acme', txn, revocation)
      after = some.at(-1)
    }
    await store.tasks.finishRevocation('acme', revocation.id)
    expect(await store.tasks.pendingRevocations()).toEqual([])
    for (const [each, txn] of txns.entries()) {
      const isOpener = each % 10 === 0
      const acts = each % 2 === 1
      expect(await isOut(txn), txn).toBe(isOpener || acts)
      const statuses = [0, 1, 2].map((at) => statusIn(store.statusLists, 3 * each + at))
      expect(statuses).toEqual([isOpener ? 1 : 0, 0, acts ? 1 : 0])
    }
  }, 60_000) // three processes, one after another
})
