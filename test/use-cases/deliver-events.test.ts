/** Pushing, over a store in memory and a clock that stands: one sender at a time, in order, to what is configured now. */

import { beforeEach, expect, test } from 'vitest'
import type { Tenant } from '../../server/core/tenant.ts'
import {
  type DeliverDeps,
  deliverStream,
  type PushAnswer,
  type PushedEvent,
} from '../../server/use-cases/deliver-events.ts'
import { aTenant, NOW } from '../core/facts.ts'
import { anEvent, aStream } from '../store/events-contract.ts'
import { auditLogOf } from '../support/embedded-store.ts'
import { MemoryEventStore } from '../support/memory-events.ts'

const ENDPOINT = 'https://siem.example/events'
const receiver = (...endpoints: readonly string[]) => ({
  id: 'siem',
  keys: [],
  binding: 'dpop' as const,
  pushEndpoints: new Set(endpoints),
})

let tenant: Tenant
let now: number
let store: MemoryEventStore
let sent: PushedEvent[]
let failed: string[]
let answers: (PushAnswer | Promise<PushAnswer>)[]
let entries: object[]
beforeEach(async () => {
  tenant = { ...aTenant(), eventReceivers: new Map([['siem', receiver(ENDPOINT)]]) }
  now = NOW
  store = new MemoryEventStore()
  sent = []
  failed = []
  answers = []
  entries = []
  const delivery = { method: 'push', endpoint: ENDPOINT, authorization: 'sealed' } as const
  await store.createStream('acme', aStream({ delivery }))
  await store.append('acme', [anEvent('a'), anEvent('b'), anEvent('c')], now)
})

function deps(holder: string, parts: Partial<DeliverDeps> = {}): DeliverDeps {
  return {
    clock: { now: () => now },
    tenants: { find: () => tenant },
    audit: auditLogOf(async (entry) => void entries.push(entry)),
    randomId: () => 'ref',
    eventStore: store,
    mintEvent: async (_, audience, { jti }) => `${audience} ${jti}`,
    push: async (event) => {
      sent.push(event)
      return answers.shift() ?? { kind: 'accepted' }
    },
    unseal: (_, sealed) => (sealed === 'sealed' ? 'Bearer secret' : undefined),
    holder,
    onPushFailed: (_, client, why) => void failed.push(`${client} ${why}`),
    ...parts,
  }
}

const deliver = async (holder = 'one', parts: Partial<DeliverDeps> = {}): Promise<void> =>
  deliverStream(deps(holder, parts), { tenant: 'acme', stream: 'stream-1' })
const tokens = (): string[] => sent.map(({ token }) => token)

test('all that waits, in order', async () => {
  await deliver()
  expect(tokens()).toEqual(['siem a.0', 'siem b.1', 'siem c.2'])
  expect(sent[0]).toEqual({ endpoint: ENDPOINT, token: 'siem a.0', authorization: 'Bearer secret' })
  await deliver()
  expect(sent).toHaveLength(3)
})

test('of ten processes one sends, while it is at it', async () => {
  const gate = Promise.withResolvers<PushAnswer>()
  answers = [gate.promise]
  const first = deliver('one')
  await Promise.all(Array.from({ length: 10 }, async (_, n) => deliver(`other-${n}`)))
  expect(tokens()).toEqual(['siem a.0'])
  gate.resolve({ kind: 'accepted' })
  await first
  expect(tokens()).toEqual(['siem a.0', 'siem b.1', 'siem c.2'])
})

test('a process that died is waited for, then another sends what it held', async () => {
  answers = [new Promise<PushAnswer>(() => {})]
  void deliver('dead')
  await new Promise((resolve) => setImmediate(resolve))
  now += 29
  await deliver('two')
  expect(sent).toHaveLength(1)
  now += 1
  await deliver('two')
  expect(tokens()).toEqual(['siem a.0', 'siem a.0', 'siem b.1', 'siem c.2'])
})

test('what fails is sent again later and later, five minutes at most, and never left out', async () => {
  const down: PushAnswer = { kind: 'failed', why: 'status_503' }
  const waits: number[] = []
  for (let n = 0; n < 12; n += 1) {
    answers = [down]
    await deliver()
    const began = now
    while (store.due(now).length === 0) now += 1
    waits.push(now - began)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
  expect(new Set(tokens())).toEqual(new Set(['siem a.0']))
  expect(failed).toEqual(Array(12).fill('siem status_503'))
  await deliver()
  expect(tokens().slice(-3)).toEqual(['siem a.0', 'siem b.1', 'siem c.2'])
})

test('what is refused three times is on record and out of the way', async () => {
  for (let n = 0; n < 3; n += 1) {
    answers = [{ kind: 'refused', err: 'invalid_key' }]
    await deliver()
    now += 10
  }
  expect(tokens()).toEqual(['siem a.0', 'siem a.0', 'siem a.0', 'siem b.1', 'siem c.2'])
  expect(entries).toMatchObject([
    {
      event: 'security_event',
      outcome: 'refuse',
      client: 'siem',
      jti: 'a.0',
      changes: ['a.0: invalid_key'],
    },
  ])
})

test('not to an address that is configured no more, nor to a receiver that is gone', async () => {
  tenant = { ...tenant, eventReceivers: new Map([['siem', receiver('https://other.example')]]) }
  await deliver()
  now += 10
  tenant = { ...tenant, eventReceivers: new Map() }
  await deliver()
  expect(sent).toEqual([])
  expect(failed).toEqual(Array(2).fill('siem endpoint_not_configured'))
})

test('not without the secret its receiver wants to see', async () => {
  await deliver('one', { unseal: () => undefined })
  expect(sent).toEqual([])
  expect(failed).toEqual(['siem authorization_sealed'])
})
