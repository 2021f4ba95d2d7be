/** The embedded store: the contract, and what only it promises: several processes, crashes, bounds. */
import type { ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { entriesPath, logFolder } from '../../server/audit/log-paths.ts'
import {
  type RecordedStore as EmbeddedStore,
  type StoreOptions as EmbeddedStoreOptions,
  openEmbeddedStore,
  readEntries,
} from '../support/embedded-store.ts'
import { aClock, storeContract } from './contract.ts'
import { countersContract } from './counters-contract.ts'
import { endingsContract } from './endings-contract.ts'
import { queriesContract } from './queries-contract.ts'
import { aHop, anEntry, aTask, limits, NOW } from './records.ts'
import { statusListsContract } from './status-lists-contract.ts'
import type { Order } from './worker.ts'
import { ask, kill, startWorker as startWorkerIn } from './worker-process.ts'

let dataFolder: string
const children: ChildProcess[] = []
const stores: EmbeddedStore[] = []

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'actchain-store-'))
})
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  for (const child of children.splice(0)) await kill(child)
  await rm(dataFolder, { recursive: true, force: true })
})

async function openHere(options: Partial<EmbeddedStoreOptions> = {}): Promise<EmbeddedStore> {
  const store = await openEmbeddedStore({ dataFolder, clock: aClock(), ...options })
  stores.push(store)
  return store
}

async function close(store: EmbeddedStore): Promise<void> {
  stores.splice(stores.indexOf(store), 1)
  await store.close()
}

async function startWorker(): Promise<ChildProcess> {
  const child = await startWorkerIn(dataFolder)
  children.push(child)
  return child
}

for (const contract of [
  storeContract,
  endingsContract,
  statusListsContract,
  queriesContract,
  countersContract,
]) {
  contract('embedded store', (clock) => openEmbeddedStore({ dataFolder, clock }))
}

describe('two processes', () => {
  test('E03 I03 of 50 parallel copies over two processes exactly one succeeds', async () => {
    const [one, other] = await Promise.all([startWorker(), startWorker()])
    for (const round of [1, 2, 3]) {
      const order = { kind: 'claim', count: 25, id: ['jkt', `jti-${round}`] } as const
      const results = await Promise.all([ask<boolean[]>(one, order), ask<boolean[]>(other, order)])
      expect(results.flat().filter(Boolean)).toHaveLength(1)
      expect(results.flat()).toHaveLength(50)
    }
  })

  test('no index is handed out twice, and none again after a crash', async () => {
    const workers = await Promise.all([startWorker(), startWorker()])
    const order = { kind: 'allocate', count: 300, list: 'g1-1' } as const
    const before = await Promise.all(workers.map((one) => ask<number[]>(one, order)))
    await kill(workers[0] as ChildProcess)
    const after = await ask<number[]>(await startWorker(), order)
    const all = [...before.flat(), ...after]
    expect(new Set(all).size).toBe(900)
  })

  test('a task has one set of counters for all processes', async () => {
    const store = await openHere()
    await store.tasks.openTask('acme', aTask(), aHop())
    const [one, other] = await Promise.all([startWorker(), startWorker()])
    const results = await Promise.all([
      ask<string[]>(one, { kind: 'record', count: 50, parent: 'first', prefix: 'a' }),
      ask<string[]>(other, { kind: 'record', count: 50, parent: 'first', prefix: 'b' }),
    ])
    expect(results.flat().filter((result) => result === 'recorded')).toHaveLength(59)
  })

  test('a hop one process revoked is no parent in the other, at once', async () => {
    const store = await openHere()
    await store.tasks.openTask('acme', aTask(), aHop())
    const worker = await startWorker()
    const order = { kind: 'record', count: 1, parent: 'first' } as const
    expect(await ask(worker, { ...order, prefix: 'a' })).toEqual(['recorded'])
    expect((await store.tasks.findHop('acme', 'task-1', 'a0'))?.hop.revoked).toBe(false)
    await store.tasks.revokeHop('acme', 'task-1', 'first')
    expect(await ask(worker, { ...order, prefix: 'b' })).toEqual(['parent_revoked'])
  })
})

describe('crash', () => {
  test('every acknowledged hop survives SIGKILL at random moments, with its entry', async () => {
    const acknowledged: { readonly txn: string; readonly jti: string }[] = []
    for (let kills = 0; kills < 10; kills += 1) {
      const worker = await startWorker()
      const enough = Promise.withResolvers<void>()
      let left = 1 + Math.floor(Math.random() * 60) // where in its work it dies
      worker.on('message', (message: { readonly txn: string; readonly jti: string }) => {
        acknowledged.push(message)
        left -= 1
        if (left === 0) enough.resolve()
      })
      worker.send({ kind: 'work' } satisfies Order)
      await enough.promise
      await kill(worker)
    }
    // Long after: recovery judges every hop that was in flight.
    const clock = aClock(NOW + 60)
    const store = await openHere({ clock })
    const entries = new Set(readEntries(dataFolder).map(({ txn, jti }) => `${txn} ${jti}`))
    for (const { txn, jti } of acknowledged) {
      expect(entries.has(`${txn} ${jti}`)).toBe(true)
      expect((await store.tasks.findHop('acme', txn, jti))?.hop.revoked).toBe(false)
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(10)
    await store.tasks.openTask('acme', aTask(), aHop())
    await store.audit.append(anEntry('first'))
  }, 120_000) // ten processes, one after another

  async function leavePending(): Promise<void> {
    const store = await openHere()
    await store.tasks.openTask('acme', aTask(), aHop())
    const audited = aHop({ jti: 'audited', parent: 'first' })
    const lost = aHop({ jti: 'lost', parent: 'audited' })
    const child = aHop({ jti: 'child', parent: 'lost' })
    for (const hop of [audited, lost, child]) {
      await store.tasks.recordHop('acme', 'task-1', hop, limits())
    }
    for (const jti of ['first', 'audited', 'child']) await store.audit.append(anEntry(jti))
    await store.audit.append({ ...anEntry('lost'), outcome: 'refuse' })
    await store.audit.append({ ...anEntry('lost'), tenant: 'umbrella' })
    await store.audit.append(anEntry('lost', 'task-2'))
    await close(store)
  }
  const revokedIn = async (store: EmbeddedStore): Promise<Record<string, unknown>> => {
    const all = ['first', 'audited', 'lost', 'child'].map(async (jti) => [
      jti,
      (await store.tasks.findHop('acme', 'task-1', jti))?.hop.revoked,
    ])
    return Object.fromEntries(await Promise.all(all)) as Record<string, unknown>
  }

  test('recovery revokes a hop without an entry of its own, and what hangs on it', async () => {
    await leavePending()
    const store = await openHere({ clock: aClock(NOW + 60) })
    expect(await revokedIn(store)).toEqual({
      first: false,
      audited: false,
      lost: true,
      child: true,
    })
  })

  test('recovery leaves young hops alone, and judges them when it runs again', async () => {
    await leavePending()
    const clock = aClock(NOW + 9)
    let again = (): void => {}
    const store = await openHere({
      clock,
      after: (milliseconds, work) => {
        expect(milliseconds).toBeGreaterThanOrEqual(10_000)
        again = work
        return () => {}
      },
    })
    expect((await revokedIn(store))['lost']).toBe(false)
    clock.set(NOW + 20)
    again()
    await close(store)
    const later = await openHere({ clock })
    expect((await revokedIn(later))['lost']).toBe(true)
  })

  test('recovery does not read the audit log when nothing is pending', async () => {
    const before = await openHere()
    await before.tasks.openTask('acme', aTask(), aHop())
    await before.tasks.settleHop('acme', 'task-1', 'first')
    await close(before)
    // A log without the entry: read, it would cost the hop its life.
    await mkdir(logFolder(dataFolder, 'acme'), { recursive: true })
    await writeFile(entriesPath(logFolder(dataFolder, 'acme')), '')
    const store = await openHere({ clock: aClock(NOW + 60) })
    expect((await store.tasks.findHop('acme', 'task-1', 'first'))?.hop.revoked).toBe(false)
  })

  test('the generation is kept by a folder and differs between folders', async () => {
    const before = await openHere()
    const list = before.statusIndexes.listAt('acme', NOW)
    await close(before)
    const same = await openHere()
    expect(same.statusIndexes.listAt('acme', NOW)).toBe(list)
    const elsewhere = await openHere({ dataFolder: join(dataFolder, 'other') })
    expect(elsewhere.statusIndexes.listAt('acme', NOW)).not.toBe(list)
  })
})

describe('bounds', () => {
  test('M05 a full store is a fault for what would grow it, and still revokes', async () => {
    const roomy = await openHere()
    await roomy.tasks.openTask('acme', aTask(), aHop())
    await close(roomy)
    const store = await openHere({ maxBytes: 1 })
    const claim = { tenant: 'acme', kind: 'dpop_proof', id: ['x'], expiresAt: NOW + 60 } as const
    // Who signs in to end something claims its proof; that goes again by itself.
    expect(await store.replay.claimReplay(claim)).toBe(true)
    await expect(store.tasks.openTask('acme', aTask({ txn: 'x' }), aHop())).rejects.toThrow('full')
    const hop = aHop({ jti: 'second', parent: 'first' })
    await expect(store.tasks.recordHop('acme', 'task-1', hop, limits())).rejects.toThrow('full')
    expect(await store.tasks.revokeHop('acme', 'task-1', 'first')).toBe(true)
  })

  test('M05 an ended task is removed once none of its tokens can live, not before', async () => {
    const clock = aClock()
    const store = await openHere({ clock })
    await store.tasks.openTask('acme', aTask(), aHop({ expiresAt: NOW + 300 }))
    const late = aHop({ jti: 'late', parent: 'first', expiresAt: NOW + 2000 })
    await store.tasks.recordHop('acme', 'task-1', late, limits())
    const isThere = async (): Promise<boolean> =>
      (await store.tasks.findHop('acme', 'task-1', 'first')) !== undefined
    let opened = 0
    const work = async (): Promise<void> => {
      for (const round of [1, 2]) {
        const some = Array.from({ length: 40 }, () => {
          opened += 1
          const txn = `other-${opened}-${round}`
          return store.tasks.openTask('acme', aTask({ txn, deadline: NOW + 1e6 }), aHop())
        })
        await Promise.all(some)
      }
    }
    clock.set(NOW + 1500)
    await work()
    expect(await isThere()).toBe(true)
    clock.set(NOW + 2000 + 300)
    await work()
    expect(await isThere()).toBe(false)
  })

  test('a closed store refuses to write', async () => {
    const store = await openHere()
    await close(store)
    await expect(store.tasks.openTask('acme', aTask(), aHop())).rejects.toThrow('closed')
    await expect(store.audit.append(anEntry('x'))).rejects.toThrow('closed')
  })
})
