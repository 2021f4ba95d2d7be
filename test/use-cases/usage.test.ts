import { beforeEach, describe, expect, test } from 'vitest'
import type { Tenant } from '../../server/core/tenant.ts'
import { namesOf } from '../../server/core/usage-names.ts'
import type { UsageStore } from '../../server/use-cases/ports.ts'
import { createUsageLog, type UsageLog } from '../../server/use-cases/usage.ts'
import { anAgent, aTaskType, aTenant, NOW } from '../core/facts.ts'
import { MemoryUsageStore } from '../support/memory-usage.ts'

let tenant: Tenant
let now: number
let written: number
let fault: Error | undefined
let store: MemoryUsageStore
let log: UsageLog

beforeEach(() => {
  tenant = aTenant({ agents: [anAgent('planner')], taskTypes: [aTaskType()] })
  now = NOW
  written = 0
  fault = undefined
  store = new MemoryUsageStore()
  log = newLog()
})

/** A process that shares the store. */
function newLog(): UsageLog {
  const counting: UsageStore = {
    observe: (...input) => store.observe(...input),
    forget: (...input) => store.forget(...input),
    read: (id) => store.read(id),
    recordUses: async (id, uses) => {
      if (fault !== undefined) throw fault
      written += uses.size
      await store.recordUses(id, uses)
    },
  }
  return createUsageLog({
    store: counting,
    tenants: { find: (id) => (id === tenant.id ? tenant : undefined) },
    clock: { now: () => now },
    present: [tenant.id],
  })
}

const use = (chain: readonly string[] = ['planner'], isOpening = true) => ({
  chain,
  taskType: 'file-work',
  isOpening,
  target: 'files-api',
  scope: ['files:read'],
  policies: ['all'],
})
const lastOf = (name: string) => store.read(tenant.id).get(name)?.lastUsed

test('every name of the facts is observed from the start of the process', async () => {
  now += 20
  await log.flush()
  const uses = store.read(tenant.id)
  expect(new Set(uses.keys())).toEqual(namesOf(tenant))
  expect(uses.get('scope planner files:read')).toEqual({ firstSeen: NOW, lastUsed: undefined })
})

test('an issued token notes what it stands on, for every agent in its chain', async () => {
  tenant = aTenant({
    agents: [anAgent('planner'), anAgent('coder'), anAgent('rogue')],
    taskTypes: [aTaskType()],
  })
  log.token(tenant.id, use(['planner', 'coder'], false), NOW + 5)
  await log.flush()
  const used = [...store.read(tenant.id)].filter(([, { lastUsed }]) => lastUsed !== undefined)
  expect(used.map(([name]) => name).toSorted()).toEqual([
    'agent coder',
    'place coder files-api',
    'place planner files-api',
    'scope coder files:read',
    'scope planner files:read',
    'type-place file-work files-api',
    'type-scope file-work files:read',
  ])
})

test('the token that opens a task notes task type and opener; an authenticated client its key', async () => {
  const jwks = [{ kid: 'k1' }, { kid: 'k2' }]
  const auth = { method: 'private_key_jwt', jwks, development: false } as const
  tenant = aTenant({ agents: [anAgent('planner', { auth })], taskTypes: [aTaskType()] })
  log.token(tenant.id, use(), NOW + 5)
  log.client(tenant.id, { id: 'planner', kid: 'k2' }, NOW + 6)
  await log.flush()
  expect(lastOf('type file-work')).toBe(NOW + 5)
  expect(lastOf('opener file-work planner')).toBe(NOW + 5)
  expect(lastOf('client planner')).toBe(NOW + 6)
  expect([lastOf('key planner k1'), lastOf('key planner k2')]).toEqual([undefined, NOW + 6])
})

describe('what it costs', () => {
  test('a thousand tokens of one kind are written as one', async () => {
    for (let each = 0; each < 1000; each += 1) log.token(tenant.id, use(), NOW + each)
    await log.flush()
    const once = written
    expect(once).toBeLessThan(12)
    expect(lastOf('agent planner')).toBe(NOW + 999)
    await log.flush()
    expect(written).toBe(once)
  })

  test('of strangers nothing is kept', async () => {
    log.client(tenant.id, { id: 'mallory', kid: undefined }, NOW)
    log.client('nowhere', { id: 'mallory', kid: undefined }, NOW)
    await log.flush()
    expect(new Set(store.read(tenant.id).keys())).toEqual(namesOf(tenant))
    expect(store.read('nowhere').size).toBe(0)
  })
})

test('what left the facts is forgotten, and what came is observed since then', async () => {
  await log.flush()
  now += 60
  const facts = { agents: [anAgent('coder')], taskTypes: [aTaskType()] }
  tenant = aTenant({ ...facts, tenant: { version: 'newer' } })
  log.token(tenant.id, use(['planner']), now)
  await log.flush()
  const uses = store.read(tenant.id)
  expect(uses.get('agent planner')).toBeUndefined()
  expect(uses.get('agent coder')).toEqual({ firstSeen: NOW + 60, lastUsed: undefined })
  expect(new Set(uses.keys())).toEqual(namesOf(tenant))
})

test('of several processes the latest use counts', async () => {
  const other = newLog()
  log.token(tenant.id, use(), NOW + 9)
  other.token(tenant.id, use(), NOW + 5)
  await Promise.all([log.flush(), other.flush()])
  await other.flush()
  expect(lastOf('agent planner')).toBe(NOW + 9)
})

test('what could not be written is written the next time, and not over what came later', async () => {
  await log.flush()
  log.token(tenant.id, use(), NOW + 1)
  fault = new Error('disk full')
  await expect(log.flush()).rejects.toThrow('disk full')
  log.token(tenant.id, { ...use(), isOpening: false }, NOW + 2)
  fault = undefined
  await log.flush()
  expect([lastOf('agent planner'), lastOf('type file-work')]).toEqual([NOW + 2, NOW + 1])
})

test('a reader sees what was noted until then', async () => {
  log.token(tenant.id, use(), NOW + 1)
  expect((await log.read(tenant)).get('agent planner')?.lastUsed).toBe(NOW + 1)
})
