/**
 * A chain under way while the tenant's facts and rules change: the next exchange, and introspection, go by what is so now.
 * Store and audit log are in memory; the tenant is whatever a test says it is by then.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import type { ForeignToken, OwnToken } from '../../server/core/input-token.ts'
import { isRefusal, type Refusal } from '../../server/core/refusal.ts'
import type { RuleQuestion } from '../../server/core/rules.ts'
import type { Agent, Tenant } from '../../server/core/tenant.ts'
import { actAlone } from '../../server/use-cases/act-alone.ts'
import { DecisionRecord } from '../../server/use-cases/decision-record.ts'
import { type ExchangeDeps, exchangeToken } from '../../server/use-cases/exchange-token.ts'
import { introspectToken } from '../../server/use-cases/introspect-token.ts'
import type { Granted } from '../../server/use-cases/issue-hop.ts'
import { aForeignToken, aTaskType, aTenant, NOW, permitAll, rulesOf } from '../core/facts.ts'
import type { MemoryStore } from '../support/memory-store.ts'
import { memoryDeps } from './memory-deps.ts'

const LINE = ['planner', 'researcher', 'coder'] as const
const OWN_WORK = aTaskType({ id: 'own-work', basis: 'client', subjectsFrom: new Set() })

let now: number
let tenant: Tenant
let store: MemoryStore
let deps: ExchangeDeps
beforeEach(() => {
  now = NOW
  tenant = aTenant({ taskTypes: [aTaskType(), OWN_WORK] })
  ;({ store, deps } = memoryDeps({ now: () => now, tenant: () => tenant }))
})

const own = (claims: DelegatedClaims): OwnToken => ({ kind: 'own', claims })
const input = (caller: string, to: string) => ({
  tenant,
  caller: tenant.agents.get(caller)!,
  key: { jkt: `key-of-${caller}` },
  target: { audience: [to], resource: [] },
  scope: undefined,
  taskType: undefined,
  purpose: undefined,
  record: new DecisionRecord({ ref: 'r', tenant: 'acme', tenant_version: 'v1', event: 'token' }),
})

/** The caller exchanges what it was handed. */
function send(
  caller: string,
  to: string,
  subject: DelegatedClaims,
  actor?: DelegatedClaims,
): Promise<Granted | Refusal> {
  const actorToken = actor && own(actor)
  return exchangeToken(deps, { ...input(caller, to), subject: own(subject), actor: actorToken })
}

/** planner opens a task for alice, of whom her issuer says this. */
const open = (to: string, claims: ForeignToken['claims'] = {}) =>
  exchangeToken(deps, {
    ...input('planner', to),
    subject: aForeignToken({ claims }),
    actor: undefined,
  })

function claimsOf(outcome: Granted | Refusal): DelegatedClaims {
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.guard}`)
  return outcome.claims
}

/** planner, researcher, coder: each token addressed to the next, the last one to the files API. */
async function aChain(): Promise<readonly [DelegatedClaims, DelegatedClaims, DelegatedClaims]> {
  const first = claimsOf(await open('researcher-a2a'))
  now += 1
  const second = claimsOf(await send('researcher', 'coder-a2a', first))
  now += 1
  const third = claimsOf(await send('coder', 'files-api', second))
  now += 1
  return [first, second, third]
}

/** From now on the agent is this. */
function change(id: string, parts: Partial<Agent>): void {
  const agents = new Map(tenant.agents)
  agents.set(id, { ...agents.get(id)!, ...parts })
  tenant = { ...tenant, agents }
}

const inspect = (client: string, claims: DelegatedClaims) =>
  introspectToken(deps, { tenant, client, token: own(claims) })

describe('E09 an agent that is disabled, expired or gone', () => {
  const ways: readonly (readonly [string, (id: string) => void])[] = [
    ['disabled', (id) => change(id, { disabled: true })],
    ['expired', (id) => change(id, { expires: NOW + 2 })],
    [
      'gone',
      (id) => {
        const agents = new Map(tenant.agents)
        agents.delete(id)
        tenant = { ...tenant, agents }
      },
    ],
  ]

  test.each(
    ways.flatMap(([way, happen]) => LINE.slice(0, 2).map((id) => [id, way, happen] as const)),
  )('stops the chain it is in: %s %s', async (id, _, happen) => {
    const [first, second, third] = await aChain()
    happen(id)
    const refusal = { reason: 'actor_inactive', guard: 'actor_inactive' }
    expect(await send('coder', 'files-api', second)).toMatchObject(refusal)
    expect(await inspect('coder', third)).toBeUndefined()
    expect(await inspect('files-api', third)).toBeUndefined()
    if (id === 'planner') {
      expect(await send('researcher', 'files-api', first)).toMatchObject(refusal)
      expect(await inspect('researcher', second)).toBeUndefined()
    }
  })

  test('takes nothing from chains it is not in', async () => {
    const [, second, third] = await aChain()
    change('rogue', { disabled: true })
    claimsOf(await send('coder', 'files-api', second))
    expect(await inspect('files-api', third)).toBe(third)
  })

  test('is handed nothing', async () => {
    const [first] = await aChain()
    change('coder', { disabled: true })
    expect(await send('researcher', 'coder-a2a', first)).toMatchObject({
      reason: 'target_not_permitted',
      guard: 'recipient_inactive',
    })
  })

  test('stops its own tasks too, and a subject that is disabled stops those for it', async () => {
    const alone = claimsOf(await actAlone(deps, input('planner', 'researcher-a2a')))
    const [, second, third] = await aChain()
    tenant = { ...tenant, disabledSubjects: new Set(['alice']) }
    expect(await send('coder', 'files-api', second)).toMatchObject({ reason: 'subject_inactive' })
    expect(await inspect('files-api', third)).toBeUndefined()
    change('planner', { disabled: true })
    expect(await send('researcher', 'files-api', alone)).toMatchObject({ reason: 'actor_inactive' })
    expect(await inspect('researcher', alone)).toBeUndefined()
  })
})

describe('E10 an id that went to another agent', () => {
  /** researcher's token is of this second. */
  const MADE = NOW + 1
  const replaced = { reason: 'actor_inactive', guard: 'actor_replaced' }

  test.each([
    ['after its hop', MADE + 1],
    ['in the very second of its hop', MADE],
  ])('%s stands for it no more, neither as holder nor below others', async (_, registeredAt) => {
    const [, second, third] = await aChain()
    change('researcher', { registeredAt })
    expect(await send('researcher', 'files-api', second)).toMatchObject(replaced)
    expect(await send('coder', 'files-api', second)).toMatchObject(replaced)
    expect(await inspect('researcher', second)).toBeUndefined()
    expect(await inspect('files-api', third)).toBeUndefined()
  })

  test('before its hop is the one that made it', async () => {
    const [, second, third] = await aChain()
    change('researcher', { registeredAt: MADE - 1 })
    claimsOf(await send('researcher', 'files-api', second))
    claimsOf(await send('coder', 'files-api', second))
    expect(await inspect('files-api', third)).toBe(third)
  })

  test('is the opener’s own: the task it opened for itself is no other’s', async () => {
    const alone = claimsOf(await actAlone(deps, input('planner', 'researcher-a2a')))
    change('planner', { registeredAt: NOW })
    expect(await send('planner', 'files-api', alone)).toMatchObject(replaced)
    expect(await send('researcher', 'files-api', alone)).toMatchObject(replaced)
  })

  test('is no recipient of what was addressed to the agent before it', async () => {
    const first = claimsOf(await open('researcher-a2a'))
    change('researcher', { registeredAt: NOW })
    expect(await send('researcher', 'files-api', first)).toMatchObject({
      reason: 'subject_token_unacceptable',
      guard: 'audience_changed_hands',
    })
    expect(await inspect('researcher', first)).toBeUndefined()
    expect(await inspect('planner', first)).toBe(first)
    now += 1
    const later = claimsOf(await open('researcher-a2a'))
    claimsOf(await send('researcher', 'files-api', later))
    expect(await inspect('researcher', later)).toBe(later)
  })

  test('proves nothing by an actor token of the agent before it', async () => {
    const ownTask = { ...OWN_WORK, openers: new Set(['researcher']) }
    tenant = { ...tenant, taskTypes: new Map([...tenant.taskTypes, ['own-work', ownTask]]) }
    const actor = claimsOf(await actAlone(deps, input('researcher', 'files-api')))
    now += 1
    change('researcher', { registeredAt: NOW })
    const first = claimsOf(await open('researcher-a2a'))
    expect(await send('researcher', 'files-api', first, actor)).toMatchObject({
      reason: 'actor_token_unacceptable',
      guard: 'actor_replaced',
    })
  })
})

describe('L04 the rules', () => {
  test('are asked at every exchange: what they permitted before is no permit now', async () => {
    const [first, second] = await aChain()
    claimsOf(await send('coder', 'files-api', second))
    tenant = { ...tenant, rules: rulesOf({ decision: 'refuse', policies: ['stop'] }) }
    const refusal = { reason: 'target_not_permitted', policies: ['stop'] }
    expect(await send('coder', 'files-api', second)).toMatchObject(refusal)
    expect(await send('researcher', 'files-api', first)).toMatchObject(refusal)
    expect(await open('researcher-a2a')).toMatchObject({ reason: 'task_type_not_permitted' })
    tenant = { ...tenant, rules: permitAll }
    claimsOf(await send('coder', 'files-api', second))
  })

  test('are asked with the subject’s claims as they were when the task was opened', async () => {
    const first = claimsOf(await open('researcher-a2a', { department: ['sales'] }))
    now += 5
    const asked: RuleQuestion[] = []
    tenant = {
      ...tenant,
      rules: rulesOf((question) => {
        asked.push(question)
        return {}
      }),
    }
    const second = claimsOf(await send('researcher', 'coder-a2a', first))
    claimsOf(await send('coder', 'files-api', second))
    const subject = { id: 'alice', issuer: 'idp', claims: { department: ['sales'] } }
    const task = { txn: first.txn, openedAt: NOW, deadline: NOW + 600 }
    expect(asked.length).toBeGreaterThan(2)
    for (const question of asked) {
      expect(question).toMatchObject({ subject, task, now: NOW + 5 })
      expect(question.taskType).toBe(tenant.taskTypes.get('file-work'))
    }
    expect(asked.map(({ chain }) => chain.join(' '))).toEqual(
      expect.arrayContaining(['planner researcher', 'planner researcher coder']),
    )
  })

  test('of an agent alone are asked without a subject, at every hop', async () => {
    const subjects: unknown[] = []
    tenant = {
      ...tenant,
      rules: rulesOf(({ subject }) => {
        subjects.push(subject)
        return {}
      }),
    }
    const alone = claimsOf(await actAlone(deps, input('planner', 'researcher-a2a')))
    claimsOf(await send('researcher', 'files-api', alone))
    expect(new Set(subjects)).toEqual(new Set([undefined]))
  })

  test('that fail in the middle leave no hop and no entry', async () => {
    const first = claimsOf(await open('researcher-a2a'))
    const entries = store.audit.entries.length
    const down = rulesOf(() => {
      throw new Error('the engine is gone')
    })
    tenant = { ...tenant, rules: down }
    await expect(send('researcher', 'files-api', first)).rejects.toThrow('the engine is gone')
    await expect(open('researcher-a2a')).rejects.toThrow('the engine is gone')
    expect(store.audit.entries).toHaveLength(entries)
  })
})

describe('on record', () => {
  test('are the rules that decided, of the opening too, and what they bound the token to', async () => {
    tenant = {
      ...tenant,
      rules: rulesOf(({ action }) => ({
        policies: [`may-${action}`],
        obligations: action === 'open' ? { maxDepth: 3 } : { maxTtl: 60 },
      })),
    }
    const first = claimsOf(await open('researcher-a2a'))
    claimsOf(await send('researcher', 'files-api', first))
    expect(store.audit.entries).toMatchObject([
      { policies: ['may-open', 'may-delegate'], obligations: { max_ttl: 60, max_depth: 3 } },
      { policies: ['may-call'], obligations: { max_ttl: 60 } },
    ])
    expect(first).toMatchObject({ exp: NOW + 60, act_bounds: { root: { max_depth: 3 } } })
  })
})

describe('clocks apart', () => {
  test('cost a token none of the life its rules allow, nor its soundness', async () => {
    const first = claimsOf(await open('researcher-a2a'))
    tenant = { ...tenant, rules: rulesOf({ obligations: { maxTtl: 1 } }) }
    now -= 30
    const { iat, exp } = claimsOf(await send('researcher', 'files-api', first))
    expect({ iat, exp }).toEqual({ iat: NOW, exp: NOW + 1 })
  })
})
