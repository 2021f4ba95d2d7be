/**
 * What any store must do, whatever engine is behind it: run against every implementation of the ports. `open` opens the
 * same state again when given the same folder, as a second server process would.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type {
  Counters,
  ReplayClaim,
  ReplayGuard,
  StatusIndexes,
  StatusLists,
  TaskStore,
  TenantVersions,
} from '../../server/use-cases/ports.ts'
import { aHop, aTask, limits, NOW } from './records.ts'

export interface ContractStore {
  readonly replay: ReplayGuard
  readonly tasks: TaskStore
  readonly statusIndexes: StatusIndexes
  readonly statusLists: StatusLists
  readonly counters: Counters
  readonly versions: TenantVersions
  close(): Promise<void>
}

export interface SettableClock {
  now(): number
  set(now: number): void
}

export type OpenStore = (clock: SettableClock) => Promise<ContractStore>

export function aClock(now = NOW): SettableClock {
  let current = now
  return {
    now: () => current,
    set: (to) => {
      current = to
    },
  }
}

/** Ids that would reach another record in a store that joins texts. */
export const HOSTILE = [
  'a:b',
  'a/b',
  'a',
  'b',
  'a}',
  '{a}',
  '{a',
  '*',
  'a\nb',
  'a\0b',
  'a\0',
  '\0a',
  '',
  '..',
  '../a',
  'x'.repeat(10_000),
  `${'x'.repeat(9_999)}y`,
  'x'.repeat(63),
  'x'.repeat(64),
  'x'.repeat(65),
  'é'.repeat(31),
  'é'.repeat(32),
  '\ud800',
  '\ud801',
  '\ufffd',
  '\u00ff',
  '\u00fe',
]

function aClaim(parts: Partial<ReplayClaim> = {}): ReplayClaim {
  return {
    tenant: 'acme',
    kind: 'client_assertion',
    id: ['planner', 'jti-1'],
    expiresAt: NOW + 60,
    ...parts,
  }
}

export function storeContract(name: string, open: OpenStore): void {
  describe(name, () => {
    let store: ContractStore
    let clock: SettableClock
    beforeEach(async () => {
      clock = aClock()
      store = await open(clock)
    })
    afterEach(async () => {
      await store.close()
    })
    const open1 = (): Promise<string> => store.tasks.openTask('acme', aTask(), aHop())
    const isRevoked = async (jti: string): Promise<boolean | undefined> =>
      (await store.tasks.findHop('acme', 'task-1', jti))?.hop.revoked

    describe('replay claims', () => {
      test('E03 I03 of 50 parallel claims of one id exactly one succeeds', async () => {
        const claims = Array.from({ length: 50 }, () => store.replay.claimReplay(aClaim()))
        const results = await Promise.all(claims)
        expect(results.filter(Boolean)).toHaveLength(1)
        expect(await store.replay.claimReplay(aClaim())).toBe(false)
      })

      test('E03 an id stays claimed until it has expired, and a claim that has expired is refused', async () => {
        expect(await store.replay.claimReplay(aClaim())).toBe(true)
        clock.set(NOW + 59)
        expect(await store.replay.claimReplay(aClaim())).toBe(false)
        for (const now of [NOW + 60, NOW + 61, NOW + 100_000]) {
          clock.set(now)
          expect(await store.replay.claimReplay(aClaim())).toBe(false)
          expect(await store.replay.claimReplay(aClaim({ id: ['never', 'seen'] }))).toBe(false)
        }
        expect(await store.replay.claimReplay(aClaim({ expiresAt: Number.NaN }))).toBe(false)
      })

      test('E03 sweeping what has expired forgets nothing that lives', async () => {
        const living = aClaim({ expiresAt: NOW + 3600 })
        expect(await store.replay.claimReplay(living)).toBe(true)
        for (let round = 0; round < 5; round += 1) {
          clock.set(NOW + round * 300)
          const some = Array.from({ length: 100 }, (_, each) =>
            store.replay.claimReplay(
              aClaim({ id: [`${round}`, `${each}`], expiresAt: clock.now() + 60 }),
            ),
          )
          expect((await Promise.all(some)).every(Boolean)).toBe(true)
        }
        expect(await store.replay.claimReplay(living)).toBe(false)
      })

      test('E03 of 50 parallel claims by 50 holders one holder wins, and goes on', async () => {
        const holders = Array.from({ length: 50 }, (_, each) => `key-${each}`)
        const claims = holders.map((holder) => store.replay.claimReplay(aClaim({ holder })))
        const results = await Promise.all(claims)
        expect(results.filter(Boolean)).toHaveLength(1)
        for (const [each, holder] of holders.entries()) {
          expect(await store.replay.claimReplay(aClaim({ holder }))).toBe(results[each])
        }
        expect(await store.replay.claimReplay(aClaim())).toBe(false)
      })

      test('E03 what was claimed by nobody is nobody’s', async () => {
        expect(await store.replay.claimReplay(aClaim())).toBe(true)
        // However a store tells a claim without a holder from others.
        for (const holder of ['key', '\u0001', '']) {
          expect(await store.replay.claimReplay(aClaim({ holder }))).toBe(false)
        }
      })

      test('F06 E03 one tenant never uses up the id of another', async () => {
        expect(await store.replay.claimReplay(aClaim())).toBe(true)
        expect(await store.replay.claimReplay(aClaim({ tenant: 'umbrella' }))).toBe(true)
        expect(await store.replay.claimReplay(aClaim())).toBe(false)
      })

      test('O06 an assertion and a proof of the same id are two claims', async () => {
        expect(await store.replay.claimReplay(aClaim())).toBe(true)
        expect(await store.replay.claimReplay(aClaim({ kind: 'dpop_proof' }))).toBe(true)
      })

      test('F04 hostile ids, tenants and splits of them never collide', async () => {
        const claims = [
          ...HOSTILE.map((text) => aClaim({ id: ['planner', text] })),
          ...HOSTILE.map((text) => aClaim({ id: [text, 'planner'] })),
          ...HOSTILE.map((text) => aClaim({ id: [`planner${text}`] })),
          ...HOSTILE.map((text) => aClaim({ tenant: text, id: ['planner'] })),
          aClaim({ id: [] }),
          aClaim({ id: ['', ''] }),
          aClaim({ id: ['', '', ''] }),
        ]
        const different = new Set(claims.map(({ tenant, id }) => JSON.stringify([tenant, id])))
        const results = await Promise.all(claims.map((claim) => store.replay.claimReplay(claim)))
        expect(results.filter(Boolean)).toHaveLength(different.size)
      })
    })

    describe('status indexes', () => {
      test('a list is named by generation and hour', () => {
        const list = store.statusIndexes.listAt('acme', NOW)
        expect(list).toMatch(/^g[0-9a-z]+-[0-9a-z]+$/)
        expect(store.statusIndexes.listAt('acme', NOW + 3600)).not.toBe(list)
      })

      test('parallel callers never get the same index', async () => {
        const list = store.statusIndexes.listAt('acme', NOW)
        const indexes = await Promise.all(
          Array.from({ length: 500 }, () => store.statusIndexes.allocate('acme', list)),
        )
        expect(new Set(indexes).size).toBe(500)
        expect(indexes.every((index) => Number.isSafeInteger(index) && index >= 0)).toBe(true)
      })

      test('F06 F04 lists of tenants and windows count by themselves', async () => {
        const firsts = await Promise.all(
          HOSTILE.map((tenant) => store.statusIndexes.allocate(tenant, 'g1-1')),
        )
        expect(new Set(firsts)).toEqual(new Set([0]))
        expect(await store.statusIndexes.allocate('a', 'g1-2')).toBe(0)
      })
    })

    describe('tasks', () => {
      test('a task is found with its hop, as it was opened', async () => {
        await open1()
        expect(await store.tasks.findHop('acme', 'task-1', 'first')).toEqual({
          task: aTask(),
          hop: aHop(),
        })
        expect(await store.tasks.findHop('acme', 'task-1', 'root-1')).toBeUndefined()
        expect(await store.tasks.findHop('acme', 'task-2', 'first')).toBeUndefined()
      })

      test('of parallel openings of one task exactly one succeeds, and the others throw', async () => {
        const results = await Promise.allSettled(Array.from({ length: 20 }, open1))
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      })

      test('a recorded hop is found', async () => {
        await open1()
        const hop = aHop({ jti: 'second', parent: 'first', place: 'planner/researcher' })
        expect(await store.tasks.recordHop('acme', 'task-1', hop, limits())).toBe('recorded')
        expect((await store.tasks.findHop('acme', 'task-1', 'second'))?.hop).toEqual(hop)
      })

      test('a hop is never recorded over another', async () => {
        await open1()
        const again = aHop({ parent: 'first', holder: 'mallory' })
        await expect(store.tasks.recordHop('acme', 'task-1', again, limits())).rejects.toThrow()
        expect((await store.tasks.findHop('acme', 'task-1', 'first'))?.hop.holder).toBe('planner')
      })

      test.each([
        ['task_unknown', { txn: 'task-2' }],
        ['task_ended', { now: NOW + 900 }],
        ['task_ended', { state: 'closed' }],
        ['task_ended', { state: 'revoked' }],
        ['parent_unknown', { parent: 'nobody' }],
        ['parent_unknown', { parent: 'root-1' }],
        ['parent_revoked', { revoked: true, now: NOW + 300 }],
        ['parent_expired', { now: NOW + 300 }],
        ['place_full', { place: 'planner', tokensPerPlace: 1, tokensPerTask: 1 }],
        ['task_full', { tokensPerTask: 1 }],
        ['recorded', { now: NOW + 299, tokensPerTask: 2, tokensPerPlace: 1 }],
      ] as const)('%s: %j', async (expected, parts: Record<string, unknown>) => {
        const given = { now: NOW, tokensPerPlace: 100, tokensPerTask: 100, ...parts }
        const state = (parts['state'] ?? 'open') as 'open'
        await store.tasks.openTask('acme', aTask({ state }), aHop())
        if (parts['revoked'] === true) await store.tasks.revokeHop('acme', 'task-1', 'first')
        const hop = aHop({
          jti: 'second',
          parent: (parts['parent'] ?? 'first') as string,
          place: (parts['place'] ?? 'planner/researcher') as string,
        })
        const txn = (parts['txn'] ?? 'task-1') as string
        expect(await store.tasks.recordHop('acme', txn, hop, limits(given))).toBe(expected)
        const found = await store.tasks.findHop('acme', 'task-1', 'second')
        expect(found !== undefined).toBe(expected === 'recorded')
      })

      test('parallel hops never pass the limits of a place or a task', async () => {
        await open1()
        const hops = Array.from({ length: 60 }, (_, each) =>
          store.tasks.recordHop(
            'acme',
            'task-1',
            aHop({ jti: `hop-${each}`, parent: 'first', place: `planner/${each % 4}` }),
            limits({ tokensPerPlace: 5, tokensPerTask: 18 }),
          ),
        )
        const results = await Promise.all(hops)
        // The first hop counts.
        expect(results.filter((result) => result === 'recorded')).toHaveLength(17)
        expect(new Set(results)).toEqual(new Set(['recorded', 'place_full', 'task_full']))
      })

      test('revoking a hop revokes all beneath it, and nothing beside it', async () => {
        await open1()
        // first -> a (recipient) -> a1 (recipient), a2 (holder exchange of a) -> a21; first -> b (sibling of a)
        const tree = [
          ['a', 'first', 'planner/r'],
          ['a1', 'a', 'planner/r/w'],
          ['a2', 'a', 'planner/r'],
          ['a21', 'a2', 'planner/r/w'],
          ['b', 'first', 'planner/r'],
          ['b1', 'b', 'planner/r/w'],
        ] as const
        for (const [jti, parent, place] of tree) {
          const hop = aHop({ jti, parent, place })
          expect(await store.tasks.recordHop('acme', 'task-1', hop, limits())).toBe('recorded')
        }
        expect(await store.tasks.revokeHop('acme', 'task-1', 'a')).toBe(true)
        expect(await store.tasks.revokeHop('acme', 'task-1', 'a')).toBe(true)
        for (const jti of ['a', 'a1', 'a2', 'a21']) expect(await isRevoked(jti), jti).toBe(true)
        for (const jti of ['first', 'b', 'b1']) expect(await isRevoked(jti), jti).toBe(false)
        expect(await store.tasks.revokeHop('acme', 'task-1', 'nobody')).toBe(false)
        expect(await store.tasks.revokeHop('acme', 'task-1', 'root-1')).toBe(false)
      })

      test('a hop racing the revocation of its parent is refused or revoked, never alive', async () => {
        await open1()
        const outcomes = await Promise.all(
          Array.from({ length: 40 }, async (_, each) => {
            if (each === 20) return store.tasks.revokeHop('acme', 'task-1', 'first')
            const hop = aHop({ jti: `hop-${each}`, parent: 'first', place: `p/${each}` })
            return store.tasks.recordHop('acme', 'task-1', hop, limits())
          }),
        )
        for (const [each, outcome] of outcomes.entries()) {
          if (each === 20) continue
          if (outcome === 'recorded') expect(await isRevoked(`hop-${each}`)).toBe(true)
          else expect(outcome).toBe('parent_revoked')
        }
      })

      test('F06 the same task and hop ids in two tenants are two tasks', async () => {
        await open1()
        expect(await store.tasks.findHop('umbrella', 'task-1', 'first')).toBeUndefined()
        expect(await store.tasks.revokeHop('umbrella', 'task-1', 'first')).toBe(false)
        await store.tasks.openTask('umbrella', aTask({ subject: 'bob' }), aHop())
        expect(await store.tasks.revokeHop('umbrella', 'task-1', 'first')).toBe(true)
        expect(await isRevoked('first')).toBe(false)
      })

      test('F04 hostile tenant, task, hop and place ids never collide', async () => {
        for (const [each, text] of HOSTILE.entries()) {
          await store.tasks.openTask(text, aTask({ txn: 't', subject: `${each}` }), aHop())
          await store.tasks.openTask('t', aTask({ txn: text, subject: `${each}` }), aHop())
          const hop = aHop({ jti: `h${text}`, parent: 'first', place: text, holder: `${each}` })
          const full = limits({ tokensPerPlace: 1 })
          if (each === 0) await store.tasks.openTask('hops', aTask(), aHop({ place: 'own' }))
          expect(await store.tasks.recordHop('hops', 'task-1', hop, full)).toBe('recorded')
        }
        for (const [each, text] of HOSTILE.entries()) {
          const subject = `${each}`
          expect((await store.tasks.findHop(text, 't', 'first'))?.task.subject).toBe(subject)
          expect((await store.tasks.findHop('t', text, 'first'))?.task.subject).toBe(subject)
          const hop = await store.tasks.findHop('hops', 'task-1', `h${text}`)
          expect(hop?.hop.holder).toBe(subject)
        }
      })

      test('F04 revoking a hop of one hostile task id leaves the others', async () => {
        for (const text of HOSTILE) {
          await store.tasks.openTask('acme', aTask({ txn: text }), aHop())
        }
        for (const [each, text] of HOSTILE.entries()) {
          expect(await store.tasks.revokeHop('acme', text, 'first')).toBe(true)
          const later = HOSTILE.slice(each + 1)
          for (const other of later) {
            expect((await store.tasks.findHop('acme', other, 'first'))?.hop.revoked).toBe(false)
          }
        }
      })

      test('O06 the id of one kind of record is nothing to another kind', async () => {
        await open1()
        await store.replay.claimReplay(aClaim({ id: ['task-1', 'second'] }))
        await store.statusIndexes.allocate('acme', 'task-1')
        for (const jti of ['task-1', 'root-1', 'planner', 'jti-1', '', 'second']) {
          expect(await store.tasks.findHop('acme', 'task-1', jti)).toBeUndefined()
          const hop = aHop({ jti: 'third', parent: jti })
          expect(await store.tasks.recordHop('acme', 'task-1', hop, limits())).toBe(
            'parent_unknown',
          )
        }
        expect(await store.tasks.findHop('acme', 'first', 'first')).toBeUndefined()
      })

      test('settled hops stay', async () => {
        await open1()
        await store.tasks.settleHop('acme', 'task-1', 'first')
        expect(await isRevoked('first')).toBe(false)
      })
    })
  })
}
