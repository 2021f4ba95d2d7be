/** What any store must do with what ends: records and statuses in one step, once, and nothing beside it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RevocationScope, TaskRecord } from '../../server/use-cases/ports.ts'
import { STATUS } from '../../server/use-cases/task-store.ts'
import { aClock, type ContractStore, HOSTILE, type OpenStore } from './contract.ts'
import { aHop, anEnding, aRevocation, aTask, limits, NOW, statusIn } from './records.ts'

const { valid, invalid, suspended } = STATUS
/** jti, parent, place; the index of each is where it stands, the root's is 0. */
const TREE = [
  ['first', 'root-1', 'planner'],
  ['r', 'first', 'planner/researcher'],
  ['r2', 'r', 'planner/researcher'], // the researcher itself asked again
  ['rw', 'r2', 'planner/researcher/writer'],
  ['rwr', 'rw', 'planner/researcher/writer/researcher'],
  ['w', 'first', 'planner/writer'],
  ['wr', 'w', 'planner/writer/researcher'],
  ['s', 'first', 'planner/researcher-2'],
] as const
type Jti = (typeof TREE)[number][0]
const ALL: readonly Jti[] = TREE.map(([jti]) => jti)

export function endingsContract(name: string, open: OpenStore): void {
  describe(name, () => {
    let store: ContractStore
    beforeEach(async () => {
      store = await open(aClock())
    })
    afterEach(async () => {
      await store.close()
    })
    const record = (jti: string, parent: string, place: string, idx: number) =>
      store.tasks.recordHop('acme', 'task-1', aHop({ jti, parent, place, idx }), limits())
    async function grow(parts: Partial<TaskRecord> = {}): Promise<void> {
      await store.tasks.openTask('acme', aTask(parts), aHop())
      for (const [at, [jti, parent, place]] of TREE.entries()) {
        if (jti !== 'first') expect(await record(jti, parent, place, at + 1)).toBe('recorded')
      }
    }
    const sequence = (): number => store.statusLists.sequence('acme')
    const changedAt = (): number | undefined => store.statusLists.read('acme', 'g1-1')?.changedAt
    const rootStatus = (): number => statusIn(store.statusLists, 0)
    /** Hops that are revoked by their record; each must be invalid in its list, and no other one. */
    async function revoked(): Promise<readonly string[]> {
      const tree = await store.tasks.readTask('acme', 'task-1')
      const gone = tree?.hops.filter((hop) => hop.revoked).map(({ jti }) => jti) ?? []
      const told = ALL.filter((_, at) => statusIn(store.statusLists, at + 1) === invalid)
      expect(new Set(gone)).toEqual(new Set(told))
      return told
    }
    /** Runs it twice: one change of the tenant, then none. */
    async function once<Result>(verb: () => Promise<Result>): Promise<readonly Result[]> {
      const before = sequence()
      const first = await verb()
      expect(sequence()).toBe(before + 1)
      expect(changedAt()).toBe(before + 1)
      const second = await verb()
      expect(sequence()).toBe(before + 1)
      return [first, second]
    }
    const end = (state: 'closed' | 'revoked' | 'suspended', by = 'idp:alice') =>
      store.tasks.endTask('acme', 'task-1', state, anEnding({ by }))
    const takeOut = (place: string) =>
      store.tasks.revokePlace('acme', 'task-1', place, anEnding({ reason: place }))
    const reach = (scope: RevocationScope, at = NOW + 1, txn = 'task-1') =>
      store.tasks.revokeIn('acme', txn, aRevocation(scope, { ending: anEnding({ at }) }))

    describe('a hop', () => {
      test('H04 with all that was minted from it; siblings live', async () => {
        await grow()
        expect(await once(() => store.tasks.revokeHop('acme', 'task-1', 'r2'))).toEqual([
          true,
          true,
        ])
        expect(await revoked()).toEqual(['r2', 'rw', 'rwr'])
        expect(rootStatus()).toBe(valid)
        const before = sequence()
        expect(await store.tasks.revokeHop('acme', 'task-1', 'rw')).toBe(true)
        expect(await store.tasks.revokeHop('acme', 'task-1', 'nobody')).toBe(false)
        expect(await store.tasks.revokeHop('acme', 'task-2', 'first')).toBe(false)
        expect(sequence()).toBe(before)
      })

      test('H01 the first one is all of them', async () => {
        await grow()
        await store.tasks.revokeHop('acme', 'task-1', 'first')
        expect(await revoked()).toEqual(ALL)
      })
    })

    describe('a place', () => {
      test('H04 with all beneath, and no other of a like name', async () => {
        await grow()
        const outcomes = await once(() => takeOut('planner/researcher'))
        expect(outcomes).toEqual(['revoked', 'already'])
        expect(await revoked()).toEqual(['r', 'r2', 'rw', 'rwr'])
        const tree = await store.tasks.readTask('acme', 'task-1')
        expect(tree?.revokedPlaces).toEqual([
          { place: 'planner/researcher', ending: anEnding({ reason: 'planner/researcher' }) },
        ])
        expect(tree?.task.state).toBe('open')
      })

      test('is never made again, nor anything beneath it; what stands beside it goes on', async () => {
        await grow()
        await takeOut('planner/researcher')
        expect(await record('x1', 'first', 'planner/researcher', 20)).toBe('place_revoked')
        expect(await record('x2', 'first', 'planner/researcher/coder', 20)).toBe('place_revoked')
        expect(await record('x3', 'first', 'planner/researcher-2', 20)).toBe('recorded')
        expect(await record('x4', 'w', 'planner/writer/researcher', 21)).toBe('recorded')
        expect(await record('x5', 'first', 'planner', 22)).toBe('recorded')
        expect(await record('x6', 'r', 'planner/researcher', 23)).toBe('parent_revoked')
      })

      test('one above another takes it too; one beneath it is out already', async () => {
        await grow()
        expect(await takeOut('planner/researcher/writer')).toBe('revoked')
        expect(await revoked()).toEqual(['rw', 'rwr'])
        expect(await takeOut('planner/researcher')).toBe('revoked')
        expect(await revoked()).toEqual(['r', 'r2', 'rw', 'rwr'])
        expect(await takeOut('planner/researcher/writer/researcher')).toBe('already')
        expect(await takeOut('planner')).toBe('revoked')
        expect(await revoked()).toEqual(ALL)
        expect(rootStatus()).toBe(valid)
      })

      test('none that nobody ever had, whatever its name is close to', async () => {
        await grow()
        for (const place of [
          '',
          '/',
          'plan',
          'planner/',
          'researcher',
          'planner/researcher/',
          '*',
        ]) {
          expect(await takeOut(place), place).toBe('unknown')
        }
        const of = (tenant: string, txn: string) =>
          store.tasks.revokePlace(tenant, txn, 'planner', anEnding())
        expect(await of('umbrella', 'task-1')).toBe('unknown')
        expect(await of('acme', 'task-2')).toBe('unknown')
        expect(await revoked()).toEqual([])
        expect(sequence()).toBe(store.statusLists.sequence('nobody'))
      })

      test('one whose tokens were all revoked is taken out still, and tells verifiers nothing new', async () => {
        await grow()
        await store.tasks.revokeHop('acme', 'task-1', 'r')
        const before = sequence()
        expect(await takeOut('planner/researcher')).toBe('revoked')
        expect(sequence()).toBe(before)
        expect(await record('x', 'first', 'planner/researcher', 20)).toBe('place_revoked')
      })

      test('a hop racing it is refused or revoked, never alive', async () => {
        await grow()
        const outcomes = await Promise.all(
          Array.from({ length: 40 }, (_, each) =>
            each === 20
              ? takeOut('planner/writer')
              : record(`hop-${each}`, each % 2 === 0 ? 'w' : 'first', 'planner/writer', 100 + each),
          ),
        )
        expect(new Set(outcomes)).toEqual(
          new Set(['recorded', 'revoked', 'parent_revoked', 'place_revoked']),
        )
        for (const [each, outcome] of outcomes.entries()) {
          if (outcome !== 'recorded') continue
          const found = await store.tasks.findHop('acme', 'task-1', `hop-${each}`)
          expect(found?.hop.revoked).toBe(true)
          expect(statusIn(store.statusLists, 100 + each)).toBe(invalid)
        }
      })
    })

    describe('a task', () => {
      test.each([
        ['closed', invalid, 'task_ended'],
        ['revoked', invalid, 'task_ended'],
        ['suspended', suspended, 'task_suspended'],
      ] as const)(
        '%s: its root says so, and its hops stay as they are',
        async (state, status, conflict) => {
          await grow()
          expect(await once(() => end(state))).toEqual(['ended', 'already'])
          expect(rootStatus()).toBe(status)
          expect(await revoked()).toEqual([])
          expect(await record('x', 'first', 'planner', 20)).toBe(conflict)
          const tree = await store.tasks.readTask('acme', 'task-1')
          expect(tree?.task).toEqual(aTask({ state, ending: anEnding() }))
          expect((await store.tasks.findHop('acme', 'task-1', 'first'))?.task.state).toBe(state)
        },
      )

      test('D07 what is over never opens again, and whoever ended it stays on record', async () => {
        await grow()
        expect(await end('closed')).toBe('ended')
        for (const state of ['closed', 'suspended'] as const) {
          expect(await end(state, 'agent:rogue')).toBe('already')
        }
        expect(await store.tasks.resumeTask('acme', 'task-1', anEnding())).toBe('not_suspended')
        expect((await store.tasks.readTask('acme', 'task-1'))?.task.ending?.by).toBe('idp:alice')
        const before = sequence()
        expect(await end('revoked', 'operator')).toBe('ended')
        expect(sequence()).toBe(before) // verifiers knew
        for (const state of ['closed', 'suspended', 'revoked'] as const) {
          expect(await end(state, 'agent:rogue')).toBe('already')
        }
        expect(await store.tasks.resumeTask('acme', 'task-1', anEnding())).toBe('not_suspended')
        const task = (await store.tasks.readTask('acme', 'task-1'))?.task
        expect(task).toMatchObject({ state: 'revoked', ending: { by: 'operator' } })
        expect(rootStatus()).toBe(invalid)
      })

      test('a suspended one is resumed, what was revoked in it excepted', async () => {
        await grow()
        await end('suspended')
        await store.tasks.revokeHop('acme', 'task-1', 'w')
        await takeOut('planner/researcher')
        const resume = () =>
          store.tasks.resumeTask('acme', 'task-1', anEnding({ by: 'operator', reason: 'checked' }))
        expect(await once(resume)).toEqual(['resumed', 'not_suspended'])
        expect(rootStatus()).toBe(valid)
        expect(await revoked()).toEqual(['r', 'r2', 'rw', 'rwr', 'w', 'wr'])
        const { task } = (await store.tasks.readTask('acme', 'task-1')) ?? {}
        expect(task).toMatchObject({ state: 'open', ending: { by: 'operator', reason: 'checked' } })
        expect(await record('x', 'first', 'planner', 20)).toBe('recorded')
        expect(await record('y', 'first', 'planner/researcher', 21)).toBe('place_revoked')
      })

      test.each(['closed', 'revoked'] as const)('a suspended one is %s', async (state) => {
        await grow()
        await end('suspended')
        expect(await end(state)).toBe('ended')
        expect(rootStatus()).toBe(invalid)
      })

      test('H09 none of another tenant, and none there is not', async () => {
        await grow()
        const before = sequence()
        for (const [tenant, txn] of [
          ['umbrella', 'task-1'],
          ['acme', 'task-2'],
          ['acme', ''],
        ] as const) {
          expect(await store.tasks.endTask(tenant, txn, 'revoked', anEnding())).toBe('unknown')
          expect(await store.tasks.resumeTask(tenant, txn, anEnding())).toBe('unknown')
        }
        expect(sequence()).toBe(before)
        expect(rootStatus()).toBe(valid)
      })

      test('of 50 that end it in parallel one does', async () => {
        await grow()
        const outcomes = await Promise.all(Array.from({ length: 50 }, () => end('revoked')))
        expect(outcomes.filter((outcome) => outcome === 'ended')).toHaveLength(1)
      })
    })

    describe('a subject token', () => {
      const again = (parts: Partial<TaskRecord> = {}, tenant = 'acme') =>
        store.tasks.openTask(tenant, aTask({ txn: 'task-2', ...parts }), aHop({ idx: 9 }))

      test('of a revoked task opens none any more', async () => {
        await grow()
        await end('revoked')
        expect(await again()).toBe('subject_token_spent')
        expect(await store.tasks.readTask('acme', 'task-2')).toBeUndefined()
        expect(
          await store.tasks.liveTasks('acme', { now: NOW, after: undefined, limit: 9 }),
        ).toEqual([])
      })

      test.each(['closed', 'suspended'] as const)('of a %s task opens another', async (state) => {
        await grow()
        await end(state)
        expect(await again()).toBe('opened')
      })

      test('of a task that was closed first is spent by the revocation', async () => {
        await grow()
        await end('closed')
        await end('revoked')
        expect(await again()).toBe('subject_token_spent')
      })

      test('F06 F04 others live: of another tenant, of another id, however close, and none at all', async () => {
        await grow({ subjectToken: { id: ['idp', 'jti:a'], expiresAt: NOW + 600 } })
        await end('revoked')
        const ids = [['idp', 'jti:'], ['idpjti:a'], ['idp', 'jti:a', ''], ['idp,jti:a'], []]
        for (const [each, id] of ids.entries()) {
          const subjectToken = { id, expiresAt: NOW + 600 }
          expect(await again({ txn: `other-${each}`, subjectToken })).toBe('opened')
        }
        expect(await again({ txn: 'none', subjectToken: undefined })).toBe('opened')
        const same = { id: ['idp', 'jti:a'], expiresAt: NOW + 600 }
        expect(await again({ subjectToken: same }, 'umbrella')).toBe('opened')
        expect(await again({ subjectToken: same })).toBe('subject_token_spent')
      })

      test.each([Number.MAX_SAFE_INTEGER, 2 ** 40, -5, 0.5])(
        'one that expires at %s is spent as well, and harms nothing',
        async (expiresAt) => {
          const subjectToken = { id: ['idp', 'jti:far'], expiresAt }
          await grow({ subjectToken })
          expect(await end('revoked')).toBe('ended')
          expect(await again({ subjectToken })).toBe('subject_token_spent')
        },
      )
    })

    describe('one that has to reach many tasks', () => {
      test('E09 an agent is taken out where it acts, in the middle of others’ chains too', async () => {
        await grow()
        const outcomes = await once(() => reach({ kind: 'agent', id: 'researcher' }))
        expect(outcomes).toEqual([
          { tasks: 0, places: 2 },
          { tasks: 0, places: 0 },
        ])
        expect(await revoked()).toEqual(['r', 'r2', 'rw', 'rwr', 'wr'])
        const places = (await store.tasks.readTask('acme', 'task-1'))?.revokedPlaces
        expect(new Set(places?.map(({ place }) => place))).toEqual(
          new Set(['planner/researcher', 'planner/writer/researcher']),
        )
        expect(await record('x', 'first', 'planner/researcher', 20)).toBe('place_revoked')
      })

      test('E09 the tasks an agent opened are revoked, and their subject tokens spent', async () => {
        await grow()
        expect(await once(() => reach({ kind: 'agent', id: 'planner' }))).toEqual([
          { tasks: 1, places: 0 },
          { tasks: 0, places: 0 },
        ])
        expect(rootStatus()).toBe(invalid)
        const { task } = (await store.tasks.readTask('acme', 'task-1')) ?? {}
        expect(task).toMatchObject({ state: 'revoked', ending: anEnding() })
        const other = aTask({ txn: 'task-2' })
        expect(await store.tasks.openTask('acme', other, aHop())).toBe('subject_token_spent')
      })

      test.each([
        [{ kind: 'subject', id: 'alice' }, 1],
        [{ kind: 'task_type', id: 'reconcile' }, 1],
        [{ kind: 'subject', id: 'planner' }, 0],
        [{ kind: 'task_type', id: 'alice' }, 0],
        [{ kind: 'agent', id: 'alice' }, 0],
        [{ kind: 'agent', id: 'planner/researcher' }, 0],
        [{ kind: 'agent', id: 'research' }, 0],
        [{ kind: 'agent', id: '' }, 0],
      ] as const)('%j reaches %i tasks', async (scope, tasks) => {
        await grow()
        expect(await reach(scope)).toEqual({ tasks, places: 0 })
        expect(rootStatus()).toBe(tasks === 1 ? invalid : valid)
        expect(await revoked()).toEqual([])
      })

      test('what was opened after it is not meant; what was opened in its second is', async () => {
        await grow()
        const agent = { kind: 'agent', id: 'researcher' } as const
        const subject = { kind: 'subject', id: 'alice' } as const
        expect(await reach(agent, NOW - 1)).toEqual({ tasks: 0, places: 0 })
        expect(await reach(subject, NOW - 1)).toEqual({ tasks: 0, places: 0 })
        expect(await reach(agent, NOW)).toEqual({ tasks: 0, places: 2 })
        expect(await reach(subject, NOW)).toEqual({ tasks: 1, places: 0 })
        expect(await reach(subject, NOW, 'task-2')).toEqual({ tasks: 0, places: 0 })
      })

      test('is pending from its beginning until its end, and each is its tenant’s own', async () => {
        const one = aRevocation({ kind: 'agent', id: 'coder' })
        const other = aRevocation({ kind: 'subject', id: '\ud800' }, { id: 'revocation-2' })
        await store.tasks.beginRevocation('acme', one)
        await store.tasks.beginRevocation('umbrella', other)
        await store.tasks.beginRevocation('umbrella', { ...one, scope: other.scope })
        const pending = async () => new Set(await store.tasks.pendingRevocations())
        expect(await pending()).toEqual(
          new Set([
            { tenant: 'acme', revocation: one },
            { tenant: 'umbrella', revocation: other },
            { tenant: 'umbrella', revocation: { ...one, scope: other.scope } },
          ]),
        )
        await store.tasks.finishRevocation('umbrella', one.id)
        await store.tasks.finishRevocation('acme', 'revocation-2')
        expect(await pending()).toEqual(
          new Set([
            { tenant: 'acme', revocation: one },
            { tenant: 'umbrella', revocation: other },
          ]),
        )
      })

      test('F04 hostile ids reach what bears them, and nothing else', async () => {
        const ids = [...new Set(HOSTILE)].filter((id) => !id.includes('/'))
        for (const [each, id] of ids.entries()) {
          const parts = { txn: id, opener: 'planner', subjectToken: undefined, subject: id }
          await store.tasks.openTask(
            'acme',
            aTask({ ...parts, rootIdx: each * 2 }),
            aHop({ place: id, idx: each * 2 + 1 }),
          )
        }
        for (const [each, id] of ids.entries()) {
          const agent = { kind: 'agent', id } as const
          const found: string[] = []
          for (const txn of ids) if ((await reach(agent, NOW, txn)).places > 0) found.push(txn)
          expect(found).toEqual([id])
          expect(statusIn(store.statusLists, each * 2 + 1)).toBe(invalid)
          for (const txn of ids) {
            const { tasks } = await reach({ kind: 'subject', id }, NOW, txn)
            expect(tasks).toBe(txn === id ? 1 : 0)
          }
          expect(statusIn(store.statusLists, each * 2)).toBe(invalid)
        }
      })
    })
  })
}
