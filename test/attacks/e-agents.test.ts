/** Threats E of agents that were good once: disabled in the middle of their work, or gone and come back as another. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type AdminClient, operatorOf } from '../support/admin-client.ts'
import { ACCESS_TOKEN, type AgentClient, type Answer } from '../support/agent-client.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find, type Stage, setStage, tokenOf } from './fixture.ts'
import { apply, exchangeAt, setDisabled, tokenAt } from './live.ts'
import { expectGranted, expectRefusal, expectRefused } from './refusal.ts'
import { type SecondNode, startSecondNode } from './second-node.ts'

const OWN_WORK = { grant_type: 'client_credentials' } as const

let stage: Stage
let operator: AdminClient
let filesApi: AgentClient
beforeAll(async () => {
  stage = await setStage()
  operator = await operatorOf(stage.server)
  filesApi = stage.server.client('files-api')
})
afterAll(() => stage.close())

const actor = (token: string) => ({ actor_token: token, actor_token_type: ACCESS_TOKEN })
const isActive = async (client: AgentClient, token: string): Promise<unknown> =>
  (await client.introspect(token)).body['active']

describe('E09 a disabled agent', () => {
  /** What was in the world when researcher was disabled. */
  interface Before {
    /** planner's, addressed to researcher. */
    readonly first: string
    /** researcher's, addressed to coder. */
    readonly second: string
    /** coder's, addressed to the files API, with researcher in the middle. */
    readonly third: string
    /** researcher's, from a task of its own, addressed to coder. */
    readonly alone: string
    /** researcher's own. */
    readonly own: string
    /** planner's, at home. */
    readonly home: string
    /** coder's own. */
    readonly coders: string
  }
  let before: Before
  let node: SecondNode
  beforeAll(async () => {
    const { server, planner, researcher, coder } = stage
    node = await startSecondNode(server)
    const first = await stage.first()
    const second = tokenOf(await researcher.exchange(first, { audience: 'coder-a2a' }))
    before = {
      first,
      second,
      third: tokenOf(await coder.exchange(second, { audience: 'files-api' })),
      alone: tokenOf(await researcher.token({ ...OWN_WORK, audience: 'coder-a2a' })),
      own: await stage.own(researcher),
      home: tokenOf(await planner.open(server.idToken(), { audience: 'planner-a2a' })),
      coders: await stage.own(coder),
    }
    expect(await isActive(filesApi, before.third)).toBe(true)
    await setDisabled(operator, 'researcher', true)
  })
  afterAll(async () => {
    await setDisabled(operator, 'researcher', false)
    await node.close()
  })

  const gone = { reason: 'client_authentication_failed', guard: 'agent_inactive' } as const
  /** Its places are out of every task, and the tasks it opened are over. */
  const inTheMiddle = { reason: 'subject_token_revoked', guard: 'parent_revoked' } as const
  const itsOwn = { reason: 'task_ended' } as const
  const noRecipient = { reason: 'target_not_permitted', guard: 'recipient_inactive' } as const

  test.each<[string, (researcher: AgentClient) => Promise<Answer>]>([
    ['as recipient', (researcher) => researcher.exchange(before.first, { audience: 'coder-a2a' })],
    ['as recipient, for itself', (researcher) => researcher.exchange(before.first)],
    ['as holder', (researcher) => researcher.exchange(before.second, { audience: 'coder-a2a' })],
    [
      'with its own actor token',
      (researcher) => researcher.exchange(before.first, actor(before.own)),
    ],
    ['by client credentials', (researcher) => researcher.token(OWN_WORK)],
    [
      'for a user who signed in to it',
      (researcher) => researcher.open(stage.server.idToken('alice', 'researcher')),
    ],
    ['to introspect', (researcher) => researcher.introspect(before.second)],
    ['to revoke', (researcher) => researcher.revoke(before.second)],
  ])('E09 is let in nowhere: %s', async (_, send) => {
    const { server, researcher } = stage
    await expectRefusal(server, gone, () => send(researcher))
  })

  test('E09 ends every chain it is in, whatever the next agent asks', async () => {
    const { server, coder } = stage
    const { second, alone, coders } = before
    for (const form of [
      {},
      { audience: 'files-api' },
      { audience: 'rogue-a2a' },
      { audience: 'coder-a2a', scope: 'files:read' },
      { audience: 'files-api', ...actor(coders) },
    ]) {
      await expectRefusal(server, inTheMiddle, () => coder.exchange(second, form))
    }
    await expectRefusal(server, itsOwn, () => coder.exchange(alone, { audience: 'files-api' }))
  })

  test('E09 is handed nothing more, by a root, a holder or a recipient', async () => {
    const { server, planner } = stage
    const form = { audience: 'researcher-a2a' }
    await expectRefusal(server, noRecipient, () => planner.open(server.idToken(), form))
    await expectRefusal(server, noRecipient, () => planner.exchange(before.home, form))
    await expectRefusal(server, noRecipient, () => planner.exchange(before.first, form))
    await expectRefusal(server, noRecipient, () => planner.token({ ...OWN_WORK, ...form }))
  })

  test('E09 its tokens, and those that came from them, are inactive to everyone', async () => {
    const { coder } = stage
    const { second, third, alone } = before
    expect(await isActive(coder, second)).toBe(false)
    expect(await isActive(coder, alone)).toBe(false)
    expect(await isActive(coder, third)).toBe(false)
    expect(await isActive(filesApi, third)).toBe(false)
  })

  test('E09 the other node says the same', async () => {
    const { researcher, coder } = stage
    const { second, first } = before
    expectRefused(await exchangeAt(node, coder, second), 'subject_token_revoked')
    expectRefused(await exchangeAt(node, researcher, first), 'client_authentication_failed')
    expectRefused(await tokenAt(node, researcher, OWN_WORK), 'client_authentication_failed')
  })

  test('E09 costs nobody else anything, and what it left can still be revoked above it', async () => {
    const { server, planner, coder } = stage
    const direct = tokenOf(await planner.open(server.idToken(), { audience: 'coder-a2a' }))
    await expectGranted(server, () => coder.exchange(direct, { audience: 'files-api' }))
    expect((await planner.revoke(before.first)).status).toBe(200)
    await setDisabled(operator, 'researcher', false)
    // Enabled again, it is the same agent; but what was revoked when it was disabled stays revoked.
    await expectRefusal(server, { reason: 'subject_token_revoked' }, () =>
      coder.exchange(before.second, { audience: 'files-api' }),
    )
    expect(await isActive(filesApi, before.third)).toBe(false)
    await expectRefusal(server, itsOwn, () =>
      coder.exchange(before.alone, { audience: 'files-api' }),
    )
    const anew = tokenOf(await stage.researcher.token({ ...OWN_WORK, audience: 'coder-a2a' }))
    await expectGranted(server, () => coder.exchange(anew, { audience: 'files-api' }))
    await setDisabled(operator, 'researcher', true)
  })
})

describe('E10 a recycled name', () => {
  /** What coder had, was handed and had handed on when it was removed. It comes back with the very same keys. */
  interface Before {
    /** planner's, addressed to coder. */
    readonly handed: string
    /** coder's, addressed to rogue. */
    readonly held: string
    /** coder's, addressed to the files API. */
    readonly used: string
    /** coder's, from a task of its own, addressed to rogue. */
    readonly alone: string
    /** coder's own. */
    readonly own: string
    /** alice signed in to coder. */
    readonly idToken: string
    /** planner's, addressed to researcher: a chain without coder. */
    readonly others: string
  }
  let before: Before
  /** Just before and just after coder came back, in milliseconds. */
  let returning: number
  let back: number
  beforeAll(async () => {
    const { server, planner, coder } = stage
    await apply(server, operator, { documents: openToCoder })
    const handed = tokenOf(await planner.open(server.idToken(), { audience: 'coder-a2a' }))
    before = {
      handed,
      held: tokenOf(await coder.exchange(handed, { audience: 'rogue-a2a' })),
      used: tokenOf(await coder.exchange(handed, { audience: 'files-api' })),
      alone: tokenOf(await coder.token({ ...OWN_WORK, audience: 'rogue-a2a' })),
      own: await stage.own(coder),
      idToken: server.idToken('alice', 'coder'),
      others: await stage.first(),
    }
    await apply(server, operator, { documents: withoutCoder })
    expectRefused(await coder.token(OWN_WORK), 'client_authentication_failed')
    returning = Date.now()
    await apply(server, operator, { documents: openToCoder })
    back = Date.now()
  })
  // Later by the clock: what is of the very second counts as before.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: back + 2_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** What it held was taken out when it was removed. */
  const taken = { reason: 'subject_token_revoked', guard: 'parent_revoked' } as const
  const itsOwn = { reason: 'task_ended' } as const
  const changedHands = {
    reason: 'subject_token_unacceptable',
    guard: 'audience_changed_hands',
  } as const

  test('E10 is no recipient of what was handed to the agent before it', async () => {
    const { server, coder } = stage
    for (const form of [{}, { audience: 'files-api' }, { audience: 'rogue-a2a' }]) {
      await expectRefusal(server, changedHands, () => coder.exchange(before.handed, form))
    }
  })

  test('E10 is no holder of its tokens, by the same proof key', async () => {
    const { server, coder } = stage
    const form = { audience: 'rogue-a2a' }
    await expectRefusal(server, taken, () => coder.exchange(before.held, form))
    await expectRefusal(server, itsOwn, () => coder.exchange(before.alone, form))
  })

  test('E10 is not the one in the middle, nor the one that opened the task', async () => {
    const { server, rogue } = stage
    const form = { audience: 'planner-a2a' }
    await expectRefusal(server, taken, () => rogue.exchange(before.held, form))
    await expectRefusal(server, itsOwn, () => rogue.exchange(before.alone, form))
  })

  test('E10 proves nothing by the old actor token', async () => {
    const { server, planner, coder } = stage
    const handed = tokenOf(await planner.open(server.idToken(), { audience: 'coder-a2a' }))
    const expected = { reason: 'actor_token_unacceptable', guard: 'actor_replaced' } as const
    await expectRefusal(server, expected, () => coder.exchange(handed, actor(before.own)))
  })

  test('E10 opens no task with what a user was given for the agent before it', async () => {
    const { server, coder } = stage
    await expectRefusal(server, changedHands, () =>
      coder.open(before.idToken, { audience: 'files-api' }),
    )
    const may_act = { sub: 'coder', client_id: 'coder' }
    const iat = Math.floor(returning / 1000)
    const named = server.idToken('alice', 'coder', { may_act, iat })
    await expectRefusal(server, changedHands, () => coder.open(named, { audience: 'files-api' }))
  })

  test('E10 what it had is inactive, to itself too', async () => {
    const { coder, rogue } = stage
    expect(await isActive(filesApi, before.used)).toBe(false)
    for (const token of [before.handed, before.held, before.alone, before.own]) {
      expect(await isActive(coder, token)).toBe(false)
    }
    expect(await isActive(rogue, before.held)).toBe(false)
  })

  test('E10 in all its parts it is a good agent from then on', async () => {
    const { server, planner, coder, rogue } = stage
    const handed = tokenOf(await planner.open(server.idToken(), { audience: 'coder-a2a' }))
    const own = await stage.own(coder)
    await expectGranted(server, () => coder.exchange(handed, { audience: 'files-api' }))
    const held = tokenOf(await coder.exchange(handed, { ...actor(own), audience: 'rogue-a2a' }))
    await expectGranted(server, () => rogue.exchange(held, { audience: 'planner-a2a' }))
    expect(await isActive(coder, held)).toBe(true)
    const idToken = server.idToken('alice', 'coder')
    await expectGranted(server, () => coder.open(idToken, { audience: 'files-api' }))
  })

  test('E10 neither an agent that stayed nor one that is new loses anything', async () => {
    const { server, researcher } = stage
    await expectGranted(server, () => researcher.exchange(before.others, { audience: 'files-api' }))
    const auditor = server.client('auditor')
    const addAuditor = (documents: TenantDocuments): void => {
      openToCoder(documents)
      const { agents } = documents.agents
      const auth = { method: 'private_key_jwt', jwks: { keys: [auditor.key.publicJwk] } }
      const model = find(agents, 'rogue')
      agents.push({ ...model, id: 'auditor', auth, issuer_clients: {}, may_reach: ['files-api'] })
      const ownWork = find(documents.taskTypes.task_types, 'own-work')
      ownWork['openers'] = [...ownWork['openers'], 'auditor']
    }
    await apply(server, operator, { documents: addAuditor })
    const read = await operator.get('/tenants/acme/agents/auditor')
    expect(read.body).not.toHaveProperty('registered_at')
    // In the very second of its registration.
    await expectGranted(server, () => auditor.token({ ...OWN_WORK, audience: 'files-api' }))
  })

  function openToCoder({ taskTypes }: TenantDocuments): void {
    const fileWork = find(taskTypes.task_types, 'file-work')
    fileWork['openers'] = ['planner', 'coder']
    fileWork['reach'] = [...fileWork['reach'], 'rogue-a2a']
    const ownWork = find(taskTypes.task_types, 'own-work')
    ownWork['reach'] = [...ownWork['reach'], 'rogue-a2a']
  }

  function withoutCoder({ agents, resources, taskTypes }: TenantDocuments): void {
    agents.agents = agents.agents.filter(({ id }) => id !== 'coder')
    resources.resources = resources.resources.filter(({ id }) => id !== 'coder-a2a')
    const less = (entry: Record<string, unknown>, member: string, gone: string): void => {
      entry[member] = (entry[member] as string[]).filter((id) => id !== gone)
    }
    for (const agent of agents.agents) less(agent, 'may_reach', 'coder-a2a')
    for (const type of taskTypes.task_types) {
      less(type, 'reach', 'coder-a2a')
      less(type, 'openers', 'coder')
    }
  }
})
