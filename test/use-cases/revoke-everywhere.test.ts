/** Revocations that reach many tasks: all of them, in bounded turns, with one entry; and what a crash in the middle leaves. */
import { beforeEach, describe, expect, test } from 'vitest'
import { reconcileTasks } from '../../server/use-cases/reconcile-tasks.ts'
import {
  resumeRevocations,
  revokeEverywhere,
  TASKS_PER_PAGE,
} from '../../server/use-cases/revoke-everywhere.ts'
import { anAgent, aTenant, NOW } from '../core/facts.ts'
import {
  aRecord,
  aTree,
  type EndingStage,
  endingStage,
  livePlaces,
  withReceiver,
} from './ending-deps.ts'

const TASKS = 2 * TASKS_PER_PAGE + 3

let stage: EndingStage
beforeEach(async () => {
  stage = endingStage()
})

const ending = { at: NOW, by: 'idp:dave', reason: 'its key leaked' }
const everywhere = (scope: Parameters<typeof revokeEverywhere>[1]['scope']) =>
  revokeEverywhere(stage.deps, { tenant: stage.tenant, scope, ending, record: aRecord() })

async function grow(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await aTree(stage, `task-${String(at).padStart(4, '0')}`)
}

describe('everywhere', () => {
  test('an agent is out of every task, page by page, with one entry', async () => {
    await grow(TASKS)
    const own = await aTree(stage, 'zz-own', { opener: 'researcher' })
    const reached = await everywhere({ kind: 'agent', id: 'researcher' })
    expect(reached).toEqual({ id: 'id-1', tasks: 1, places: TASKS })
    for (const txn of ['task-0000', `task-${String(TASKS - 1).padStart(4, '0')}`]) {
      expect(await livePlaces(stage, txn)).toEqual(['planner', 'planner/coder'])
    }
    expect(await livePlaces(stage, own.txn)).toEqual([])
    expect(stage.entries).toEqual([
      expect.objectContaining({
        event: 'task',
        outcome: 'permit',
        agent: 'researcher',
        revocation: 'id-1',
        tasks_reached: 1,
        places_reached: TASKS,
      }),
    ])
    // Others had their turn after each page.
    expect(stage.pauses).toBe(Math.ceil((TASKS + 1) / TASKS_PER_PAGE))
    expect(await stage.store.tasks.pendingRevocations()).toEqual([])
    expect(stage.events).toHaveLength(TASKS + 1)
    const over = expect.objectContaining({ txn: 'zz-own', state: 'revoked' })
    expect(stage.events).toContainEqual({ kind: 'task_ended', task: over, ending })
    const task = expect.objectContaining({ txn: 'task-0000' })
    const jtis = ['task-0000-2', 'task-0000-3']
    expect(stage.events).toContainEqual({ kind: 'tokens_revoked', task, jtis, ending })
  })

  test('H10 a subject’s tasks are over, and receivers are told once', async () => {
    await grow(3)
    await aTree(stage, 'bobs', { subject: 'bob' })
    expect(await everywhere({ kind: 'subject', id: 'alice' })).toMatchObject({
      tasks: 3,
      places: 0,
    })
    expect(await livePlaces(stage, 'task-0001')).toEqual([])
    expect(await livePlaces(stage, 'bobs')).toHaveLength(4)
    expect(stage.events).toEqual([
      { kind: 'subject_revoked', subject: { id: 'alice', revocation: 'id-1' }, ending },
    ])
  })

  test('a task type’s tasks are over', async () => {
    await grow(2)
    await aTree(stage, 'other', { type: 'other-work' })
    expect(await everywhere({ kind: 'task_type', id: 'file-work' })).toMatchObject({ tasks: 2 })
    expect(await livePlaces(stage, 'other')).toHaveLength(4)
  })

  test('N04 is on record in the journal while the log fails', async () => {
    await grow(1)
    stage.fail('append')
    await everywhere({ kind: 'agent', id: 'researcher' })
    expect(stage.entries).toMatchObject([{ agent: 'researcher', places_reached: 1 }])
  })

  test('without receivers no task is read for them', async () => {
    stage.tenant = aTenant()
    await grow(3)
    await everywhere({ kind: 'agent', id: 'researcher' })
    expect(stage.called).not.toContain('readTask')
  })
})

describe('a crash', () => {
  test.each(['revokeIn', 'liveTasks', 'journal', 'finishRevocation'])(
    'at %s is made good by the next start',
    async (verb) => {
      await grow(3)
      stage.fail(verb)
      await expect(everywhere({ kind: 'agent', id: 'researcher' })).rejects.toThrow(
        `${verb} failed`,
      )
      const pending = await stage.store.tasks.pendingRevocations()
      expect(pending).toMatchObject([{ tenant: 'acme', revocation: { id: 'id-1', ending } }])
      stage.fail()
      const told: unknown[] = []
      await resumeRevocations(stage.deps, (fault) => void told.push(fault))
      expect(told).toEqual([])
      expect(await livePlaces(stage, 'task-0002')).toEqual(['planner', 'planner/coder'])
      expect(await stage.store.tasks.pendingRevocations()).toEqual([])
      expect(stage.entries.at(-1)).toMatchObject({
        event: 'task',
        action: 'resume_revocation',
        author: 'idp:dave',
        revocation: 'id-1',
        texts: { because: 'its key leaked' },
      })
    },
  )

  test('before it was begun leaves nothing', async () => {
    await grow(1)
    stage.fail('beginRevocation')
    await expect(everywhere({ kind: 'agent', id: 'researcher' })).rejects.toThrow()
    expect(await stage.store.tasks.pendingRevocations()).toEqual([])
    expect(await livePlaces(stage, 'task-0000')).toHaveLength(4)
  })

  test('of one tenant’s part is told, and the others go on', async () => {
    await grow(1)
    const revocation = { id: 'r', scope: { kind: 'agent', id: 'coder' }, ending } as const
    await stage.store.tasks.beginRevocation('gone', { ...revocation, id: 'of-nobody' })
    await stage.store.tasks.beginRevocation('acme', revocation)
    const tenants = {
      find: (id: string) => {
        if (id === 'gone') throw new Error('cannot be used')
        return stage.deps.tenants.find(id)
      },
    }
    const told: string[] = []
    await resumeRevocations({ ...stage.deps, tenants }, (_, tenant) => void told.push(tenant))
    expect(told).toEqual(['gone'])
    expect(await livePlaces(stage, 'task-0000')).toEqual(['planner', 'planner/researcher'])
    expect(await stage.store.tasks.pendingRevocations()).toMatchObject([{ tenant: 'gone' }])
  })
})

describe('facts', () => {
  test('that all stand change nothing, and nothing is on record', async () => {
    await grow(2)
    await reconcileTasks(stage.deps, stage.tenant)
    expect(stage.entries).toEqual([])
    expect(new Set(stage.called)).toEqual(new Set(['liveTasks', 'readTask']))
  })

  test('that are gone take with them what rests on them, once for each', async () => {
    await grow(2)
    await aTree(stage, 'mallorys', { subject: 'mallory' })
    await aTree(stage, 'old-type', { type: 'old-work' })
    await aTree(stage, 'coders', { opener: 'coder' })
    const { agents } = aTenant()
    const left = new Map([...agents].filter(([id]) => id !== 'coder'))
    left.set('researcher', anAgent('researcher', { disabled: true }))
    stage.tenant = withReceiver({
      ...aTenant(),
      agents: left,
      disabledSubjects: new Set(['mallory']),
    })
    await reconcileTasks(stage.deps, stage.tenant)
    expect(await livePlaces(stage, 'task-0000')).toEqual(['planner'])
    for (const txn of ['mallorys', 'old-type', 'coders']) {
      expect(await livePlaces(stage, txn)).toEqual([])
    }
    const reasons = stage.entries.map(({ agent, subject, task_type, ended_because, author }) =>
      [author, agent ?? subject ?? task_type, ended_because].join(' '),
    )
    expect(reasons.toSorted()).toEqual([
      'facts coder agent_inactive',
      'facts mallory subject_disabled',
      'facts old-work task_type_gone',
      'facts researcher agent_inactive',
    ])
    expect(await stage.store.tasks.pendingRevocations()).toEqual([])
    const entries = stage.entries.length
    await reconcileTasks(stage.deps, stage.tenant)
    expect(stage.entries).toHaveLength(entries)
  })

  test('E10 that came back as others take what was before them, not what came after', async () => {
    await aTree(stage, 'before')
    await aTree(stage, 'after', { openedAt: NOW + 1 })
    const back = anAgent('researcher', { registeredAt: NOW })
    stage.tenant = { ...stage.tenant, agents: new Map([...aTenant().agents, ['researcher', back]]) }
    await reconcileTasks(stage.deps, stage.tenant)
    expect(await livePlaces(stage, 'before')).toEqual(['planner', 'planner/coder'])
    expect(await livePlaces(stage, 'after')).toHaveLength(4)
    expect(stage.entries).toMatchObject([{ ended_because: 'agent_replaced', places_reached: 1 }])
  })

  test('a crash in the middle is made good by the next start', async () => {
    await grow(2)
    const { agents } = aTenant()
    const left = new Map([...agents].filter(([id]) => id !== 'researcher'))
    stage.tenant = { ...stage.tenant, agents: left }
    stage.fail('journal')
    await expect(reconcileTasks(stage.deps, stage.tenant)).rejects.toThrow('journal failed')
    stage.fail()
    await resumeRevocations(stage.deps, () => {})
    await reconcileTasks(stage.deps, stage.tenant)
    expect(await livePlaces(stage, 'task-0001')).toEqual(['planner', 'planner/coder'])
    expect(stage.entries).toMatchObject([{ author: 'facts', agent: 'researcher' }])
  })
})
