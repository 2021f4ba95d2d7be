/** Requests a minute: counted by whom they are of, refused until the minute is over, on record once. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Limits, Tenant } from '../../server/core/tenant.ts'
import type { Counted } from '../../server/use-cases/ports.ts'
import { createRateLimits, type RateLimits } from '../../server/use-cases/rate-limit.ts'
import { aTenant, NOW } from '../core/facts.ts'
import { MemoryCounters } from '../support/memory-store.ts'

/** The first second of a minute. */
const MINUTE = NOW - (NOW % 60)

let counted: Counted[]
let counters: MemoryCounters
let rates: RateLimits

beforeEach(() => {
  counted = []
  counters = new MemoryCounters()
  rates = newProcess()
})

/** Another process on the same store. */
const newProcess = (): RateLimits =>
  createRateLimits({
    count: (request) => {
      counted.push(request)
      return counters.count(request)
    },
  })

function limitedTo(limits: Partial<Limits>, id = 'acme'): Tenant {
  const tenant = aTenant()
  return { ...tenant, id, limits: { ...tenant.limits, ...limits } }
}

const refusal = (guard: string, entry: 'new' | 'told', retryAfter = 60) => ({
  kind: 'refusal',
  reason: 'rate_limited',
  guard,
  limit: { retryAfter, entry },
})

describe('a client', () => {
  const tenant = limitedTo({ requestsPerClient: 2 })
  const ask = (client: string, now = MINUTE, process = rates) =>
    process.countClient(tenant, client, now)

  test('has as many as its tenant says; the first too many is on record for all', async () => {
    expect([await ask('planner'), await ask('planner')]).toEqual([undefined, undefined])
    expect(await ask('planner')).toEqual(refusal('requests_per_client', 'new'))
    expect(await ask('planner')).toEqual(refusal('requests_per_client', 'told'))
    expect(await ask('researcher')).toBeUndefined()
  })

  test('over its limit costs the store nothing more', async () => {
    for (let at = 0; at < 3; at++) await ask('planner')
    counted = []
    expect(rates.findOver(tenant, 'planner', MINUTE)).toEqual(
      refusal('requests_per_client', 'told'),
    )
    expect(rates.findOver(tenant, 'researcher', MINUTE)).toBeUndefined()
    await ask('planner')
    expect(counted).toEqual([])
  })

  test.each([
    [1, 59],
    [30, 30],
    [59, 1],
  ])('comes again when the minute is over: after %d seconds in %d', async (into, retryAfter) => {
    const now = MINUTE + into
    for (let at = 0; at < 2; at++) await ask('planner', now)
    expect(await ask('planner', now)).toEqual(refusal('requests_per_client', 'new', retryAfter))
    expect(rates.findOver(tenant, 'planner', MINUTE + 59)).toBeDefined()
    expect(rates.findOver(tenant, 'planner', MINUTE + 60)).toBeUndefined()
    expect(await ask('planner', MINUTE + 60)).toBeUndefined()
  })

  test('is not held to the next minute by an answer that came late', async () => {
    let isSlow = false
    const slow = createRateLimits({
      count: async (request) => {
        const count = await counters.count(request)
        // Meanwhile somebody asks in the next minute.
        if (isSlow) await slow.countClient(tenant, 'coder', MINUTE + 60)
        return count
      },
    })
    for (let at = 0; at < 2; at++) await ask('planner', MINUTE + 59, slow)
    isSlow = true
    const late = ask('planner', MINUTE + 59, slow)
    isSlow = false
    expect(await late).toEqual(refusal('requests_per_client', 'new', 1))
    expect(slow.findOver(tenant, 'planner', MINUTE + 60)).toBeUndefined()
    expect(await ask('planner', MINUTE + 60, slow)).toBeUndefined()
  })

  test('is not held for an hour by a clock that was an hour ahead for a moment', async () => {
    for (let at = 0; at < 3; at++) await ask('planner', MINUTE + 3600)
    expect(await ask('planner', MINUTE)).toBeUndefined()
    expect(await ask('planner', MINUTE + 1)).toBeUndefined()
    expect(await ask('planner', MINUTE + 2)).toBeDefined()
    expect(await ask('planner', MINUTE + 60)).toBeUndefined()
  })

  test('has one limit in all processes, and one entry', async () => {
    const other = newProcess()
    const answers = [
      await ask('planner'),
      await ask('planner', MINUTE, other),
      await ask('planner'),
      await ask('planner', MINUTE, other),
    ]
    expect(answers.map((answer) => answer?.limit?.entry)).toEqual([
      undefined,
      undefined,
      'new',
      'told',
    ])
  })

  test('of one name in two tenants is two', async () => {
    for (let at = 0; at < 3; at++) await ask('planner')
    const globex = limitedTo({ requestsPerClient: 2 }, 'globex')
    expect(rates.findOver(globex, 'planner', MINUTE)).toBeUndefined()
    expect(await rates.countClient(globex, 'planner', MINUTE)).toBeUndefined()
  })
})

describe('a tenant', () => {
  test('has as many for all its clients together', async () => {
    const tenant = limitedTo({ requestsPerTenant: 3 })
    const agents = ['a', 'b', 'c', 'd']
    const answers = []
    for (const agent of agents) answers.push(await rates.countClient(tenant, agent, MINUTE))
    expect(answers.slice(0, 3)).toEqual([undefined, undefined, undefined])
    expect(answers[3]).toEqual(refusal('requests_per_tenant', 'new'))
    expect(rates.findOver(tenant, 'nobody-yet', MINUTE)).toEqual(
      refusal('requests_per_tenant', 'told'),
    )
    const globex = limitedTo({ requestsPerTenant: 3 }, 'globex')
    expect(await rates.countClient(globex, 'a', MINUTE)).toBeUndefined()
  })
})

describe('a task', () => {
  test('has as many whoever asks with its tokens, and no other task less', async () => {
    const tenant = limitedTo({ requestsPerTask: 1 })
    expect(await rates.countTask(tenant, 'task-1', MINUTE)).toBeUndefined()
    expect(await rates.countTask(tenant, 'task-1', MINUTE)).toEqual(
      refusal('requests_per_task', 'new'),
    )
    expect(await rates.countTask(tenant, 'task-2', MINUTE)).toBeUndefined()
    expect(rates.findOver(tenant, 'task-1', MINUTE)).toBeUndefined()
  })
})

describe('shares', () => {
  /** How many of so many, asked one after the other and all at once, in as many processes. */
  async function passedOf(tenant: Tenant, asked: number, processes: readonly RateLimits[]) {
    const answers = await Promise.all(
      Array.from({ length: asked }, (_, at) =>
        processes[at % processes.length]!.countClient(tenant, 'planner', MINUTE),
      ),
    )
    expect(answers.filter((answer) => answer?.limit?.entry === 'new').length).toBe(1)
    return answers.filter((answer) => answer === undefined).length
  }

  test.each([1, 2, 99, 100, 101, 199, 200, 250, 1999, 6000])(
    'of a limit of %d that many pass, and a hundred and one writes are made at most',
    async (most) => {
      const tenant = limitedTo({ requestsPerClient: most })
      expect(await passedOf(tenant, most + 50, [rates])).toBe(most)
      const shares = counted.filter(({ id }) => id[0] === 'client')
      expect(shares.length).toBeLessThanOrEqual(Math.min(most, 200) + 1)
      if (most >= 1999) expect(shares.length).toBeLessThanOrEqual(107)
    },
  )

  test('in three processes no more than the limit pass, and no share of it is lost but the last of each', async () => {
    const tenant = limitedTo({ requestsPerClient: 1000 })
    const processes = [rates, newProcess(), newProcess()]
    expect(await passedOf(tenant, 1500, processes)).toBe(1000)
  })

  test('a share that was taken by a process that asks no more is lost to the others, and no more than that', async () => {
    const tenant = limitedTo({ requestsPerClient: 1000 })
    await newProcess().countClient(tenant, 'planner', MINUTE)
    expect(await passedOf(tenant, 1500, [rates])).toBe(990)
  })

  test('another limit in the middle of a minute holds from then on', async () => {
    for (let at = 0; at < 3; at++) {
      await rates.countClient(limitedTo({ requestsPerClient: 2 }), 'planner', MINUTE)
    }
    const raised = limitedTo({ requestsPerClient: 4 })
    expect(rates.findOver(raised, 'planner', MINUTE)).toBeUndefined()
    expect(await rates.countClient(raised, 'planner', MINUTE)).toBeUndefined()
  })

  test('a store that fails lets nobody pass, and the next one asks again', async () => {
    let isBroken = true
    const broken = createRateLimits({
      count: (request) =>
        isBroken ? Promise.reject(new Error('no store')) : counters.count(request),
    })
    const tenant = limitedTo({})
    const asked = Array.from({ length: 3 }, () => broken.countClient(tenant, 'planner', MINUTE))
    const outcomes = await Promise.allSettled(asked)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    isBroken = false
    expect(await broken.countClient(tenant, 'planner', MINUTE)).toBeUndefined()
  })
})
