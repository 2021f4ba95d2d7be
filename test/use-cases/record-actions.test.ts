/** What a resource server records: of its own tokens alone, once, in order, and acknowledged when it is durable. */
import { beforeEach, describe, expect, test } from 'vitest'
import { DecisionRecord } from '../../server/use-cases/decision-record.ts'
import type { AuditEntry, StoredEntry } from '../../server/use-cases/ports.ts'
import {
  type ActionRecord,
  type ActionRecorder,
  createActionRecorder,
  LONGEST_WAIT,
  type RecordOutcomes,
} from '../../server/use-cases/record-actions.ts'
import { MemoryAuditLog } from '../support/memory-store.ts'

const NOW = 1_800_000_000
const FILES = { id: 'files-api', uri: 'https://files.api' }
const MAIL = { id: 'mail-api', uri: 'https://mail.api' }

/** A log whose entries are durable when the test says so. */
class SlowLog extends MemoryAuditLog {
  /** Resolves what waits; undefined: everything is durable at once. */
  open: Promise<void> | undefined

  override async append(entry: AuditEntry): Promise<void> {
    this.entries.push(entry)
    await this.open
  }
}

let log: SlowLog
/** Entries by which tokens were issued whose tasks are gone. */
let issued: StoredEntry[]
let looks: string[]
let recorder: ActionRecorder
beforeEach(() => {
  log = new SlowLog()
  issued = []
  looks = []
  recorder = createActionRecorder({
    clock: { now: () => NOW },
    audit: log,
    tasks: {
      findHop: async (_, txn, jti) => {
        looks.push('task')
        if (txn !== 'task-1' || jti !== 'token-1') return undefined
        const task = { subject: 'alice', type: 'errand' }
        return { task, hop: { audience: FILES.uri, place: 'planner/coder' } } as never
      },
    },
    records: {
      findIssued: async (_, txn, jti) => {
        looks.push('log')
        return issued.find((entry) => entry.txn === txn && entry.jti === jti)
      },
      hasRecord: async (tenant, resource, id) =>
        log.entries.some(
          (entry) =>
            entry.tenant === tenant &&
            entry.client === resource &&
            entry.record === id &&
            entry.outcome === 'permit',
        ),
    },
  })
})

function anAction(id: string, parts: Partial<ActionRecord> = {}): ActionRecord {
  return {
    id,
    jti: 'token-1',
    txn: 'task-1',
    tool: 'write_file',
    target: '/plan.txt',
    inputDigest: undefined,
    input: undefined,
    outcome: 'succeeded',
    changeRef: undefined,
    at: NOW - 1,
    ...parts,
  }
}

function send(actions: readonly ActionRecord[], resource = FILES): Promise<RecordOutcomes> {
  const record = new DecisionRecord({
    ref: 'ref-1',
    tenant: 'acme',
    tenant_version: 'v1',
    event: 'record',
  })
  record.note({ action: 'record_actions', client: resource.id, target: resource.uri })
  return recorder.record({ tenant: 'acme', resource, actions, record })
}

test('says who did what for whom, by which chain, and what came of it', async () => {
  const told = {
    inputDigest: `sha-256:${'a'.repeat(43)}`,
    input: 'rm -rf /',
    changeRef: 'commit 1f',
  }
  expect(await send([anAction('a', told)])).toEqual(new Map([['a', undefined]]))
  expect(log.entries).toEqual([
    {
      time: NOW,
      ref: 'ref-1-0',
      tenant: 'acme',
      tenant_version: 'v1',
      event: 'record',
      outcome: 'permit',
      action: 'record_actions',
      client: 'files-api',
      target: 'https://files.api',
      record: 'a',
      jti: 'token-1',
      txn: 'task-1',
      subject: 'alice',
      task_type: 'errand',
      chain: ['planner', 'coder'],
      tool: 'write_file',
      object: '/plan.txt',
      input_digest: told.inputDigest,
      result: 'succeeded',
      change_ref: 'commit 1f',
      recorded_at: NOW - 1,
      texts: { input: 'rm -rf /' },
    },
  ])
})

test('stands in the log in the order it was sent in', async () => {
  const ids = Array.from({ length: 100 }, (_, at) => `r${at}`)
  await send(ids.map((id) => anAction(id)))
  expect(log.entries.map(({ record }) => record)).toEqual(ids)
  expect(new Set(log.entries.map(({ ref }) => ref)).size).toBe(ids.length)
})

describe('F05 whose token it is', () => {
  test('F05 another resource’s, another task’s and none are one refusal, after the same looks', async () => {
    const strange = [anAction('a', { jti: 'token-2' }), anAction('b', { txn: 'task-2' })]
    for (const action of strange) {
      looks = []
      expect([...(await send([action])).values()]).toEqual(['token_unknown'])
      expect(looks).toEqual(['task', 'log'])
    }
    looks = []
    expect([...(await send([anAction('c')], MAIL)).values()]).toEqual(['token_unknown'])
    expect(looks).toEqual(['task', 'log'])
    for (const entry of log.entries) {
      expect(entry).toMatchObject({ outcome: 'refuse', reason: 'token_unknown' })
      // What a stranger tells of another's task is no part of its story.
      for (const member of ['tool', 'object', 'subject', 'chain', 'result']) {
        expect(entry).not.toHaveProperty(member)
      }
    }
  })

  test('once its task is gone the log says for whom it was issued', async () => {
    const entry = { jti: 'token-9', txn: 'task-9', subject: 'bob', chain: ['planner'] }
    issued = [{ ...entry, target: FILES.uri } as unknown as StoredEntry]
    const own = anAction('a', { jti: 'token-9', txn: 'task-9' })
    expect(await send([own])).toEqual(new Map([['a', undefined]]))
    expect(log.entries[0]).toMatchObject({ subject: 'bob', chain: ['planner'], target: FILES.uri })
    const others = [
      await send([{ ...own, id: 'b', txn: 'task-1' }]),
      await send([{ ...own, id: 'c' }], MAIL),
    ]
    expect(others.flatMap((outcomes) => [...outcomes.values()])).toEqual([
      'token_unknown',
      'token_unknown',
    ])
  })

  test('one that is refused takes no other with it', async () => {
    const outcomes = await send([anAction('a'), anAction('b', { jti: 'x' }), anAction('c')])
    expect([...outcomes]).toEqual([
      ['a', undefined],
      ['b', 'token_unknown'],
      ['c', undefined],
    ])
  })
})

describe('when it was', () => {
  test.each([
    ['now', NOW, undefined],
    ['by a clock a minute ahead', NOW + 60, undefined],
    ['later than that', NOW + 61, 'time_unacceptable'],
    ['a day ago', NOW - LONGEST_WAIT, undefined],
    ['before that', NOW - LONGEST_WAIT - 1, 'time_unacceptable'],
  ])('%s', async (_, at, reason) => {
    expect([...(await send([anAction('a', { at })])).values()]).toEqual([reason])
  })
})

describe('sent again', () => {
  test('it is acknowledged and stands there once, however old it is by now', async () => {
    await send([anAction('a')])
    const again = await send([anAction('a', { at: NOW - LONGEST_WAIT * 2 }), anAction('b')])
    expect([...again.values()]).toEqual([undefined, undefined])
    expect(log.entries.map(({ record }) => record)).toEqual(['a', 'b'])
  })

  test('twice in one request it is one', async () => {
    expect(await send([anAction('a'), anAction('a')])).toEqual(new Map([['a', undefined]]))
    expect(log.entries).toHaveLength(1)
  })

  test('at the same time it is one, and neither is acknowledged before it is durable', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    log.open = promise
    let acknowledged = 0
    const count = (): void => void (acknowledged += 1)
    const all = [
      send([anAction('a'), anAction('b')]),
      send([anAction('b'), anAction('c')]),
      send([anAction('a')]),
    ]
    for (const each of all) void each.then(count)
    await new Promise(setImmediate)
    expect(log.entries.map(({ record }) => record)).toEqual(['a', 'b', 'c'])
    expect(acknowledged).toBe(0)
    resolve()
    expect((await Promise.all(all)).map((outcomes) => [...outcomes.keys()])).toEqual([
      ['a', 'b'],
      ['b', 'c'],
      ['a'],
    ])
  })

  test('of two resources the same id is two records', async () => {
    issued = [{ jti: 'token-2', txn: 'task-1', target: MAIL.uri } as StoredEntry]
    await Promise.all([send([anAction('a')]), send([anAction('a', { jti: 'token-2' })], MAIL)])
    expect(log.entries.map(({ client }) => client)).toEqual(['files-api', 'mail-api'])
  })

  test('where the log cannot be written nothing is acknowledged, and the next try is one', async () => {
    log.open = Promise.reject(new Error('disk full'))
    await expect(send([anAction('a')])).rejects.toThrow('disk full')
    log.entries.length = 0
    log.open = undefined
    expect(await send([anAction('a')])).toEqual(new Map([['a', undefined]]))
    expect(log.entries).toHaveLength(1)
  })
})
