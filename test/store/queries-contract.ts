/** What any store must show of tasks: trees, pages newest first, and what is alive. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TaskPage, TaskQuery, TaskRecord } from '../../server/use-cases/ports.ts'
import { aClock, type ContractStore, HOSTILE, type OpenStore } from './contract.ts'
import { aHop, anEnding, aQuery, aTask, limits, NOW } from './records.ts'

export function queriesContract(name: string, open: OpenStore): void {
  describe(name, () => {
    let store: ContractStore
    beforeEach(async () => {
      store = await open(aClock())
    })
    afterEach(async () => {
      await store.close()
    })
    const openOne = (txn: string, parts: Partial<TaskRecord> = {}, tenant = 'acme') => {
      const task = aTask({ txn, subjectToken: undefined, ...parts })
      return store.tasks.openTask(tenant, task, aHop({ place: task.opener, holder: task.opener }))
    }
    const look = (parts: Partial<TaskQuery> = {}, tenant = 'acme'): Promise<TaskPage> =>
      store.tasks.listTasks(tenant, aQuery(parts))
    const found = async (parts: Partial<TaskQuery> = {}): Promise<readonly string[]> =>
      (await look(parts)).tasks.map(({ txn }) => txn)
    const live = (after?: string, limit = 100, now = NOW) =>
      store.tasks.liveTasks('acme', { now, after, limit })
    async function pages(parts: Partial<TaskQuery>): Promise<readonly (readonly string[])[]> {
      const all: string[][] = []
      for (let after: TaskQuery['after']; ; ) {
        const page = await look({ ...parts, after })
        all.push(page.tasks.map(({ txn }) => txn))
        if (page.next === undefined) return all
        after = page.next
      }
    }

    describe('a tree', () => {
      test('is the task with all its hops, oldest first', async () => {
        await store.tasks.openTask('acme', aTask(), aHop())
        const hops = [
          aHop({ jti: 'c', parent: 'first', idx: 2, issuedAt: NOW + 2 }),
          aHop({ jti: 'b', parent: 'first', idx: 3, issuedAt: NOW + 3, owner: undefined }),
          aHop({ jti: 'a', parent: 'c', idx: 4, issuedAt: NOW + 4, place: 'planner/a' }),
        ]
        for (const hop of hops) await store.tasks.recordHop('acme', 'task-1', hop, limits())
        expect(await store.tasks.readTask('acme', 'task-1')).toEqual({
          task: aTask(),
          hops: [aHop(), ...hops],
          revokedPlaces: [],
        })
        expect(await store.tasks.readTask('acme', 'task-2')).toBeUndefined()
        expect(await store.tasks.readTask('umbrella', 'task-1')).toBeUndefined()
      })
    })

    describe('a page', () => {
      test('has the newest first, each once, and ends', async () => {
        for (const at of [5, 1, 4, 2, 3]) await openOne(`t${at}`, { openedAt: NOW + at })
        expect(await found()).toEqual(['t5', 't4', 't3', 't2', 't1'])
        expect(await pages({ limit: 2 })).toEqual([['t5', 't4'], ['t3', 't2'], ['t1']])
        expect(await pages({ limit: 5 })).toEqual([['t5', 't4', 't3', 't2', 't1']])
        expect((await look({}, 'umbrella')).tasks).toEqual([])
      })

      test('of tasks of one second misses none', async () => {
        const all = Array.from({ length: 25 }, (_, each) => `t${each + 10}`)
        for (const txn of all) await openOne(txn)
        await openOne('older', { openedAt: NOW - 1 })
        const shown = (await pages({ limit: 4 })).flat()
        expect(shown.toSorted()).toEqual(['older', ...all])
        expect(shown.at(-1)).toBe('older')
        expect(new Set(shown).size).toBe(26)
      })

      test('what is opened meanwhile moves nothing', async () => {
        for (const at of [1, 2, 3, 4]) await openOne(`t${at}`, { openedAt: NOW + at })
        const { next } = await look({ limit: 2 })
        await openOne('new', { openedAt: NOW + 9 })
        await openOne('t33', { openedAt: NOW + 3 })
        expect(await found({ after: next })).toEqual(['t33', 't2', 't1'])
      })

      test('between two seconds it goes on with the older one', async () => {
        for (const at of [1, 2, 3]) await openOne(`t${at}`, { openedAt: NOW + at })
        expect(await found({ after: { openedAt: NOW + 3, txn: '' } })).toEqual(['t2', 't1'])
        expect(await found({ after: { openedAt: NOW + 2, txn: '' } })).toEqual(['t1'])
        expect(await found({ after: { openedAt: NOW, txn: '' } })).toEqual([])
        expect(await found({ after: { openedAt: 0, txn: '' } })).toEqual([])
        expect(await found({ after: { openedAt: NOW + 99, txn: '' } })).toEqual(['t3', 't2', 't1'])
      })

      test('shows a state as it is by then', async () => {
        for (const txn of ['open', 'closed', 'revoked', 'suspended']) await openOne(txn)
        for (const state of ['closed', 'revoked', 'suspended'] as const) {
          await store.tasks.endTask('acme', state, state, anEnding())
        }
        await openOne('long', { deadline: NOW + 5000 })
        const shown = async (now: number): Promise<Record<string, readonly string[]>> => {
          const states = ['open', 'suspended', 'closed', 'revoked', 'expired'] as const
          const all = states.map(async (state) => [state, (await found({ state, now })).toSorted()])
          return Object.fromEntries(await Promise.all(all)) as Record<string, readonly string[]>
        }
        const over = { closed: ['closed'], revoked: ['revoked'] }
        const before = { ...over, open: ['long', 'open'], suspended: ['suspended'], expired: [] }
        expect(await shown(NOW + 899)).toEqual(before)
        const after = { ...over, open: ['long'], suspended: [], expired: ['open', 'suspended'] }
        expect(await shown(NOW + 900)).toEqual(after)
      })

      test('shows whose they are, and where an agent acts', async () => {
        await openOne('one', { opener: 'planner', subject: 'alice', openedAt: NOW + 3 })
        await openOne('two', { opener: 'coder', subject: 'bob', openedAt: NOW + 2 })
        await openOne('three', { opener: 'planner', subject: 'bob', openedAt: NOW + 1 })
        for (const [txn, place] of [
          ['one', 'planner/coder'],
          ['three', 'planner/x/writer'],
        ] as const) {
          const hop = aHop({ jti: 'h', parent: 'first', place, holder: place.split('/').at(-1)! })
          await store.tasks.recordHop('acme', txn, hop, limits())
        }
        expect(await found({ opener: 'planner' })).toEqual(['one', 'three'])
        expect(await found({ subject: 'bob' })).toEqual(['two', 'three'])
        expect(await found({ subject: 'bob', opener: 'planner' })).toEqual(['three'])
        expect(await found({ agent: 'coder' })).toEqual(['one', 'two'])
        expect(await found({ agent: 'planner' })).toEqual(['one', 'three'])
        expect(await found({ agent: 'writer' })).toEqual(['three'])
        expect(await found({ agent: 'coder', opener: 'planner' })).toEqual(['one'])
        expect(await found({ agent: 'code' })).toEqual([])
        expect(await found({ opener: 'nobody' })).toEqual([])
        // One that was revoked in a task acts in it still.
        await store.tasks.revokePlace('acme', 'one', 'planner/coder', anEnding())
        expect(await found({ agent: 'coder' })).toEqual(['one', 'two'])
      })

      test('F06 F04 is one tenant’s, whatever it is called', async () => {
        const names = [...new Set(HOSTILE)]
        for (const tenant of names) await openOne('task', { subject: 'own' }, tenant)
        for (const name of names) await openOne(name, { openedAt: NOW }, 'acme')
        for (const tenant of names) expect((await look({}, tenant)).tasks).toHaveLength(1)
        expect(new Set(await found())).toEqual(new Set(names))
        const each = await pages({ limit: 3 })
        expect(each.flat().length).toBeGreaterThanOrEqual(names.length - 3)
      })
    })

    describe('what is alive', () => {
      test('is open or suspended and before its deadline', async () => {
        for (const txn of ['aa', 'bb', 'cc', 'dd']) await openOne(txn)
        await openOne('ee', { deadline: NOW + 5000 })
        await store.tasks.endTask('acme', 'aa', 'closed', anEnding())
        await store.tasks.endTask('acme', 'bb', 'revoked', anEnding())
        await store.tasks.endTask('acme', 'cc', 'suspended', anEnding())
        expect(await live()).toEqual(['cc', 'dd', 'ee'])
        expect(await live(undefined, 100, NOW + 900)).toEqual(['ee'])
      })

      test('is walked whole, a part at a time, whatever ends on the way', async () => {
        const all = Array.from({ length: 300 }, (_, each) => `t${each + 100}`)
        for (const txn of all) await openOne(txn)
        const walked: string[] = []
        for (let after: string | undefined; ; ) {
          const some = await live(after, 7)
          if (some.length === 0) break
          expect(some.length).toBeLessThanOrEqual(7)
          for (const txn of some) await store.tasks.endTask('acme', txn, 'revoked', anEnding())
          walked.push(...some)
          after = some.at(-1)
        }
        expect(walked.toSorted()).toEqual(all)
      })

      test('F06 F04 is one tenant’s, and a walk passes every id', async () => {
        const names = [...new Set(HOSTILE)]
        for (const txn of names) await openOne(txn)
        for (const tenant of names) await openOne('task', {}, tenant)
        const walked: string[] = []
        for (let after: string | undefined; ; ) {
          const some = await live(after, 2)
          if (some.length === 0) break
          walked.push(...some)
          after = some.at(-1)
        }
        expect(walked).toHaveLength(names.length)
        expect(new Set(walked)).toEqual(new Set(names))
      })
    })
  })
}
