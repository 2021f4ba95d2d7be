/**
 * Attack cases H: security events as a weapon, and what others are told when a node dies. A transmitter is trusted for the
 * subjects of one issuer and for nothing else.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operatorOf } from '../support/admin-client.ts'
import type { Answer } from '../support/agent-client.ts'
import { CAEP, type EventStage, poll, setEventStage } from '../support/event-stage.ts'
import { type ManageClient, operatorAt } from '../support/manage-client.ts'
import { epoch, newKey, payloadOf, signJwt } from '../support/signing.ts'
import { tokenOf } from './fixture.ts'
import { apply } from './live.ts'
import { auditMark, auditSince } from './refusal.ts'
import { startSecondNode } from './second-node.ts'

const PARTNER = 'https://partner.example'
const partnerKey = newKey('partner-1')

let stage: EventStage
let operator: ManageClient
beforeAll(async () => {
  stage = await setEventStage(({ tenant, agents, taskTypes }) => {
    const issuers = tenant['trusted_issuers'] as Record<string, unknown>[]
    issuers.push({
      id: 'partner',
      issuer: PARTNER,
      jwks: { keys: [partnerKey.publicJwk] },
      subject_prefix: 'partner:',
    })
    for (const agent of agents.agents) {
      Object.assign(agent['issuer_clients'] as object, { partner: agent['id'] })
    }
    for (const work of taskTypes.task_types) work['subjects_from'] = ['idp', 'partner']
    taskTypes.task_types.push({
      id: 'own-work',
      basis: 'client',
      openers: ['planner'],
      scopes: ['files:read'],
      reach: ['files-api'],
    })
  })
  operator = await operatorAt(stage.server)
})
afterAll(() => stage.close())

const FORM = { audience: 'researcher-a2a', scope: 'files:read', task_type: 'file-work' }

async function open(user = 'alice'): Promise<string> {
  const { server } = stage
  return tokenOf(await server.client('planner').open(server.idToken(user), FORM))
}

async function isLive(token: string): Promise<unknown> {
  return (await stage.server.client('researcher').introspect(token)).body['active']
}

const subjectId = (sub: string, iss = 'https://idp.example') => ({
  sub_id: { format: 'iss_sub', iss, sub },
})

describe('H09: a transmitter speaks of whom it is not trusted for', () => {
  test('another issuer’s subject, by name and by prefix', async () => {
    const claims = { iss: PARTNER, sub: 'alice', aud: 'planner', iat: epoch(), exp: epoch() + 600 }
    const header = { alg: 'ES256', kid: 'partner-1', typ: 'JWT' }
    const idToken = signJwt(partnerKey, header, claims)
    const token = tokenOf(await stage.server.client('planner').open(idToken, FORM))
    expect(payloadOf(token)['sub']).toBe('partner:alice')
    for (const spoken of [subjectId('alice', PARTNER), subjectId('partner:alice')]) {
      const before = auditMark(stage.server)
      expect((await stage.send(stage.event(spoken))).status).toBe(202)
      const entries = auditSince(stage.server, before)
      expect(entries).toMatchObject([{ guard: 'subject_of_others', author: 'transmitter:hr' }])
    }
    expect(await isLive(token)).toBe(true)
  })

  test('an agent on its own behalf', async () => {
    const planner = stage.server.client('planner')
    const form = { grant_type: 'client_credentials', task_type: 'own-work' }
    const token = tokenOf(await planner.token(form))
    for (const spoken of [subjectId('planner'), subjectId('planner', stage.server.issuer())]) {
      expect((await stage.send(stage.event(spoken))).status).toBe(202)
    }
    const next = { resource: 'https://files.api', scope: 'files:read' }
    expect((await planner.exchange(token, next)).status).toBe(200)
  })

  test('in the name of another tenant’s transmitter', async () => {
    const token = await open()
    const foreign = stage.event({ aud: stage.server.issuer('globex') })
    expect((await stage.send(foreign)).status).toBe(400)
    expect(await isLive(token)).toBe(true)
    expect((await stage.send(foreign, { tenant: 'globex' })).status).toBe(202)
    expect(await isLive(token)).toBe(true)
  })

  test('once it is trusted no more', async () => {
    const token = await open()
    const admin = await operatorOf(stage.server)
    const kept = stage.server
    await apply(kept, admin, {
      documents: ({ tenant }) => {
        tenant['event_transmitters'] = []
      },
    })
    expect((await stage.send(stage.event())).status).toBe(404)
    expect(await isLive(token)).toBe(true)
    await apply(kept, admin, {})
    expect((await stage.send(stage.event())).status).toBe(202)
    expect(await isLive(token)).toBe(false)
  })
})

test('M03: who cannot sign uses up no event', async () => {
  const token = await open()
  const claims = payloadOf(stage.event())
  const header = { alg: 'ES256', kid: 'hr-1', typ: 'secevent+jwt' }
  const forged = signJwt(newKey('hr-1'), header, claims)
  expect((await stage.send(forged)).body['err']).toBe('invalid_key')
  expect(await isLive(token)).toBe(true)
  expect((await stage.send(signJwt(stage.hrKey, header, claims))).status).toBe(202)
  expect(await isLive(token)).toBe(false)
})

test('H10: the identity provider disables alice: everything she roots is over, at every node', async () => {
  const node = await startSecondNode(stage.server)
  try {
    const tokens = [await open(), await open(), await open()]
    const bobs = await open('bob')
    const disabled = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled'
    expect((await stage.send(stage.event({ events: { [disabled]: {} } }))).status).toBe(202)
    for (const token of tokens) {
      const { txn } = payloadOf(token)
      expect((await operator.at(node.origin).get(`tasks/${String(txn)}`)).body['state']).toBe(
        'revoked',
      )
      expect(await isLive(token)).toBe(false)
    }
    expect(await isLive(bobs)).toBe(true)
  } finally {
    await node.close()
  }
})

describe('a node is killed', () => {
  const ROUNDS = 2

  test('no receiver misses what was acknowledged', async () => {
    const siem = await stage.receiver('siem')
    const id = await stage.stream(siem)
    const acknowledged: string[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const node = await startSecondNode(stage.server)
      const there = operator.at(node.origin)
      const txns: string[] = []
      for (let n = 0; n < 6; n += 1) txns.push(String(payloadOf(await open(`user${n}`))['txn']))
      let answered = 0
      const wanted = acknowledged.length + 1 + round
      const revoked = txns.map(async (txn) => {
        const answer: Answer | undefined = await there
          .post(`tasks/${txn}/revoke`, { reason: 'looked wrong' })
          .catch(() => undefined)
        answered += 1
        if (answer?.status === 200) acknowledged.push(txn)
      })
      while (acknowledged.length < wanted && answered < txns.length) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      await node.kill()
      await Promise.all(revoked)
    }
    const told = new Set<unknown>()
    for (let more = true, ack: readonly string[] = []; more; ) {
      const polled = await poll(siem, id, { ack })
      for (const token of polled.tokens) {
        const { txn, events } = payloadOf(token)
        expect(Object.keys(events)).toEqual([`${CAEP}/session-revoked`])
        told.add(txn)
      }
      ack = polled.jtis
      more = polled.jtis.length > 0
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS)
    expect(acknowledged.filter((txn) => !told.has(txn))).toEqual([])
  })

  test('and an event it was dealing with is dealt with when it comes again', async () => {
    const { server } = stage
    const node = await startSecondNode(server)
    const tokens = [await open(), await open()]
    const event = stage.event()
    const sent = fetch(`${node.origin}/t/acme/ssf/receive/hr`, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt' },
      body: event,
    }).then(
      ({ status }) => status,
      () => undefined,
    )
    await node.kill()
    await sent
    expect((await stage.send(event)).status).toBe(202)
    for (const token of tokens) expect(await isLive(token)).toBe(false)
  })
})
