/** Threat F05 for tasks: what belongs to another tenant is not there, by id, by filter, by cursor, or by another tenant's token. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { personOf } from '../support/admin-client.ts'
import type { Answer } from '../support/agent-client.ts'
import {
  clientOf,
  type ManageClient,
  operatorAt,
  personAt,
  presenting,
} from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { shownStatus } from './shown-status.ts'

let stage: Stage
/** Of acme: everybody who could want something of globex. */
let ours: readonly (readonly [string, ManageClient])[]
let theirs: string
let their: string
let own: string
beforeAll(async () => {
  stage = await setStage()
  const { server } = stage
  ours = [
    ['an admin', await personAt(server, 'dave', { roles: ['admin'] })],
    ['the subject of both', await personAt(server, 'alice')],
    ['an agent of the same name', await clientOf(stage.planner)],
    ['the operator, with a token for acme', await operatorAt(server)],
  ]
  const globex = server.client('planner', 'globex')
  const form = { audience: 'researcher-a2a', scope: 'files:read' }
  their = tokenOf(await globex.open(server.idToken(), form))
  theirs = String(payloadOf(their)['txn'])
  own = String(payloadOf(await stage.first())['txn'])
})
afterAll(() => stage.close())

const NOBODYS = 'x'.repeat(22)

const REQUESTS: readonly [method: string, path: string, body?: unknown][] = [
  ['GET', 'tasks/{txn}'],
  ['POST', 'tasks/{txn}/close', {}],
  ['POST', 'tasks/{txn}/revoke', { reason: 'x' }],
  ['POST', 'tasks/{txn}/revoke', { reason: 'x', place: 'planner' }],
  ['POST', 'tasks/{txn}/resume', { reason: 'x' }],
]

function comparable({ status, body, headers }: Answer) {
  const { error_ref: _, ...rest } = body
  return { status, rest, challenge: headers.get('www-authenticate') }
}

/** The same holder, at another tenant. */
function at(tenant: string, { token, key }: ManageClient): ManageClient {
  return presenting(stage.server.issuer(tenant), token, key)
}

describe('F05 tasks of another tenant', () => {
  test.each(REQUESTS)(
    'F05 %s %s: by id, in one’s own tenant, they are not there',
    async (method, path, body) => {
      for (const [, client] of ours) {
        const ask = (txn: string): Promise<Answer> =>
          client.send(method, path.replace('{txn}', txn), body === undefined ? {} : { body })
        const answer = comparable(await ask(theirs))
        expect([403, 404]).toContain(answer.status)
        expect(answer).toEqual(comparable(await ask(NOBODYS)))
      }
    },
  )

  test.each<[method: string, path: string, body?: unknown]>([...REQUESTS, ['GET', 'tasks']])(
    'F05 %s %s: at the other tenant a token is as good as at none',
    async (method, path, body) => {
      for (const [, client] of ours) {
        const ask = (tenant: string): Promise<Answer> =>
          at(tenant, client).send(
            method,
            path.replace('{txn}', theirs),
            body === undefined ? {} : { body },
          )
        const answer = comparable(await ask('globex'))
        expect(answer).toMatchObject({ status: 401, rest: { reason: 'token_unacceptable' } })
        expect(answer).toEqual(comparable(await ask('nobody')))
      }
    },
  )

  test('F05 nothing of it happened', async () => {
    expect(await shownStatus(their)).toBe('valid')
    const operator = await operatorAt(stage.server, 'globex')
    expect((await operator.get(`tasks/${theirs}`)).body).toMatchObject({
      state: 'open',
      txn: theirs,
    })
  })

  test('F05 lists, filters and cursors find one’s own alone', async () => {
    const { server } = stage
    const globex = await operatorAt(server, 'globex')
    await server.client('planner', 'globex').open(server.idToken(), { audience: 'researcher-a2a' })
    const page = await globex.get('tasks?limit=1')
    const cursor = String(page.body['next_cursor'])
    for (const [who, client] of ours) {
      for (const query of ['', '?agent=planner', '?subject=alice', `?cursor=${cursor}`]) {
        const answer = await client.get(`tasks${query}`)
        expect([who, query, answer.status]).toEqual([who, query, 200])
        expect(answer.text).not.toContain(theirs)
        expect((answer.body['items'] as { txn: string }[]).every(({ txn }) => txn === own)).toBe(
          true,
        )
      }
    }
  })

  test('F05 revocations of many reach one’s own tenant alone', async () => {
    const { server } = stage
    const admin = await personOf(server, 'acme', 'admin')
    const body = { agent: 'planner', reason: 'x' }
    const answer = await admin.post('/tenants/globex/revocations', body)
    expect(answer.status).toBe(404)
    expect(comparable(answer)).toEqual(
      comparable(await admin.post('/tenants/nobody/revocations', body)),
    )
    expect((await admin.post('/tenants/acme/revocations', body)).body['tasks']).toBeGreaterThan(0)
    expect(await shownStatus(their)).toBe('valid')
  })

  test('F05 a path of another spelling is nobody’s', async () => {
    const { publicUrl } = stage.server.config
    const [, dave] = ours[0] ?? []
    if (dave === undefined) throw new Error('nobody is signed in')
    for (const path of [
      `/t/acme/tasks/${own}/`,
      `/t/acme/tasks/`,
      `/t/acme/tasks//${own}`,
      `/t/acme/tasks/${own}/reopen`,
      `/t/acme/tasks/${own.slice(1)}`,
      `/t/acme//tasks`,
      `/t/ACME/tasks`,
      `/t/acme/tasks%2f${own}`,
      `/t/acme/tasksx`,
    ]) {
      const response = await fetch(`${publicUrl}${path}`, {
        headers: {
          authorization: `DPoP ${dave.token}`,
          dpop: dave.proof('GET', `${publicUrl}${path}`),
        },
      })
      expect([path, response.status]).toEqual([path, 404])
    }
  })
})
