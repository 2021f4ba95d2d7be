/** Triggers over the use cases: what is counted, by whom, and what becomes of the task and of the request that was too much. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import type { OwnToken } from '../../server/core/input-token.ts'
import { isRefusal, type Refusal } from '../../server/core/refusal.ts'
import type { Tenant, Trigger } from '../../server/core/tenant.ts'
import { DecisionRecord } from '../../server/use-cases/decision-record.ts'
import { type ExchangeDeps, exchangeToken } from '../../server/use-cases/exchange-token.ts'
import type { Granted } from '../../server/use-cases/issue-hop.ts'
import type { Counted, Counters } from '../../server/use-cases/ports.ts'
import { createRateLimits } from '../../server/use-cases/rate-limit.ts'
import type { SecurityEvent } from '../../server/use-cases/security-events.ts'
import { watchReplayedProof } from '../../server/use-cases/watch-replayed-proof.ts'
import { aForeignToken, aTaskType, aTenant, NOW } from '../core/facts.ts'
import type { MemoryStore } from '../support/memory-store.ts'
import { memoryDeps } from './memory-deps.ts'

let now: number
let tenant: Tenant
let store: MemoryStore
let deps: ExchangeDeps
let counted: Counted[]
let told: SecurityEvent[]

beforeEach(() => {
  now = NOW
  counted = []
  told = []
  const made = memoryDeps({ now: () => now, tenant: () => tenant })
  store = made.store
  const counters: Counters = {
    count: (request) => {
      counted.push(request)
      return store.counters.count(request)
    },
  }
  deps = {
    ...made.deps,
    counters,
    rates: createRateLimits(counters),
    securityEvents: { emit: async (_, event) => void told.push(event) },
  }
  watchFor()
})

/** From now on these are the triggers of the one task type. */
function watchFor(...triggers: readonly Trigger[]): void {
  tenant = aTenant({ taskTypes: [aTaskType({ triggers })] })
}

const trigger = (parts: Partial<Trigger> = {}): Trigger => ({
  on: 'exchanges',
  per: 'task',
  moreThan: 2,
  within: 3600,
  verdict: 'suspend',
  ...parts,
})

const own = (claims: DelegatedClaims): OwnToken => ({ kind: 'own', claims })
const record = (ref = 'ref-1') =>
  new DecisionRecord({ ref, tenant: 'acme', tenant_version: 'v1', event: 'token' })
const input = (caller: string, to: string) => ({
  tenant,
  caller: tenant.agents.get(caller)!,
  key: { jkt: `key-of-${caller}` },
  target: { audience: [to], resource: [] },
  scope: ['files:read'] as readonly string[] | undefined,
  taskType: undefined,
  purpose: undefined,
  actor: undefined,
  record: record(),
})

function send(
  caller: string,
  subject: DelegatedClaims,
  parts: { readonly to?: string; readonly scope?: readonly string[]; readonly ref?: string } = {},
): Promise<Granted | Refusal> {
  const { to = 'files-api', scope = ['files:read'], ref } = parts
  const from = input(caller, to)
  return exchangeToken(deps, { ...from, scope, record: record(ref), subject: own(subject) })
}

async function open(to = 'researcher-a2a'): Promise<DelegatedClaims> {
  return claimsOf(await exchangeToken(deps, { ...input('planner', to), subject: aForeignToken() }))
}

function claimsOf(outcome: Granted | Refusal): DelegatedClaims {
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.guard}`)
  return outcome.claims
}

const granted = { kind: 'granted' }
const suspended = { reason: 'task_suspended', guard: 'trigger_suspend' }

async function times(count: number, ask: () => Promise<unknown>): Promise<void> {
  for (let at = 0; at < count; at++) await ask()
}

const taskOf = async ({ txn }: DelegatedClaims) => (await store.tasks.readTask('acme', txn))?.task
const firings = () => store.audit.entries.filter(({ event }) => event === 'task')

describe('an exchange too much', () => {
  test('is refused, ends the task, and is on record with what was seen', async () => {
    watchFor(trigger({ per: 'place' }))
    const first = await open()
    await times(2, async () => expect(await send('researcher', first)).toMatchObject(granted))
    expect(await send('researcher', first, { ref: 'ref-9' })).toMatchObject(suspended)
    const ending = {
      at: NOW,
      by: 'trigger',
      reason: 'more than 2 exchanges in 3600 s at planner/researcher',
    }
    expect(await taskOf(first)).toMatchObject({ state: 'suspended', ending })
    expect(firings()).toEqual([
      {
        time: NOW,
        ref: 'ref-9',
        tenant: 'acme',
        tenant_version: 'v1',
        event: 'task',
        outcome: 'permit',
        author: 'trigger',
        action: 'trigger_suspend',
        client: 'researcher',
        subject: 'alice',
        task_type: 'file-work',
        txn: first.txn,
        place: 'planner/researcher',
        ended_because: ending.reason,
      },
    ])
    expect(told).toEqual([
      {
        kind: 'task_ended',
        task: expect.objectContaining({ txn: first.txn, state: 'suspended' }),
        ending,
      },
    ])
  })

  test('revokes where the trigger says so, and the subject token opens no other task', async () => {
    watchFor(trigger({ verdict: 'revoke' }))
    const first = await open()
    await times(2, () => send('researcher', first))
    expect(await send('researcher', first)).toMatchObject({
      reason: 'task_ended',
      guard: 'trigger_revoke',
    })
    expect(await taskOf(first)).toMatchObject({ state: 'revoked' })
    expect(firings()).toMatchObject([{ action: 'trigger_revoke' }])
    const again = await exchangeToken(deps, {
      ...input('planner', 'researcher-a2a'),
      subject: aForeignToken(),
    })
    expect(again).toMatchObject({ reason: 'subject_token_spent' })
  })

  test('two hundred at once: as many as the trigger allows, one entry', async () => {
    watchFor(trigger({ moreThan: 20 }))
    const first = await open()
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => send('researcher', first)))
    expect(outcomes.filter((outcome) => !isRefusal(outcome)).length).toBeLessThanOrEqual(20)
    expect(firings()).toHaveLength(1)
    expect(told).toHaveLength(1)
  })

  test('the next window begins anew', async () => {
    watchFor(trigger({ within: 60 }))
    const first = await open()
    await times(2, () => send('researcher', first))
    now += 60
    await times(2, async () => expect(await send('researcher', first)).toMatchObject(granted))
    expect(await send('researcher', first)).toMatchObject(suspended)
  })

  test('a task that was resumed is not ended again by what it was resumed from', async () => {
    watchFor(trigger())
    const first = await open()
    await times(3, () => send('researcher', first))
    now += 1
    await store.tasks.resumeTask('acme', first.txn, { at: now, by: 'operator', reason: 'seen' })
    await times(2, async () => expect(await send('researcher', first)).toMatchObject(granted))
    expect(await send('researcher', first)).toMatchObject(suspended)
    expect(firings()).toHaveLength(2)
  })

  test('tasks are counted apart', async () => {
    watchFor(trigger())
    const [one, other] = [await open(), await open()]
    await times(2, () => send('researcher', one))
    expect(await send('researcher', other)).toMatchObject(granted)
  })
})

test('what was counted stands in the entry of the exchange; nothing where no trigger looks', async () => {
  watchFor(trigger({ per: 'place' }))
  const first = await open()
  await send('researcher', first, { ref: 'watched' })
  const anomalies = store.audit.entries.map((entry) => [entry.ref, entry.anomalies])
  expect(anomalies).toContainEqual(['watched', ['exchanges']])
  expect(anomalies[0]?.[1]).toEqual([])
})

describe('fan-out', () => {
  test('is what recipients make of the tokens of one place, whoever they are', async () => {
    watchFor(trigger({ on: 'fan_out', per: 'place' }))
    const first = await open()
    const second = claimsOf(await send('researcher', first, { to: 'coder-a2a' }))
    await send('coder', second)
    await send('researcher', first)
    expect(await taskOf(first)).toMatchObject({ state: 'open' })
    expect(await send('researcher', first)).toMatchObject(suspended)
    expect(firings()).toMatchObject([
      { place: 'planner', ended_because: 'more than 2 tokens for recipients in 3600 s at planner' },
    ])
  })

  test('is not what was refused, nor what a holder asks for itself', async () => {
    watchFor(trigger({ on: 'fan_out', moreThan: 0 }))
    const first = await open()
    await send('planner', first)
    await send('researcher', first, { scope: ['mail:send'] })
    expect(await taskOf(first)).toMatchObject({ state: 'open' })
  })
})

describe('attempts at more', () => {
  test('stay refused for their own reason, and end the task', async () => {
    watchFor(trigger({ on: 'refused_widening' }))
    const first = await open()
    const refused = { reason: 'scope_not_permitted' }
    await times(3, async () =>
      expect(await send('researcher', first, { scope: ['mail:send'] })).toMatchObject(refused),
    )
    expect(await taskOf(first)).toMatchObject({ state: 'suspended' })
    expect(await send('researcher', first)).toMatchObject({ reason: 'task_suspended' })
  })
})

describe('use after the end', () => {
  test.each(['closed', 'suspended'] as const)(
    'of a task that is %s revokes it, and stays refused for its own reason',
    async (state) => {
      watchFor(trigger({ on: 'use_after_end', verdict: 'revoke' }))
      const first = await open()
      await store.tasks.endTask('acme', first.txn, state, { at: now, by: 'operator', reason: 'x' })
      const reason = state === 'closed' ? 'task_ended' : 'task_suspended'
      await times(2, async () => expect(await send('researcher', first)).toMatchObject({ reason }))
      expect(await taskOf(first)).toMatchObject({ state })
      expect(await send('researcher', first)).toMatchObject({ reason })
      expect(await taskOf(first)).toMatchObject({ state: 'revoked', ending: { by: 'trigger' } })
      expect(firings()).toMatchObject([
        { ended_because: 'more than 2 uses after its end in 3600 s' },
      ])
    },
  )

  test('is not counted where nothing is left to end', async () => {
    watchFor(trigger({ on: 'use_after_end', verdict: 'revoke', moreThan: 0 }))
    const first = await open()
    now = NOW + 600
    expect(await send('researcher', first)).toMatchObject({ reason: 'task_ended' })
    expect(firings()).toEqual([])
  })
})

describe('a proof that was sent again', () => {
  const replay = (caller: string, subject: DelegatedClaims) =>
    watchReplayedProof(deps, {
      tenant,
      caller: tenant.agents.get(caller)!,
      token: own(subject),
      record: record(),
    })

  test.each(['planner', 'researcher'])('by the %s of the token is counted', async (caller) => {
    watchFor(trigger({ on: 'replayed_proof' }))
    const first = await open()
    await times(3, () => replay(caller, first))
    expect(await taskOf(first)).toMatchObject({ state: 'suspended' })
    expect(firings()).toMatchObject([{ client: caller }])
  })

  test.each(['coder', 'rogue'])('by %s, who has no way in, is not', async (caller) => {
    watchFor(trigger({ on: 'replayed_proof', moreThan: 0, verdict: 'revoke' }))
    const first = await open()
    counted = []
    await replay(caller, first)
    expect(counted).toEqual([])
    expect(await taskOf(first)).toMatchObject({ state: 'open' })
  })

  test('with a token that is on no record, or of a task that is over, is not', async () => {
    watchFor(trigger({ on: 'replayed_proof', moreThan: 0 }))
    const first = await open()
    counted = []
    await replay('researcher', { ...first, jti: 'another' })
    await store.tasks.endTask('acme', first.txn, 'closed', { at: now, by: 'x', reason: 'x' })
    await replay('researcher', first)
    expect(counted).toEqual([])
    expect(firings()).toEqual([])
  })
})

describe('H09 somebody without a way in', () => {
  const all = (['exchanges', 'fan_out', 'refused_widening', 'use_after_end'] as const).map((on) =>
    trigger({ on, moreThan: 0, verdict: 'revoke' }),
  )

  test.each(['coder', 'rogue'])('H09 %s fires nothing, whatever it asks', async (stranger) => {
    const first = await open()
    watchFor(...all)
    counted = []
    for (const to of ['files-api', 'coder-a2a', 'nowhere', 'pay-api']) {
      for (const scope of [['files:read'], ['pay:transfer']]) {
        expect(await send(stranger, first, { to, scope })).toMatchObject({
          reason: 'subject_token_unacceptable',
        })
      }
    }
    expect(counted).toEqual([])
    expect(await taskOf(first)).toMatchObject({ state: 'open' })
  })

  test('H09 a holder without the key is nobody', async () => {
    const first = await open()
    watchFor(...all)
    counted = []
    const from = { ...input('planner', 'files-api'), key: { jkt: 'another' } }
    expect(await exchangeToken(deps, { ...from, subject: own(first) })).toMatchObject({
      guard: 'subject_key_not_proven',
    })
    expect(counted).toEqual([])
  })

  test('H09 whoever answers at the audience since then is nobody', async () => {
    const first = await open()
    watchFor(...all)
    const researcher = { ...tenant.agents.get('researcher')!, registeredAt: NOW }
    tenant = { ...tenant, agents: new Map(tenant.agents).set('researcher', researcher) }
    counted = []
    expect(await send('researcher', first)).toMatchObject({ guard: 'audience_changed_hands' })
    expect(counted).toEqual([])
  })
})

test('a task type without triggers counts the requests of its task in shares, and nothing else', async () => {
  const first = await open()
  counted = []
  await send('researcher', first)
  await send('researcher', first, { scope: ['mail:send'] })
  expect(counted.map(({ id }) => id.slice(0, 2))).toEqual([['task', first.txn]])
})

test('a fault of the counter is a fault of the exchange: no token', async () => {
  watchFor(trigger())
  const first = await open()
  const broken = { count: () => Promise.reject(new Error('no store')) }
  deps = { ...deps, counters: broken }
  await expect(send('researcher', first)).rejects.toThrow('no store')
  expect((await store.tasks.readTask('acme', first.txn))?.hops).toHaveLength(1)
})
