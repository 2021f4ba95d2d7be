/** Threat F05: whatever belongs to another tenant is not there, whether it exists or not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdminClient, operatorOf, personOf, tenantFiles } from '../support/admin-client.ts'
import type { Answer } from '../support/agent-client.ts'
import { type Stage, setStage } from './fixture.ts'

let stage: Stage
let dave: AdminClient
let theirs: string
beforeAll(async () => {
  stage = await setStage()
  dave = await personOf(stage.server, 'acme', 'admin')
  const operator = await operatorOf(stage.server)
  const files = tenantFiles(stage.server, 'globex', ({ tenant }) => {
    tenant['display_name'] = 'Globex'
  })
  const { body } = await operator.post('/tenants/globex/versions', { files })
  theirs = String(body['version'])
})
afterAll(() => stage.close())

const REQUESTS: readonly [method: string, path: string, body?: unknown][] = [
  ['GET', ''],
  ['GET', '/versions'],
  ['GET', '/versions?limit=1'],
  ['GET', '/versions/live'],
  ['GET', '/versions/{version}'],
  ['POST', '/versions', { files: {} }],
  ['POST', '/versions/{version}/activate'],
  ['GET', '/agents'],
  ['GET', '/agents/planner'],
  ['PUT', '/agents/planner', { disabled: true }],
  ['PUT', '/agents/planner', { disabled: 'x' }],
  ['GET', '/usage'],
  ['GET', '/usage?days=1'],
  ['GET', '/keys'],
  ['POST', '/keys/kill', { kid: 'AAAAAAAA', reason: 'stolen' }],
  ['POST', '/explain', { actors: ['planner'], resource: 'files-api' }],
]

function comparable({ status, body, headers }: Answer) {
  const { error_ref: _, ...rest } = body
  return { status, rest, etag: headers.get('etag') }
}

describe('F05 object by id', () => {
  test.each(REQUESTS)(
    'F05 %s of another tenant%s answers as of none',
    async (method, path, body) => {
      const at = (tenant: string): Promise<Answer> => {
        const headers = { 'if-match': `"${theirs}"` }
        const filled = path.replace('{version}', theirs)
        return dave.send(method, `/tenants/${tenant}${filled}`, { headers, body })
      }
      const answer = comparable(await at('globex'))
      expect(answer.status).toBe(404)
      expect(answer).toEqual(comparable(await at('nobody')))
    },
  )

  test('F05 a version of another tenant is unknown in one’s own, and so is its cursor', async () => {
    const own = await dave.get('/tenants/acme')
    const live = String(own.body['version'])
    expect((await dave.get(`/tenants/acme/versions/${theirs}`)).status).toBe(404)
    expect((await dave.activate('acme', theirs, live)).status).toBe(404)
    const cursor = await dave.get(`/tenants/acme/versions?cursor=${theirs}`)
    expect(cursor.status).toBe(400)
    const unknown = await dave.get(`/tenants/acme/versions?cursor=${'0'.repeat(64)}`)
    expect(comparable(cursor)).toEqual(comparable(unknown))
  })

  test('F05 a list has one’s own tenant alone', async () => {
    const { body } = await dave.get('/tenants')
    expect((body['items'] as { id: string }[]).map(({ id }) => id)).toEqual(['acme'])
    expect((await dave.get('/tenants?cursor=globex')).status).toBe(400)
  })

  test('F05 the operator’s requests show that the same paths lead somewhere', async () => {
    const operator = await operatorOf(stage.server)
    for (const [method, path] of REQUESTS.filter(([verb]) => verb === 'GET')) {
      const answer = await operator.send(
        method,
        `/tenants/globex${path.replace('{version}', theirs)}`,
      )
      expect(answer.status).toBe(200)
    }
  })

  test('F05 a person of one tenant signs in at no other', async () => {
    const { token } = await personOf(stage.server, 'globex', 'admin')
    const forged = Object.assign(await personOf(stage.server, 'acme', 'admin'), { token })
    expect((await forged.get('/tenants/globex')).status).toBe(401)
  })
})
