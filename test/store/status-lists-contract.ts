/** What any store must tell verifiers: statuses as they follow from the records, by list, with a sequence that only grows. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { STATUS } from '../../server/use-cases/task-store.ts'
import { aClock, type ContractStore, HOSTILE, type OpenStore } from './contract.ts'
import { aHop, anEnding, aTask, limits, statusIn } from './records.ts'

export function statusListsContract(name: string, open: OpenStore): void {
  describe(name, () => {
    let store: ContractStore
    beforeEach(async () => {
      store = await open(aClock())
    })
    afterEach(async () => {
      await store.close()
    })
    const openIn = (list: string, txn = `task in ${list}`, tenant = 'acme') =>
      store.tasks.openTask(tenant, aTask({ txn, list, subjectToken: undefined }), aHop())
    const end = (txn: string, tenant = 'acme') =>
      store.tasks.endTask(tenant, txn, 'revoked', anEnding())

    test('a tenant without lists has none, and what nobody knows is no list', () => {
      expect(store.statusLists.lists('acme')).toEqual([])
      expect(store.statusLists.read('acme', 'g1-1')).toBeUndefined()
      expect(store.statusLists.sequence('acme')).toBe(store.statusLists.sequence('umbrella'))
    })

    test('a list is there from its first index on, never changed and all valid', async () => {
      await store.statusIndexes.allocate('acme', 'g1-1')
      expect(store.statusLists.lists('acme')).toEqual([{ id: 'g1-1', changedAt: 0 }])
      const content = store.statusLists.read('acme', 'g1-1')
      expect(content).toMatchObject({ changedAt: 0, sequence: store.statusLists.sequence('acme') })
      expect(content?.size).toBeGreaterThan(0)
      expect(content?.statuses.every((byte) => byte === 0)).toBe(true)
    })

    test('its size is above every index handed out, and above every status it has', async () => {
      for (let each = 0; each < 300; each += 1) {
        const idx = await store.statusIndexes.allocate('acme', 'g1-1')
        expect(store.statusLists.read('acme', 'g1-1')?.size).toBeGreaterThan(idx)
      }
      await store.tasks.openTask('acme', aTask({ rootIdx: 100_000 }), aHop({ idx: 7 }))
      await end('task-1')
      expect(store.statusLists.read('acme', 'g1-1')?.size).toBeGreaterThan(100_000)
    })

    test('each change is one more, and its list tells it', async () => {
      for (const list of ['a', 'b', 'c']) await openIn(list)
      const begin = store.statusLists.sequence('acme')
      await end('task in b')
      await end('task in a')
      await end('task in a')
      const lists = new Map(
        store.statusLists.lists('acme').map((list) => [list.id, list.changedAt]),
      )
      expect(lists).toEqual(
        new Map([
          ['a', begin + 2],
          ['b', begin + 1],
          ['c', 0],
        ]),
      )
      expect(store.statusLists.sequence('acme')).toBe(begin + 2)
      expect(store.statusLists.read('acme', 'b')).toMatchObject({
        changedAt: begin + 1,
        sequence: begin + 2,
      })
    })

    test('neither opening nor recording changes what verifiers know', async () => {
      const before = store.statusLists.sequence('acme')
      await openIn('g1-1', 'task-1')
      await store.tasks.recordHop('acme', 'task-1', aHop({ jti: 'x', parent: 'first' }), limits())
      await store.tasks.settleHop('acme', 'task-1', 'first')
      expect(store.statusLists.sequence('acme')).toBe(before)
      expect(store.statusLists.lists('acme')).toEqual([{ id: 'g1-1', changedAt: 0 }])
    })

    test('an index is told apart from its neighbours, wherever it is', async () => {
      const indexes = [0, 1, 2, 3, 4, 5, 8, 15, 16, 4095, 4096, 4097, 8191, 8192, 65_535, 70_001]
      for (const idx of indexes) {
        const task = aTask({ txn: `task-${idx}`, rootIdx: idx, subjectToken: undefined })
        await store.tasks.openTask('acme', task, aHop({ idx: 200_000 + idx }))
      }
      const told = () => indexes.map((idx) => statusIn(store.statusLists, idx))
      const expected = indexes.map((): number => STATUS.valid)
      for (const [each, idx] of [...indexes.entries()].toReversed()) {
        const state = each % 2 === 0 ? 'suspended' : 'closed'
        await store.tasks.endTask('acme', `task-${idx}`, state, anEnding())
        expected[each] = each % 2 === 0 ? STATUS.suspended : STATUS.invalid
        expect(told()).toEqual(expected)
      }
      for (const [each, idx] of indexes.entries()) {
        if (each % 2 !== 0) continue
        await store.tasks.resumeTask('acme', `task-${idx}`, anEnding())
        expected[each] = STATUS.valid
        expect(told()).toEqual(expected)
      }
      const { statuses } = store.statusLists.read('acme', 'g1-1') ?? { statuses: new Uint8Array() }
      let bits = 0
      for (const byte of statuses) for (let rest = byte; rest > 0; rest &= rest - 1) bits += 1
      expect(bits).toBe(indexes.length / 2) // one bit each of the closed ones, and nothing else
    })

    test('a list that was read is a copy: later changes are in the next one', async () => {
      await openIn('g1-1', 'task-1')
      const before = store.statusLists.read('acme', 'g1-1')
      await end('task-1')
      expect(before?.statuses.every((byte) => byte === 0)).toBe(true)
      store.statusLists.read('acme', 'g1-1')?.statuses.fill(0)
      expect(statusIn(store.statusLists, 0)).toBe(STATUS.invalid)
    })

    test('F06 F04 lists of tenants are their own, whatever they are called', async () => {
      const names = [...new Set(HOSTILE)]
      for (const name of names) {
        await openIn(name, 'task-1', name)
        await openIn('g1-1', `task-${name}`, name)
      }
      for (const [each, name] of names.entries()) {
        const before = store.statusLists.sequence(name)
        await end('task-1', name)
        expect(store.statusLists.sequence(name)).toBe(before + 1)
        expect(statusIn(store.statusLists, 0, name, name)).toBe(STATUS.invalid)
        expect(statusIn(store.statusLists, 0, 'g1-1', name)).toBe(STATUS.valid)
        const ids = store.statusLists.lists(name).map(({ id }) => id)
        expect(new Set(ids)).toEqual(new Set([name, 'g1-1']))
        const later = names.slice(each + 1)
        for (const other of later) {
          expect(statusIn(store.statusLists, 0, other, other)).toBe(STATUS.valid)
        }
      }
    })

    test('of 100 changes in parallel each is counted once', async () => {
      const txns = Array.from({ length: 100 }, (_, each) => `task-${each}`)
      for (const [each, txn] of txns.entries()) {
        const task = aTask({ txn, rootIdx: 2 * each, subjectToken: undefined })
        await store.tasks.openTask('acme', task, aHop({ idx: 2 * each + 1 }))
      }
      const before = store.statusLists.sequence('acme')
      await Promise.all(txns.map((txn) => end(txn)))
      expect(store.statusLists.sequence('acme')).toBe(before + 100)
      for (const each of txns.keys()) {
        expect(statusIn(store.statusLists, 2 * each)).toBe(STATUS.invalid)
        expect(statusIn(store.statusLists, 2 * each + 1)).toBe(STATUS.valid)
      }
    })

    test('what is told of a hop and of its task are two indexes', async () => {
      await store.tasks.openTask('acme', aTask(), aHop())
      await store.tasks.revokeHop('acme', 'task-1', 'first')
      expect([0, 1, 2].map((idx) => statusIn(store.statusLists, idx))).toEqual([0, 1, 0])
      expect((await store.tasks.readTask('acme', 'task-1'))?.task.state).toBe('open')
    })
  })
}
