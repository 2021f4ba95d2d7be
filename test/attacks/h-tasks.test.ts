/**
 * Threats H of whole tasks: a cut in the middle takes what is beneath and nothing else, revocation is nobody's weapon, and what
 * an authority rests on takes everything with it. With tokens the server minted; lists are read as verifiers do.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type AdminClient, operatorOf, personOf } from '../support/admin-client.ts'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { clientOf, type ManageClient, operatorAt, personAt } from '../support/manage-client.ts'
import { epoch, payloadOf } from '../support/signing.ts'
import { find, type Stage, setStage, tokenOf } from './fixture.ts'
import { apply, setDisabled } from './live.ts'
import { auditMark, auditSince, expectGranted, expectRefusal } from './refusal.ts'
import { shownStatus } from './shown-status.ts'

let stage: Stage
let operator: AdminClient
let filesApi: AgentClient
beforeAll(async () => {
  stage = await setStage()
  operator = await operatorOf(stage.server)
  filesApi = stage.server.client('files-api')
})
afterAll(() => stage.close())

const FILES = { audience: 'files-api' } as const
const CODER = { audience: 'coder-a2a' } as const

interface Tree {
  readonly txn: string
  /** planner's, to researcher. */
  readonly first: string
  /** researcher's, to coder, and coder's from it. */
  readonly second: string
  readonly third: string
  /** planner's, to coder, and coder's from it: beside researcher. */
  readonly beside: string
  readonly besideThird: string
}

async function grow(): Promise<Tree> {
  const { planner, researcher, coder } = stage
  const first = await stage.first()
  const second = tokenOf(await researcher.exchange(first, CODER))
  const beside = tokenOf(await planner.exchange(first, CODER))
  return {
    txn: String(payloadOf(first)['txn']),
    first,
    second,
    third: tokenOf(await coder.exchange(second, FILES)),
    beside,
    besideThird: tokenOf(await coder.exchange(beside, FILES)),
  }
}

const shown = (...tokens: readonly string[]): Promise<string[]> =>
  Promise.all(tokens.map(shownStatus))
const isActive = async (token: string): Promise<unknown> =>
  (await filesApi.introspect(token)).body['active']

describe('H04 middle cut', () => {
  test.each<[string, (tree: Tree) => Promise<Answer>, string]>([
    [
      'by researcher at its own place',
      async ({ txn }) =>
        (await clientOf(stage.researcher)).post(`tasks/${txn}/revoke`, {
          place: 'planner/researcher',
          reason: 'my key leaked',
        }),
      'invalid',
    ],
    [
      'by the opener at researcher’s place',
      async ({ txn }) =>
        (await clientOf(stage.planner)).post(`tasks/${txn}/revoke`, {
          place: 'planner/researcher',
          reason: 'misled',
        }),
      'invalid',
    ],
    // By the token alone the place lives on, and makes another.
    ['by researcher’s token (RFC 7009)', ({ second }) => stage.researcher.revoke(second), 'valid'],
  ])('H04 %s: the subtree dies, siblings live', async (_, cut, way) => {
    const { server, researcher, coder } = stage
    const tree = await grow()
    const { first, second, third, beside, besideThird } = tree
    expect((await cut(tree)).status).toBe(200)
    expect(await shown(first, second, third, beside, besideThird)).toEqual([
      'valid',
      'invalid',
      'invalid',
      'valid',
      'valid',
    ])
    expect(await isActive(third)).toBe(false)
    expect(await isActive(besideThird)).toBe(true)
    const gone = { reason: 'subject_token_revoked' } as const
    await expectRefusal(server, gone, () => coder.exchange(second, FILES))
    await expectRefusal(server, gone, () => researcher.exchange(second, CODER))
    await expectGranted(server, () => coder.exchange(beside, FILES))
    const back = (): Promise<Answer> => researcher.exchange(first, CODER)
    if (way === 'valid') await expectGranted(server, back)
    else await expectRefusal(server, { ...gone, guard: 'place_revoked' }, back)
  })
})

describe('H09 revocation as a weapon', () => {
  test('H09 of others’ tasks has no effect, answers as of none, and is on record', async () => {
    const { server, rogue, coder } = stage
    const { txn, third, beside } = await grow()
    const attackers: readonly (readonly [string, ManageClient])[] = [
      ['agent:rogue', await clientOf(rogue)],
      ['idp:bob', await personAt(server, 'bob')],
      ['idp:eve', await personAt(server, 'eve', { roles: ['policy_author'] })],
    ]
    const attempts: readonly (readonly [string, unknown])[] = [
      ['close', {}],
      ['revoke', { reason: 'x' }],
      ['revoke', { reason: 'x', place: 'planner' }],
      ['revoke', { reason: 'x', place: 'planner/researcher' }],
      ['revoke', { reason: 'x', place: 'planner/rogue' }],
    ]
    for (const [name, attacker] of attackers) {
      for (const [verb, body] of attempts) {
        const before = auditMark(server)
        const answer = await attacker.post(`tasks/${txn}/${verb}`, body)
        const none = await attacker.post(`tasks/${'x'.repeat(22)}/${verb}`, body)
        expect(answer.status).toBe(404)
        expect({ ...answer.body, error_ref: '' }).toEqual({ ...none.body, error_ref: '' })
        expect(auditSince(server, before)).toEqual([
          expect.objectContaining({
            event: 'task',
            outcome: 'refuse',
            reason: 'not_found',
            guard: 'task_of_others',
            author: name,
            txn,
          }),
          expect.objectContaining({ outcome: 'refuse', guard: 'task_unknown', author: name }),
        ])
      }
      expect((await attacker.get(`tasks/${txn}`)).status).toBe(404)
    }
    expect(await shown(third, beside)).toEqual(['valid', 'valid'])
    await expectGranted(server, () => coder.exchange(beside, FILES))
  })

  test('H09 an agent within takes out nothing above itself, beside itself, or the whole', async () => {
    const { server } = stage
    const { txn, third, besideThird } = await grow()
    const coder = await clientOf(stage.coder)
    for (const body of [{}, { place: 'planner' }, { place: 'planner/researcher' }]) {
      const answer = await coder.post(`tasks/${txn}/revoke`, { reason: 'x', ...body })
      expect(answer.status).toBe(404)
    }
    expect((await coder.post(`tasks/${txn}/close`)).status).toBe(404)
    expect((await coder.get(`tasks/${txn}`)).status).toBe(404)
    expect(await shown(third, besideThird)).toEqual(['valid', 'valid'])
    const before = auditMark(server)
    const own = { reason: 'x', place: 'planner/coder' }
    expect((await coder.post(`tasks/${txn}/revoke`, own)).status).toBe(200)
    expect(auditSince(server, before)).toMatchObject([
      { outcome: 'permit', author: 'agent:coder', place: 'planner/coder' },
    ])
    expect(await shown(third, besideThird)).toEqual(['valid', 'invalid'])
  })

  test('H09 RFC 7009 by anybody but the holder: 200, no effect, on record', async () => {
    const { server, rogue, researcher, coder } = stage
    const { second } = await grow()
    const globex = server.client('planner', 'globex')
    for (const client of [rogue, coder, filesApi, globex]) {
      const before = auditMark(server)
      const answer = await client.revoke(second)
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '' })
      expect(auditSince(server, before)).toMatchObject([{ event: 'revocation', outcome: 'refuse' }])
    }
    expect(await shown(second)).toEqual(['valid'])
    expect((await researcher.introspect(second)).body['active']).toBe(true)
  })

  test('H09 by the holder it holds for a token that has expired, too: 200, and on record', async () => {
    const { server, researcher } = stage
    const { second } = await grow()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 })
    try {
      const before = auditMark(server)
      const answer = await researcher.revoke(second)
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '' })
      expect(auditSince(server, before)).toMatchObject([
        { event: 'revocation', outcome: 'permit', jti: payloadOf(second)['jti'] },
      ])
    } finally {
      vi.useRealTimers()
    }
  })

  test('H09 a reviewer reads, and ends nothing; an agent reaches no revocation of many', async () => {
    const { server } = stage
    const { txn, third } = await grow()
    const reviewer = await personAt(server, 'eve', { roles: ['reviewer'] })
    expect((await reviewer.get(`tasks/${txn}`)).status).toBe(200)
    for (const [verb, body] of [
      ['close', {}],
      ['revoke', { reason: 'x' }],
      ['revoke', { reason: 'x', place: 'planner/researcher' }],
      ['resume', { reason: 'x' }],
    ] as const) {
      const answer = await reviewer.post(`tasks/${txn}/${verb}`, body)
      expect(answer.body).toMatchObject({ status: 403, reason: 'role_required' })
    }
    for (const role of ['reviewer', 'policy_author'] as const) {
      const person = await personOf(server, 'acme', role)
      const asked = { subject: 'alice', reason: 'x' }
      expect((await person.post('/tenants/acme/revocations', asked)).status).toBe(403)
    }
    expect(await shown(third)).toEqual(['valid'])
  })
})

describe('H10 what authority rests on ends', () => {
  const bobs = async (): Promise<string> =>
    tokenOf(await stage.planner.open(stage.server.idToken('bob'), { audience: 'researcher-a2a' }))

  test('H10 alice is disabled by a version: every task she roots dies, before the answer', async () => {
    const { server, researcher } = stage
    const one = await grow()
    const two = await grow()
    const other = await bobs()
    const before = auditMark(server)
    await apply(server, operator, {
      documents: ({ tenant }) => {
        tenant['disabled_subjects'] = ['mallory', 'alice']
      },
    })
    expect(await shown(one.third, two.first, other)).toEqual(['invalid', 'invalid', 'valid'])
    expect(await isActive(one.third)).toBe(false)
    await expectRefusal(server, { reason: 'task_ended' }, () => researcher.exchange(one.first))
    await expectGranted(server, () => researcher.exchange(other))
    expect(auditSince(server, before)).toContainEqual(
      expect.objectContaining({
        event: 'task',
        outcome: 'permit',
        action: 'reconcile_tasks',
        author: 'facts',
        subject: 'alice',
        ended_because: 'subject_disabled',
      }),
    )
    await apply(server, operator, {})
    // Enabled again she opens new ones; what was revoked stays so.
    expect(await shown(one.third)).toEqual(['invalid'])
    expect(await shown((await grow()).third)).toEqual(['valid'])
  })

  test('H10 her laptop is lost: the desk revokes what is done for her, once and on record', async () => {
    const { server } = stage
    const { third, first } = await grow()
    const other = await bobs()
    const desk = await personOf(server, 'acme', 'helpdesk')
    const before = auditMark(server)
    const reason = 'her laptop was lost'
    const answer = await desk.post('/tenants/acme/revocations', { subject: 'alice', reason })
    expect(answer.status, answer.text).toBe(200)
    expect(answer.body).toEqual({ id: expect.any(String), tasks: expect.any(Number), places: 0 })
    expect(answer.body['tasks']).toBeGreaterThan(0)
    expect(await shown(third, first, other)).toEqual(['invalid', 'invalid', 'valid'])
    expect(auditSince(server, before)).toEqual([
      expect.objectContaining({
        event: 'task',
        outcome: 'permit',
        action: 'revoke_everywhere',
        author: 'idp:dave',
        roles: ['helpdesk'],
        subject: 'alice',
        revocation: answer.body['id'],
        digests: { because: expect.stringMatching(/^sha-256:/) },
        tasks_reached: answer.body['tasks'],
        places_reached: 0,
      }),
    ])
    const again = await desk.post('/tenants/acme/revocations', { subject: 'alice', reason })
    expect(again.body).toMatchObject({ tasks: 0, places: 0 })
  })

  test('H10 a task type is dropped: its tasks die, others live', async () => {
    const { server, coder } = stage
    const { third } = await grow()
    const own = tokenOf(
      await stage.researcher.token({ grant_type: 'client_credentials', ...CODER }),
    )
    await apply(server, operator, {
      documents: ({ taskTypes }) => {
        taskTypes.task_types = taskTypes.task_types.filter(({ id }) => id !== 'own-work')
      },
    })
    expect(await shown(own, third)).toEqual(['invalid', 'valid'])
    await apply(server, operator, {})
    await expectRefusal(server, { reason: 'task_ended' }, () => coder.exchange(own, FILES))
  })

  test('H10 an agent, a subject or a type: exactly one, and a reason', async () => {
    for (const body of [
      {},
      { reason: 'x' },
      { agent: 'planner' },
      { agent: 'planner', subject: 'alice', reason: 'x' },
      { agent: 'planner', reason: '' },
      { agent: 'Planner', reason: 'x' },
      { agent: 'planner', reason: 'x', since: 1 },
    ]) {
      expect((await operator.post('/tenants/acme/revocations', body)).status).toBe(400)
    }
  })
})

describe('E09 with revocation', () => {
  test('E09 verifiers that ask nobody refuse what a disabled agent has, at its place and beneath', async () => {
    const { first, second, third, beside, besideThird } = await grow()
    const own = tokenOf(
      await stage.researcher.token({ grant_type: 'client_credentials', ...CODER }),
    )
    await setDisabled(operator, 'researcher', true)
    expect(await shown(first, second, third, own, beside, besideThird)).toEqual([
      'valid',
      'invalid',
      'invalid',
      'invalid',
      'valid',
      'valid',
    ])
    await setDisabled(operator, 'researcher', false)
    expect(await shown(second, own)).toEqual(['invalid', 'invalid'])
  })

  test('E09 so does a version that disables it or leaves it out', async () => {
    const changes: readonly ((agents: Record<string, unknown>[]) => void)[] = [
      (agents) => void (find(agents, 'researcher')['disabled'] = true),
      (agents) => void (find(agents, 'researcher')['expires'] = '2020-01-01T00:00:00Z'),
    ]
    for (const change of changes) {
      const { third, besideThird } = await grow()
      await apply(stage.server, operator, { documents: ({ agents }) => change(agents.agents) })
      expect(await shown(third, besideThird)).toEqual(['invalid', 'valid'])
      await apply(stage.server, operator, {})
    }
  })

  test('E09 its management token is good for nothing from the next request on', async () => {
    const { txn } = await grow()
    const researcher = await clientOf(stage.researcher)
    const asked = { place: 'planner/researcher', reason: 'x' }
    await setDisabled(operator, 'researcher', true)
    const answer = await researcher.post(`tasks/${txn}/revoke`, asked)
    expect(answer.body).toMatchObject({ status: 401, reason: 'token_unacceptable' })
    await setDisabled(operator, 'researcher', false)
    expect((await researcher.post(`tasks/${txn}/revoke`, asked)).status).toBe(200)
  })
})

describe('a start', () => {
  /** Until it is so; throws when that takes too long. */
  async function until(holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 20_000
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error('it did not come about')
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  test('does what the facts say, and what was begun', async () => {
    const own = await setStage()
    try {
      const { server, planner, researcher } = own
      const first = await own.first()
      const second = tokenOf(await researcher.exchange(first, CODER))
      const bobs = tokenOf(await planner.open(server.idToken('bob'), CODER))
      // The folder is live: nothing was applied to this server. It is changed while the server is down.
      await server.stop()
      server.rewrite('acme', ({ agents }) => {
        find(agents.agents, 'researcher')['disabled'] = true
      })
      // Nor was this finished when it went down.
      const begun = await openEmbeddedStore({
        dataFolder: server.config.dataFolder,
        clock: { now: epoch },
      })
      const ending = { at: epoch(), by: 'idp:dave', reason: 'his laptop was lost' }
      const scope = { kind: 'subject', id: 'bob' } as const
      await begun.tasks.beginRevocation('acme', { id: 'begun', scope, ending })
      await begun.close()
      await server.start()
      await until(async () => (await shownStatus(second)) === 'invalid')
      await until(async () => (await shownStatus(bobs)) === 'invalid')
      expect(await shown(first)).toEqual(['valid'])
      expect(server.audit()).toContainEqual(
        expect.objectContaining({
          action: 'resume_revocation',
          author: 'idp:dave',
          subject: 'bob',
          revocation: 'begun',
          digests: { because: expect.stringMatching(/^sha-256:/) },
          tasks_reached: 1,
        }),
      )
      await until(async () => server.audit().some(({ action }) => action === 'reconcile_tasks'))
      expect(server.audit()).toContainEqual(
        expect.objectContaining({
          action: 'reconcile_tasks',
          author: 'facts',
          agent: 'researcher',
          ended_because: 'agent_inactive',
        }),
      )
      const manage = await operatorAt(server)
      const { body } = await manage.get(`tasks/${String(payloadOf(first)['txn'])}`)
      expect(body['places']).toContainEqual(
        expect.objectContaining({
          place: ['planner', 'researcher'],
          revoked: { at: expect.any(String), by: 'facts', reason: 'agent_inactive' },
        }),
      )
    } finally {
      await own.close()
    }
  })
})
