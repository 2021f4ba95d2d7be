/** Ending a task or a place of it: the store first, then the record, then whoever listens; and what a fault leaves behind. */
import { beforeEach, describe, expect, test } from 'vitest'
import { endTask } from '../../server/use-cases/end-task.ts'
import { listTasks } from '../../server/use-cases/read-tasks.ts'
import { resumeTask } from '../../server/use-cases/resume-task.ts'
import { revokePlace } from '../../server/use-cases/revoke-place.ts'
import { NOW } from '../core/facts.ts'
import { anEnding, aQuery } from '../store/records.ts'
import {
  aRecord,
  aTree,
  authorOf,
  type EndingStage,
  endingStage,
  livePlaces,
} from './ending-deps.ts'

let stage: EndingStage
beforeEach(async () => {
  stage = endingStage()
  await aTree(stage, 'one')
})

const planner = authorOf('agent', 'planner')
const rogue = authorOf('agent', 'rogue')
const admin = authorOf('admin', 'dave')

const request = (author = planner) => ({ tenant: 'acme', author, txn: 'one', record: aRecord() })
const close = (author = planner) =>
  endTask(stage.deps, { ...request(author), state: 'closed', reason: 'done' })
const revoke = (author = planner) =>
  endTask(stage.deps, { ...request(author), state: 'revoked', reason: 'wrong' })
const takeOut = (place: string, author = planner) =>
  revokePlace(stage.deps, { ...request(author), place, reason: 'misled' })
const resume = (author = admin) => resumeTask(stage.deps, { ...request(author), reason: 'fine' })

describe('a task', () => {
  test('is over before the entry is written, and receivers are told after', async () => {
    stage.fail('journal')
    await expect(close()).rejects.toThrow('journal failed')
    // What was to be refused stays refused: the fault is the record's.
    expect(await livePlaces(stage, 'one')).toEqual([])
    expect(stage.events).toEqual([])
    stage.fail()
    expect(await close()).toEqual({ txn: 'one', state: 'closed', at: NOW })
    expect(stage.entries).toHaveLength(1)
    expect(stage.events).toEqual([
      {
        kind: 'task_ended',
        task: expect.objectContaining({ txn: 'one', state: 'closed' }),
        ending: { at: NOW, by: 'agent:planner', reason: 'done' },
      },
    ])
  })

  test.each([
    ['closed', () => close()],
    ['revoked', () => revoke()],
    ['without a place', () => takeOut('planner/researcher')],
  ] as const)('N04 is %s while the log fails, on record in the journal', async (_, end) => {
    stage.fail('append')
    expect(await end()).toMatchObject({ txn: 'one' })
    expect(stage.entries).toHaveLength(1)
  })

  test('N04 does not go on while the log fails: that ends nothing', async () => {
    await stage.store.tasks.endTask('acme', 'one', 'suspended', {
      at: NOW,
      by: 'trigger',
      reason: 'x',
    })
    stage.fail('append')
    await expect(resume()).rejects.toThrow('append failed')
  })

  test('whose receivers could not be told is asked for again, and says who ended it first', async () => {
    stage.fail('emit')
    await expect(close()).rejects.toThrow('emit failed')
    stage.fail()
    stage.now += 60
    const alice = authorOf('subject', 'alice')
    expect(await close(alice)).toEqual({ txn: 'one', state: 'closed', at: NOW })
    expect(stage.events).toMatchObject([{ ending: { at: NOW, by: 'agent:planner' } }])
    expect(stage.entries.map(({ texts }) => texts)).toEqual([{ because: 'done' }, undefined])
  })

  test('H09 is not there for others: nothing is called that writes', async () => {
    for (const author of [rogue, authorOf('subject', 'bob'), authorOf('receiver', 'siem')]) {
      for (const attempt of [close, revoke, resume]) {
        expect(await attempt(author)).toMatchObject({
          reason: 'not_found',
          guard: 'task_of_others',
        })
      }
      expect(await takeOut('planner/researcher', author)).toMatchObject({
        reason: 'not_found',
        guard: 'task_of_others',
      })
    }
    expect(new Set(stage.called)).toEqual(new Set(['readTask']))
    expect(stage.events).toEqual([])
  })

  test('that is nobody’s answers as one of others', async () => {
    const none = { ...request(rogue), txn: 'two', state: 'closed', reason: 'x' } as const
    expect(await endTask(stage.deps, none)).toMatchObject({
      reason: 'not_found',
      guard: 'task_unknown',
    })
  })

  test('is not resumed by whoever may read it', async () => {
    await stage.store.tasks.endTask('acme', 'one', 'suspended', anEnding())
    for (const author of [planner, authorOf('subject', 'alice'), authorOf('reviewer', 'eve')]) {
      expect(await resume(author)).toMatchObject({ reason: 'role_required', guard: 'task_verb' })
    }
    expect(await resume()).toEqual({ txn: 'one', at: NOW })
    expect(stage.events).toMatchObject([{ kind: 'task_resumed', task: { txn: 'one' } }])
    expect(await resume()).toMatchObject({ reason: 'task_over', guard: 'not_suspended' })
  })

  test('that is suspended is closed by its opener; past its deadline nobody resumes it', async () => {
    await stage.store.tasks.endTask('acme', 'one', 'suspended', anEnding())
    stage.now = NOW + 900
    expect(await resume()).toMatchObject({ reason: 'task_over' })
    expect(await close()).toMatchObject({ reason: 'task_over' })
    stage.now = NOW + 899
    expect(await close()).toMatchObject({ state: 'closed' })
  })

  test('that somebody else revoked meanwhile cannot be closed', async () => {
    let isFirst = true
    const readTask: typeof stage.deps.tasks.readTask = async (tenant, txn) => {
      const tree = await stage.store.tasks.readTask(tenant, txn)
      if (isFirst) await stage.store.tasks.endTask(tenant, txn, 'revoked', anEnding())
      isFirst = false
      return tree
    }
    const tasks = new Proxy(stage.deps.tasks, {
      get: (target, name) => (name === 'readTask' ? readTask : Reflect.get(target, name)),
    })
    const deps = { ...stage.deps, tasks }
    const outcome = await endTask(deps, { ...request(), state: 'closed', reason: 'x' })
    expect(outcome).toMatchObject({ reason: 'task_over' })
    expect(stage.events).toEqual([])
  })
})

describe('a place', () => {
  test('H04 goes with all beneath; its siblings and what is above stay', async () => {
    const researcher = authorOf('agent', 'researcher')
    expect(await takeOut('planner/researcher', researcher)).toEqual({
      txn: 'one',
      state: 'open',
      at: NOW,
    })
    expect(await livePlaces(stage, 'one')).toEqual(['planner', 'planner/coder'])
    expect(stage.events).toMatchObject([{ kind: 'tokens_revoked', jtis: ['one-2', 'one-3'] }])
  })

  test('beneath one that is out already is out since then', async () => {
    await takeOut('planner/researcher')
    stage.now += 5
    expect(await takeOut('planner/researcher/coder')).toMatchObject({ at: NOW })
    expect(stage.events.at(-1)).toMatchObject({ jtis: ['one-3'], ending: { at: NOW } })
  })

  test('whose entry could not be written is out', async () => {
    stage.fail('journal')
    await expect(takeOut('planner/researcher')).rejects.toThrow('journal failed')
    expect(await livePlaces(stage, 'one')).toEqual(['planner', 'planner/coder'])
  })
})

describe('a list', () => {
  const asked = {
    state: undefined,
    agent: undefined,
    subject: undefined,
    limit: 10,
    after: undefined,
  }

  test('E10 has nothing of the agent that had the id before', async () => {
    const found = async () => {
      const page = await listTasks(stage.deps, { tenant: 'acme', author: planner, ...asked })
      return 'tasks' in page ? page.tasks.map(({ txn }) => txn) : page
    }
    expect(await found()).toEqual(['one'])
    const { agents } = stage.tenant
    const before = agents.get('planner')
    if (before === undefined) throw new Error('the fixture has a planner')
    const back = new Map([...agents, ['planner', { ...before, registeredAt: NOW }]])
    stage.tenant = { ...stage.tenant, agents: back }
    expect(await found()).toEqual([])
  })

  test('of a person is by issuer too', async () => {
    const namesake = { ...authorOf('subject', 'alice'), name: 'other:alice' }
    const page = await listTasks(stage.deps, { tenant: 'acme', author: namesake, ...asked })
    expect(page).toMatchObject({ tasks: [] })
    expect(
      (await stage.store.tasks.listTasks('acme', aQuery({ subject: 'alice' }))).tasks,
    ).toHaveLength(1)
  })
})
