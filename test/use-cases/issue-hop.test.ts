/**
 * From a narrowed ceiling to a token: what is written when, and what is taken back when something fails on the way. The
 * store is in memory; only faults and the clock are made up.
 */

import { beforeEach, describe, expect, test } from 'vitest'
import { type Attenuated, attenuate } from '../../server/core/attenuate.ts'
import { codeOf } from '../../server/core/audit-code.ts'
import { type Ceiling, narrow, openCeiling } from '../../server/core/ceiling.ts'
import { isRefusal, type Refusal, refuse } from '../../server/core/refusal.ts'
import { DecisionRecord } from '../../server/use-cases/decision-record.ts'
import {
  type Granted,
  type HopDraft,
  type IssueDeps,
  issueHop,
} from '../../server/use-cases/issue-hop.ts'
import type { Parent } from '../../server/use-cases/parent.ts'
import type {
  AuditEntry,
  AuditLog,
  HopConflict,
  HopRecord,
  TaskStore,
} from '../../server/use-cases/ports.ts'
import {
  ALICE,
  aHopRequest,
  anAgent,
  aRoot,
  aTaskType,
  aTenant,
  ISSUER,
  NOW,
} from '../core/facts.ts'
import { auditLogOf } from '../support/embedded-store.ts'
import { type MemoryStore, openMemoryStore } from '../support/memory-store.ts'

import { NO_USAGE } from '../support/no-usage.ts'
import { verbsOf } from '../support/task-ports.ts'

const tenant = aTenant()
const TXN = 'task-1'

let store: MemoryStore
/** What happened, in order. */
let events: string[]
let ids: number
beforeEach(() => {
  store = openMemoryStore({ now: () => NOW })
  events = []
  ids = 0
})

/** Every port writes down that it was used; `parts` replace some of them. */
function deps(parts: Partial<IssueDeps> = {}): IssueDeps {
  return {
    clock: { now: () => NOW },
    tenants: { find: () => tenant },
    tasks: watched(store.tasks),
    statusIndexes: store.statusIndexes,
    usage: NO_USAGE,
    audit: auditLogOf(async (entry) => {
      await store.audit.append(entry)
      events.push(`audit ${entry.outcome}`)
    }),
    randomId: () => `id-${(ids += 1)}`,
    mint: async (_, claims) => {
      events.push('mint')
      return `token of ${claims.jti}`
    },
    ...parts,
  }
}

function watched(tasks: TaskStore, parts: Partial<TaskStore> = {}): TaskStore {
  return {
    ...verbsOf(tasks),
    openTask: async (...input) => {
      const outcome = await tasks.openTask(...input)
      events.push('open')
      return outcome
    },
    recordHop: async (...input) => {
      const outcome = await tasks.recordHop(...input)
      events.push(outcome)
      return outcome
    },
    revokeHop: async (...input) => {
      events.push('revoke')
      return tasks.revokeHop(...input)
    },
    settleHop: async () => {
      events.push('settle')
    },
    ...parts,
  }
}

const root = aRoot()

function attenuated(
  parent: Ceiling = openCeiling(root),
  chain: readonly string[] = ['planner'],
): Attenuated {
  const target = tenant.resources.get(chain.length === 1 ? 'researcher-a2a' : 'files-api')!
  const scope = ['files:read']
  const outcome = attenuate(aHopRequest({ tenant, root, parent, target, chain, scope }))
  if (isRefusal(outcome)) throw new Error(outcome.guard)
  return { ...outcome, obligations: { maxTtl: 60 } }
}

/** Nothing yet, and what the rules said to opening a task. */
const opening: Parent = {
  taskType: aTaskType(),
  lineage: {
    root,
    subject: 'alice',
    txn: TXN,
    list: 'g1-1',
    act: undefined,
    hops: [],
    issuedAt: NOW,
    authentication: {},
  },
  parent: root.jti,
  ceiling: openCeiling(root),
  chain: ['planner'],
  subject: { ...ALICE, claims: { department: ['sales'] } },
  task: { txn: TXN, openedAt: NOW, deadline: NOW + 600 },
  opened: {
    policies: ['open-all', 'all'],
    obligations: { maxTtl: 600, maxDepth: 3 },
    subjectToken: { id: ['idp', 'jti:id-token-1'], expiresAt: NOW + 600 },
  },
}

/** planner opens a task for alice. */
function draft(parts: Partial<HopDraft> = {}): HopDraft {
  const header = { ref: 'ref-1', tenant: 'acme', tenant_version: 'v1', event: 'token' } as const
  return {
    tenant,
    caller: anAgent('planner'),
    parent: opening,
    purpose: 'reconcile',
    attenuated: attenuated(),
    key: { jkt: 'key' },
    record: new DecisionRecord(header),
    now: NOW,
    ...parts,
  }
}

/** researcher goes on from planner's token, which is on record. */
async function nextDraft(): Promise<HopDraft> {
  const first = granted(await issueHop(deps(), draft()))
  events = []
  store.audit.entries.length = 0
  const { claims } = first
  const [hop] = claims.act_bounds.hops
  const parent = narrow(openCeiling(root), { ...hop!, expiresAt: claims.exp })!
  const chain = ['planner', 'researcher']
  const { act, iat } = claims
  const { hops } = claims.act_bounds
  return draft({
    caller: anAgent('researcher'),
    attenuated: attenuated(parent, chain),
    parent: {
      ...opening,
      parent: claims.jti,
      ceiling: parent,
      chain,
      opened: undefined,
      lineage: { ...opening.lineage, act, hops, issuedAt: iat },
    },
  })
}

function granted(outcome: Granted | Refusal): Granted {
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.guard}`)
  return outcome
}

const hopOf = async (jti: string): Promise<HopRecord | undefined> =>
  (await store.tasks.findHop('acme', TXN, jti))?.hop

describe('a hop that opens its task', () => {
  test('is recorded with the task, minted, put on record and then answered', async () => {
    const outcome = granted(await issueHop(deps(), draft()))
    expect(outcome).toMatchObject({ kind: 'granted', token: 'token of id-1', expiresIn: 300 })
    expect(events).toEqual(['open', 'mint', 'audit permit', 'settle'])
    expect(await store.tasks.findHop('acme', TXN, 'id-1')).toEqual({
      task: {
        txn: TXN,
        type: 'file-work',
        subject: 'alice',
        subjectFrom: { issuer: 'idp', claims: { department: ['sales'] } },
        subjectToken: { id: ['idp', 'jti:id-token-1'], expiresAt: NOW + 600 },
        opener: 'planner',
        purpose: 'reconcile',
        rootJti: 'root-1',
        rootIdx: 0,
        scope: root.scope,
        reach: root.reach,
        maxDepth: 3,
        list: 'g1-1',
        openedAt: NOW,
        deadline: NOW + 600,
        state: 'open',
        ending: undefined,
      },
      hop: {
        jti: 'id-1',
        idx: 0,
        parent: 'root-1',
        place: 'planner',
        holder: 'planner',
        audience: 'https://researcher.agents/a2a',
        owner: 'researcher',
        scope: 0b1,
        reach: 0b111111,
        issuedAt: NOW,
        expiresAt: NOW + 300,
        revoked: false,
      },
    })
  })

  test('has one entry on record, of ids and names alone', async () => {
    const input = draft()
    await issueHop(deps(), input)
    expect(input.record.isAppended).toBe(true)
    expect(store.audit.entries).toEqual([
      {
        time: NOW,
        ref: 'ref-1',
        tenant: 'acme',
        tenant_version: 'v1',
        event: 'token',
        outcome: 'permit',
        txn: TXN,
        task_type: 'file-work',
        parent_jti: 'root-1',
        jti: 'id-1',
        chain: ['planner'],
        target: 'https://researcher.agents/a2a',
        scope_after: ['files:read'],
        expires_at: NOW + 300,
        policies: ['open-all', 'all'],
        obligations: { max_ttl: 60, max_depth: 3 },
        texts: { purpose: 'reconcile' },
      },
    ])
  })

  test('of a task that exists is a fault, and takes nothing from that task', async () => {
    await issueHop(deps(), draft())
    await expect(issueHop(deps(), draft())).rejects.toThrow('exists')
    expect(await hopOf('id-1')).toMatchObject({ revoked: false })
    expect(await hopOf('id-2')).toBeUndefined()
    expect(store.audit.entries).toHaveLength(1)
  })
})

describe('a hop of a task under way', () => {
  test('is recorded under its parent, within the tenant’s limits', async () => {
    const input = await nextDraft()
    const limits: unknown[] = []
    const recordHop: TaskStore['recordHop'] = (...call) => {
      limits.push(call[3])
      return store.tasks.recordHop(...call)
    }
    const outcome = granted(
      await issueHop(deps({ tasks: watched(store.tasks, { recordHop }) }), input),
    )
    expect(await hopOf(outcome.claims.jti)).toMatchObject({
      parent: 'id-1',
      place: 'planner/researcher',
      holder: 'researcher',
      audience: 'https://files.api',
      owner: undefined,
    })
    expect(limits).toEqual([{ now: NOW, tokensPerPlace: 64, tokensPerTask: 256 }])
    expect(events).toEqual(['mint', 'audit permit', 'settle'])
    expect(store.audit.entries).toEqual([
      expect.objectContaining({ policies: ['all'], obligations: { max_ttl: 60 } }),
    ])
    // The words a task was opened with are not a later agent's.
    expect(store.audit.entries[0]).not.toHaveProperty('purpose')
  })

  test.each<[HopConflict, string]>([
    ['task_unknown', 'subject_token_revoked'],
    ['task_ended', 'task_ended'],
    ['parent_unknown', 'subject_token_revoked'],
    ['parent_revoked', 'subject_token_revoked'],
    ['parent_expired', 'subject_token_expired'],
    ['place_full', 'task_limit_reached'],
    ['task_full', 'task_limit_reached'],
  ])('%s is refused as %s: nothing minted, nothing revoked', async (conflict, reason) => {
    const input = await nextDraft()
    const tasks = watched(store.tasks, { recordHop: async () => conflict })
    expect(await issueHop(deps({ tasks }), input)).toEqual({
      kind: 'refusal',
      reason,
      guard: conflict,
    })
    expect(events).toEqual([])
    // The door puts the refusal on record: it knows who asked.
    expect(store.audit.entries).toEqual([])
    expect(input.record.isAppended).toBe(false)
  })

  test('a parent revoked a moment ago is found by the store itself', async () => {
    const input = await nextDraft()
    await store.tasks.revokeHop('acme', TXN, 'id-1')
    expect(await issueHop(deps(), input)).toMatchObject({ guard: 'parent_revoked' })
  })

  test('one place and one task never get more tokens than they may have', async () => {
    const input = await nextDraft()
    const cramped = { ...tenant, limits: { ...tenant.limits, tokensPerPlace: 2, tokensPerTask: 9 } }
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () =>
        issueHop(deps({ tenants: { find: () => cramped } }), { ...input, tenant: cramped }),
      ),
    )
    expect(outcomes.filter((outcome) => !isRefusal(outcome))).toHaveLength(2)
    expect(outcomes.filter(isRefusal).map(({ guard }) => guard)).toEqual([
      'place_full',
      'place_full',
      'place_full',
    ])
  })
})

/** The same for a hop that opens its task and for one of a task under way. */
const KINDS: readonly (readonly [string, () => Promise<HopDraft>])[] = [
  ['a first hop', async () => draft()],
  ['a later hop', nextDraft],
]

describe.each(KINDS)('%s that fails on the way', (_, aDraft) => {
  const isRevoked = async (): Promise<boolean | undefined> => (await hopOf(`id-${ids}`))?.revoked

  test('is revoked by a fault while signing', async () => {
    const input = await aDraft()
    const fault = new Error('the key is gone')
    const mint = () => Promise.reject(fault)
    await expect(issueHop(deps({ mint }), input)).rejects.toBe(fault)
    expect(await isRevoked()).toBe(true)
    expect(store.audit.entries).toEqual([])
    expect(events).not.toContain('settle')
  })

  test('is revoked by a signer that throws at once', async () => {
    const input = await aDraft()
    const mint = (): never => {
      throw new TypeError('no keyring')
    }
    await expect(issueHop(deps({ mint }), input)).rejects.toThrow('no keyring')
    expect(await isRevoked()).toBe(true)
  })

  test('is revoked by a fault of the audit log, and the token goes nowhere', async () => {
    const input = await aDraft()
    const audit = auditLogOf(() => Promise.reject(new Error('disk full')))
    await expect(issueHop(deps({ audit }), input)).rejects.toThrow('disk full')
    expect(await isRevoked()).toBe(true)
    expect(events.slice(-2)).toEqual(['mint', 'revoke'])
  })

  test('N03 is taken back on record: its first entry may have reached the disk', async () => {
    const input = await aDraft()
    const withdrawn: AuditEntry[] = []
    const audit: AuditLog = {
      ...auditLogOf(() => Promise.reject(new Error('sync failed'))),
      appendRevocation: async (entry) => void withdrawn.push(entry),
    }
    await expect(issueHop(deps({ audit }), input)).rejects.toThrow('sync failed')
    expect(withdrawn.map((entry) => ({ code: codeOf(entry), ...entry }))).toEqual([
      expect.objectContaining({
        code: 'token.withdrawn',
        outcome: 'refuse',
        ref: 'ref-1',
        txn: TXN,
        jti: expect.any(String),
        target: expect.any(String),
      }),
    ])
  })

  test('is revoked and refused when the token is too large', async () => {
    const input = await aDraft()
    const mint = async () => refuse('token_too_large')
    expect(await issueHop(deps({ mint }), input)).toMatchObject({ reason: 'token_too_large' })
    expect(await isRevoked()).toBe(true)
    expect(store.audit.entries).toEqual([])
    expect(input.record.isAppended).toBe(false)
  })

  test.each([
    ['is another version', { ...tenant, version: 'v2' }],
    // An agent disabled by hand changes no version.
    ['is another object of the same version', { ...tenant }],
    ['is gone', undefined],
  ])('is revoked, refused and never signed when the tenant %s by then', async (__, now) => {
    const input = await aDraft()
    const outcome = await issueHop(deps({ tenants: { find: () => now } }), input)
    expect(outcome).toMatchObject({ reason: 'facts_changed' })
    expect(await isRevoked()).toBe(true)
    expect(events).not.toContain('mint')
    expect(store.audit.entries).toEqual([])
  })

  test.each<[string, string, IssueDeps['mint']]>([
    ['the first fault', 'the key is gone', () => Promise.reject(new Error('the key is gone'))],
    ['a fault, not a refusal', 'store down', async () => refuse('token_too_large')],
  ])('that cannot be revoked either is told as %s', async (__, told, mint) => {
    const input = await aDraft()
    const revokeHop = () => Promise.reject(new Error('store down'))
    const tasks = watched(store.tasks, { revokeHop })
    await expect(issueHop(deps({ mint, tasks }), input)).rejects.toThrow(told)
    expect(input.record.isAppended).toBe(false)
    expect(store.audit.entries).toEqual([])
  })

  test('is not there at all after a fault before the claim', async () => {
    const input = await aDraft()
    const down = () => Promise.reject(new Error('store down'))
    const statusIndexes = { listAt: () => 'g1-1', allocate: down }
    await expect(issueHop(deps({ statusIndexes }), input)).rejects.toThrow('store down')
    const tasks = watched(store.tasks, { recordHop: down, openTask: down })
    await expect(issueHop(deps({ tasks }), input)).rejects.toThrow('store down')
    expect(await hopOf(`id-${ids}`)).toBeUndefined()
    expect(events).toEqual([])
    expect(store.audit.entries).toEqual([])
  })
})

describe('settling', () => {
  test('is not waited for', async () => {
    const tasks = watched(store.tasks, { settleHop: () => new Promise<never>(() => {}) })
    expect(granted(await issueHop(deps({ tasks }), draft())).token).toBe('token of id-1')
  })

  test('that fails costs nobody a token: recovery finds the entry', async () => {
    const tasks = watched(store.tasks, { settleHop: () => Promise.reject(new Error('late')) })
    expect(granted(await issueHop(deps({ tasks }), draft())).token).toBe('token of id-1')
    expect(await hopOf('id-1')).toMatchObject({ revoked: false })
    expect(store.audit.entries).toHaveLength(1)
  })

  test('comes after the entry is durable, never before', async () => {
    const durable = Promise.withResolvers<void>()
    const audit = auditLogOf(() => durable.promise)
    const issuing = issueHop(deps({ audit }), draft())
    await new Promise((resolve) => setImmediate(resolve))
    expect(events).toEqual(['open', 'mint'])
    durable.resolve()
    granted(await issuing)
    expect(events).toEqual(['open', 'mint', 'settle'])
  })
})

test('the issuer of the claims is the tenant’s, whoever asks', async () => {
  const { claims } = granted(await issueHop(deps(), draft()))
  expect(claims.iss).toBe(ISSUER)
  expect(claims.status.status_list.uri).toBe(`${ISSUER}/status/g1-1`)
})

describe('what an issued token stands on is noted as used', () => {
  const notes: unknown[] = []
  const usage = { ...NO_USAGE, token: (...note: readonly unknown[]) => void notes.push(note) }
  beforeEach(() => {
    notes.length = 0
  })

  test('once, when its entry is on record', async () => {
    const input = draft()
    const { claims } = granted(await issueHop(deps({ usage }), input))
    const { id, kind } = input.attenuated.target
    expect(notes).toEqual([
      [
        'acme',
        {
          chain: ['planner'],
          taskType: input.parent.taskType.id,
          isOpening: true,
          target: id,
          scope: kind === 'api' ? claims.scope.split(' ') : [],
          policies: expect.arrayContaining([...input.attenuated.policies]),
        },
        NOW,
      ],
    ])
  })

  test('for every agent of its chain', async () => {
    await issueHop(deps({ usage }), await nextDraft())
    const use = { chain: ['planner', 'researcher'], isOpening: false }
    expect(notes).toMatchObject([['acme', use, NOW]])
  })

  test('not where it was refused or failed', async () => {
    const input = await nextDraft()
    const mint = async () => refuse('token_too_large')
    await issueHop(deps({ usage, mint }), input)
    const audit = auditLogOf(() => Promise.reject(new Error('disk full')))
    await expect(issueHop(deps({ usage, audit }), input)).rejects.toThrow('disk full')
    expect(notes).toEqual([])
  })
})
