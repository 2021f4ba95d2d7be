/** Threat D07: nobody gives a task more time, or opens it again; a suspended one is not let go on by whoever works in it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantRoles } from '../support/admin-client.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { clientOf, type ManageClient, operatorAt, personAt } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'
import { tokenOf } from './fixture.ts'
import { expectGranted, expectRefusal, expectRefused } from './refusal.ts'
import { shownStatus } from './shown-status.ts'

let server: TestServer
/** One client, with the one key its tokens are bound to. */
let opener: AgentClient
let planner: ManageClient
let alice: ManageClient
let operator: ManageClient
beforeAll(async () => {
  server = await startAuthorizationServer({
    tenants: {
      acme: (documents) => {
        grantRoles(documents)
        const [fileWork] = documents.taskTypes.task_types
        // Its own opener may do a little, and then it is stopped.
        Object.assign(fileWork ?? {}, {
          triggers: [{ on: 'exchanges', more_than: 2, within: '1h', then: 'suspend' }],
        })
      },
    },
  })
  opener = server.client('planner')
  planner = await clientOf(opener)
  alice = await personAt(server, 'alice')
  operator = await operatorAt(server)
})
afterAll(() => server.close())

const open = async (): Promise<{ readonly token: string; readonly txn: string }> => {
  const form = { audience: 'researcher-a2a' }
  const token = tokenOf(await opener.open(server.idToken(), form))
  return { token, txn: String(payloadOf(token)['txn']) }
}

describe('D07 self-service extension', () => {
  test('D07 no member of any body moves a deadline, and no other method is one', async () => {
    const { txn } = await open()
    const { deadline } = (await planner.get(`tasks/${txn}`)).body
    const more = { deadline: '2099-01-01T00:00:00Z' }
    for (const client of [planner, alice, operator]) {
      for (const [verb, body] of [
        ['close', more],
        ['revoke', { reason: 'x', ...more }],
        ['close', { state: 'open' }],
        ['close', { lifetime: '8h' }],
      ] as const) {
        const answer = await client.post(`tasks/${txn}/${verb}`, body)
        expect(answer.body).toMatchObject({ status: 400, reason: 'request_malformed' })
      }
      for (const method of ['PUT', 'PATCH', 'POST', 'DELETE']) {
        const answer = await client.send(method, `tasks/${txn}`, { body: more })
        expect(answer.status).toBe(405)
        expect(answer.headers.get('allow')).toBe('GET')
      }
      expect((await client.post(`tasks/${txn}/reopen`)).status).toBe(404)
    }
    expect((await planner.get(`tasks/${txn}`)).body).toMatchObject({ deadline, state: 'open' })
  })

  test('D07 a closed task is not opened again by anybody', async () => {
    const researcher = server.client('researcher')
    const { token, txn } = await open()
    expect((await planner.post(`tasks/${txn}/close`)).status).toBe(200)
    const reason = { reason: 'one more thing' }
    for (const client of [planner, alice]) {
      expect((await client.post(`tasks/${txn}/resume`, reason)).status).toBe(403)
    }
    expect((await operator.post(`tasks/${txn}/resume`, reason)).body).toMatchObject({
      status: 409,
      reason: 'task_over',
    })
    await expectRefusal(server, { reason: 'task_ended' }, () => researcher.exchange(token))
    await expectRefusal(server, { reason: 'task_ended' }, () =>
      opener.exchange(token, { audience: 'researcher-a2a' }),
    )
    expect(await shownStatus(token)).toBe('invalid')
  })

  test('D07 a suspended task goes on by the desk’s word alone, until the deadline it had', async () => {
    const researcher = server.client('researcher')
    const { token, txn } = await open()
    const { deadline } = (await planner.get(`tasks/${txn}`)).body
    const coder = { audience: 'coder-a2a', scope: 'files:read' }
    const second = tokenOf(await researcher.exchange(token, coder))
    await researcher.exchange(token, coder)
    expectRefused(await researcher.exchange(token, coder), 'task_suspended')
    expect(await shownStatus(second)).toBe('suspended')
    expect((await researcher.introspect(second)).text).toBe('{"active":false}')
    const { body } = await planner.get(`tasks/${txn}`)
    expect(body).toMatchObject({ state: 'suspended', ending: { by: 'trigger' } })
    const tokens = (body['places'] as { tokens: { state: string }[] }[]).flatMap((at) => at.tokens)
    expect(new Set(tokens.map(({ state }) => state))).toEqual(new Set(['suspended']))
    const asked = { reason: 'it was me' }
    for (const client of [planner, alice, await clientOf(researcher)]) {
      expect((await client.post(`tasks/${txn}/resume`, asked)).status).toBe(403)
    }
    await expectRefusal(server, { reason: 'task_suspended' }, () =>
      researcher.exchange(token, coder),
    )
    const desk = await personAt(server, 'dave', { roles: ['helpdesk'] })
    const resumed = await desk.post(`tasks/${txn}/resume`, { reason: 'a false alarm' })
    expect(resumed.body).toEqual({ txn, state: 'open', resumed_at: expect.any(String) })
    expect(await shownStatus(second)).toBe('valid')
    expect((await planner.get(`tasks/${txn}`)).body).toMatchObject({ state: 'open', deadline })
    const claims = await expectGranted(server, () => researcher.exchange(token, coder))
    expect(claims['exp'] * 1000).toBeLessThanOrEqual(Date.parse(String(deadline)))
  })
})
