/** Threats D: however many children are asked of one token, the caps hold, the task stops, and the record stays short. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { isRefusal } from '../../server/core/refusal.ts'
import { DecisionRecord } from '../../server/use-cases/decision-record.ts'
import { exchangeToken } from '../../server/use-cases/exchange-token.ts'
import { aForeignToken, aTaskType, aTenant, NOW } from '../core/facts.ts'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { payloadOf } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { memoryDeps } from '../use-cases/memory-deps.ts'
import { type Claims, tokenOf } from './fixture.ts'
import { exchangeAt } from './live.ts'
import { auditMark, auditSince, expectRefused } from './refusal.ts'
import { type SecondNode, startSecondNode } from './second-node.ts'

const PLACE = 20
const FAN_OUT = 30
const REQUESTS = 150

function watched({ tenant, taskTypes }: TenantDocuments): void {
  tenant['limits'] = {
    max_depth: 4,
    tokens_per_place: PLACE,
    tokens_per_task: 40,
    requests_per_task: REQUESTS,
  }
  const [fileWork] = taskTypes.task_types
  if (fileWork === undefined) throw new Error('the fixture has no task type')
  const fanOut = { on: 'fan_out', per: 'place', more_than: FAN_OUT, within: '1h', then: 'suspend' }
  taskTypes.task_types.push({ ...fileWork, id: 'fan-work', triggers: [fanOut] })
  fileWork['triggers'] = [
    { on: 'refused_widening', more_than: 3, within: '1h', then: 'revoke' },
    { on: 'replayed_proof', more_than: 3, within: '1h', then: 'suspend' },
    { on: 'use_after_end', more_than: 3, within: '1h', then: 'revoke' },
  ]
  taskTypes.task_types.push({
    ...fileWork,
    id: 'counted-work',
    triggers: [{ on: 'exchanges', more_than: 5, within: '8h', then: 'suspend' }],
  })
}

let server: TestServer
let planner: AgentClient
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: watched } })
  planner = server.client('planner')
})
afterAll(() => server.close())
beforeEach(() => {
  // In the middle of a minute and of an hour: what is counted within one is counted together.
  const now = Date.now()
  vi.useFakeTimers({ toFake: ['Date'], now: now - (now % 3_600_000) + 1_830_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const open = async (task_type = 'file-work'): Promise<string> =>
  tokenOf(await planner.open(server.idToken(), { audience: 'researcher-a2a', task_type }))
const asFiles = { audience: 'files-api', scope: 'files:read' }
const asResearcher = (token: string, form = asFiles): Promise<Answer> =>
  server.client('researcher').exchange(token, form)

async function collect(count: number, ask: () => Promise<Answer>): Promise<readonly Answer[]> {
  return Promise.all(Array.from({ length: count }, ask))
}

const reasons = (answers: readonly Answer[]): ReadonlyMap<string, number> => {
  const found = new Map<string, number>()
  for (const { status, body } of answers) {
    const name = status === 200 ? 'granted' : String(body['reason'])
    found.set(name, (found.get(name) ?? 0) + 1)
  }
  return found
}
const firingsIn = (entries: readonly Claims[]): readonly Claims[] =>
  entries.filter(({ event }) => event === 'task')

describe('D06 fan-out', () => {
  test('D06 two hundred and fifty children of one token at once: caps hold, one firing, one limit, a short record', async () => {
    const first = await open('fan-work')
    const { txn } = payloadOf(first)
    const before = auditMark(server)
    const found = reasons(await collect(250, () => asResearcher(first)))
    expect(found.get('granted') ?? 0).toBeLessThanOrEqual(PLACE)
    const allowed = ['granted', 'task_limit_reached', 'task_suspended', 'rate_limited']
    expect([...found.keys()].filter((name) => !allowed.includes(name))).toEqual([])
    expect(found.get('rate_limited')).toBe(250 - REQUESTS)
    const entries = auditSince(server, before)
    expect(firingsIn(entries)).toEqual([
      expect.objectContaining({
        outcome: 'permit',
        author: 'trigger',
        action: 'trigger_suspend',
        txn,
        place: 'planner',
        client: 'researcher',
        subject: 'alice',
        ended_because: `more than ${FAN_OUT} tokens for recipients in 3600 s at planner`,
      }),
    ])
    expect(entries.filter(({ reason }) => reason === 'rate_limited')).toHaveLength(1)
    expect(entries).toHaveLength(REQUESTS + 2)
    expectRefused(await planner.exchange(first), 'rate_limited')
    vi.setSystemTime(Date.now() + 60_000)
    expectRefused(await planner.exchange(first), 'task_suspended')
  })

  test('D06 a task beside it goes on', async () => {
    const [one, other] = [await open('fan-work'), await open('fan-work')]
    await collect(FAN_OUT + 1, () => asResearcher(one))
    expectRefused(await asResearcher(one), 'task_suspended')
    tokenOf(await asResearcher(other))
  })

  test('D06 ten thousand children in the use cases: as many as the caps, one entry for the firing', async () => {
    const triggers = [
      { on: 'fan_out', per: 'place', moreThan: 1000, within: 60, verdict: 'suspend' },
    ] as const
    const limited = aTenant({ taskTypes: [aTaskType({ triggers })] })
    const { requestsPerTask } = limited.limits
    expect(requestsPerTask).toBeGreaterThan(10_000)
    const { store, deps } = memoryDeps({ now: () => NOW, tenant: () => limited })
    const ask = (caller: string, to: string) => ({
      tenant: limited,
      caller: limited.agents.get(caller)!,
      actor: undefined,
      key: { jkt: `key-of-${caller}` },
      target: { audience: [to], resource: [] },
      scope: ['files:read'],
      taskType: undefined,
      purpose: undefined,
      record: new DecisionRecord({ ref: 'r', tenant: 'acme', tenant_version: 'v', event: 'token' }),
    })
    const opened = await exchangeToken(deps, {
      ...ask('planner', 'researcher-a2a'),
      subject: aForeignToken(),
    })
    if (isRefusal(opened)) throw new Error(opened.guard)
    let granted = 0
    for (let at = 0; at < 10_000; at++) {
      const outcome = await exchangeToken(deps, {
        ...ask('researcher', 'files-api'),
        subject: { kind: 'own', claims: opened.claims },
      })
      if (!isRefusal(outcome)) granted += 1
    }
    expect(granted).toBe(limited.limits.tokensPerPlace)
    expect(store.audit.entries.filter(({ event }) => event === 'task')).toHaveLength(1)
    const tree = await store.tasks.readTask('acme', opened.claims.txn)
    expect(tree?.hops).toHaveLength(1 + granted)
  })
})

describe('D06 in two processes', () => {
  let node: SecondNode
  beforeAll(async () => {
    node = await startSecondNode(server)
  })
  afterAll(() => node.close())

  test('D06 what one counts the other counts on', async () => {
    vi.useRealTimers()
    const first = await open('counted-work')
    const researcher = server.client('researcher')
    const answers: Answer[] = []
    for (let at = 0; at < 5; at++) {
      answers.push(
        at % 2 === 0
          ? await exchangeAt(node, researcher, first, asFiles)
          : await asResearcher(first),
      )
    }
    expect(reasons(answers)).toEqual(new Map([['granted', 5]]))
    const before = auditMark(server)
    expectRefused(await asResearcher(first), 'task_suspended')
    expectRefused(await exchangeAt(node, researcher, first, asFiles), 'task_suspended')
    expect(firingsIn(auditSince(server, before))).toHaveLength(1)
  })
})

describe('what looks wrong, over the wire', () => {
  test('attempts at more: each refused as what it is, until the task is revoked', async () => {
    const first = await open()
    const attempts = [
      [{ audience: 'files-api', scope: 'mail:send' }, 'scope_not_permitted'],
      [{ audience: 'pay-api' }, 'target_not_permitted'],
      [{ audience: 'nowhere' }, 'target_not_permitted'],
      [{ audience: 'rogue-a2a' }, 'target_not_permitted'],
    ] as const
    const researcher = server.client('researcher')
    for (const [form, reason] of attempts) {
      expectRefused(await researcher.exchange(first, form), reason)
    }
    expectRefused(await asResearcher(first), 'task_ended')
  })

  test('proofs that are sent again, by whoever was handed the token', async () => {
    const first = await open()
    const researcher = server.client('researcher')
    for (let at = 0; at < 4; at++) {
      const headers = { dpop: researcher.proof() }
      await researcher.exchange('x', {}, { headers })
      expectRefused(await researcher.exchange(first, asFiles, { headers }), 'proof_replayed')
    }
    expectRefused(await asResearcher(first), 'task_suspended')
  })
})

describe('H09 a stranger with somebody\u2019s token', () => {
  test('H09 fires nothing and spends nothing, whatever it asks and however often', async () => {
    const first = await open()
    const rogue = server.client('rogue')
    const before = auditMark(server)
    const headers = { dpop: rogue.proof() }
    await rogue.exchange('x', {}, { headers })
    for (const form of [asFiles, { audience: 'pay-api' }, { scope: 'mail:send' }, {}]) {
      const answers = await collect(REQUESTS / 3, () => rogue.exchange(first, form))
      for (const answer of answers) expectRefused(answer, 'subject_token_unacceptable')
    }
    for (let at = 0; at < 10; at++) {
      expectRefused(await rogue.exchange(first, asFiles, { headers }), 'proof_replayed')
    }
    const entries = auditSince(server, before)
    expect(firingsIn(entries)).toEqual([])
    expect(entries.filter(({ reason }) => reason === 'rate_limited')).toEqual([])
    tokenOf(await asResearcher(first))
  })
})
