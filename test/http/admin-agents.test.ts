/** Agents over the management API: read, disabled and enabled by hand, in the middle of chains too. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SecondNode, startSecondNode } from '../attacks/second-node.ts'
import { type AdminClient, grantRoles, operatorOf, tenantFiles } from '../support/admin-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'

let server: TestServer
let operator: AdminClient
let node: SecondNode
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: grantRoles } })
  node = await startSecondNode(server)
  operator = await operatorOf(server)
})
afterAll(async () => {
  await node.close()
  await server.close()
})

const path = (agent: string): string => `/tenants/acme/agents/${agent}`

/** planner, researcher, coder: the token coder holds. */
async function chain(): Promise<string> {
  const planner = server.client('planner')
  const researcher = server.client('researcher')
  const scope = 'files:read'
  const one = await planner.open(server.idToken(), { audience: 'researcher-a2a', scope })
  const two = await researcher.exchange(String(one.body['access_token']), { audience: 'coder-a2a' })
  expect(two.status, two.text).toBe(200)
  return String(two.body['access_token'])
}

describe('an agent', () => {
  test('is read with what it may', async () => {
    const { body, headers, status } = await operator.get(path('researcher'))
    expect(status).toBe(200)
    expect(body).toEqual({
      id: 'researcher',
      owner: 'team@acme.example',
      class: 'retrieval',
      scopes: ['files:read', 'files:write', 'mail:send'],
      may_reach: ['coder-a2a', 'files-api', 'mail-api'],
      home: 'researcher-a2a',
      binding: 'dpop',
      disabled: false,
      disabled_by_hand: false,
    })
    expect(headers.get('etag')).toMatch(/^"\d+"$/)
  })

  test('is listed page by page', async () => {
    const ids: unknown[] = []
    let cursor = ''
    do {
      const query = cursor === '' ? '' : `&cursor=${cursor}`
      const { body } = await operator.get(`/tenants/acme/agents?limit=3${query}`)
      ids.push(...(body['items'] as { id: string }[]).map(({ id }) => id))
      cursor = String(body['next_cursor'] ?? '')
    } while (cursor !== '')
    expect(ids).toEqual(['coder', 'planner', 'researcher', 'rogue'])
  })

  test('that nobody knows is not found, and cannot be disabled', async () => {
    expect((await operator.get(path('nobody'))).status).toBe(404)
    expect((await operator.put(path('nobody'), { disabled: true })).status).toBe(404)
  })
})

describe('disabling', () => {
  test('E09 disabled at one node, an agent in the middle of a chain ends it at every node, at once', async () => {
    const coder = server.client('coder')
    const held = await chain()
    expect((await coder.exchange(held, { audience: 'files-api' })).status).toBe(200)
    const there = await operatorOf(server, node.origin)
    const disabled = await there.put(path('researcher'), { disabled: true })
    expect(disabled.body).toMatchObject({ disabled: true, disabled_by_hand: true })
    const answer = await coder.exchange(held, { audience: 'files-api' })
    expect(answer.body).toMatchObject({ reason: 'subject_token_revoked' })
    const own = await server.client('researcher').exchange(held)
    expect(own.body).toMatchObject({ error: 'invalid_client' })
    expect(server.audit()).toContainEqual(
      expect.objectContaining({
        event: 'management',
        outcome: 'permit',
        action: 'disable_agent',
        agent: 'researcher',
        author: 'operator',
        roles: ['operator'],
        ended_because: 'the agent was disabled',
        tasks_reached: 0,
        places_reached: 1,
      }),
    )
    // No version lifts it.
    const before = String((await operator.get('/tenants/acme')).body['version'])
    const files = tenantFiles(server, 'acme', ({ agents }) => {
      for (const agent of agents.agents) agent['purpose'] = 'the same as ever'
    })
    const added = await operator.post('/tenants/acme/versions', { files })
    expect((await operator.activate('acme', String(added.body['version']), before)).status).toBe(
      200,
    )
    expect((await operator.get(path('researcher'))).body['disabled']).toBe(true)
    expect((await coder.exchange(held, { audience: 'files-api' })).body).toMatchObject({
      reason: 'subject_token_revoked',
    })
    expect((await operator.put(path('researcher'), { disabled: false })).status).toBe(200)
    // What was revoked stays so; it works again in what is opened from now on.
    expect((await coder.exchange(held, { audience: 'files-api' })).body).toMatchObject({
      reason: 'subject_token_revoked',
    })
    expect((await coder.exchange(await chain(), { audience: 'files-api' })).status).toBe(200)
  })

  test('if the state is the one that was read', async () => {
    const tag = String((await operator.get(path('rogue'))).headers.get('etag'))
    const change = { headers: { 'if-match': tag } }
    const done = await operator.put(path('rogue'), { disabled: true }, change)
    expect(done.status).toBe(200)
    expect(done.headers.get('etag')).not.toBe(tag)
    const late = await operator.put(path('rogue'), { disabled: false }, change)
    expect(late.status).toBe(412)
    const other = { headers: { 'if-match': '"none"' } }
    expect((await operator.put(path('rogue'), { disabled: false }, other)).status).toBe(412)
    expect((await operator.get(path('rogue'))).body['disabled']).toBe(true)
  })

  test('survives a restart', async () => {
    await operator.put(path('coder'), { disabled: true })
    await server.stop()
    await server.start()
    operator = await operatorOf(server)
    expect((await operator.get(path('coder'))).body).toMatchObject({ disabled_by_hand: true })
    await operator.put(path('coder'), { disabled: false })
  })
})

describe('explain', () => {
  test('says why, by what is live', async () => {
    const asked = {
      subject: 'alice',
      actors: ['planner'],
      resource: 'files-api',
      scope: ['files:read'],
    }
    const { status, body } = await operator.post('/tenants/acme/explain', asked)
    expect(status).toBe(200)
    expect(body).toMatchObject({ decision: 'permit', tenant: 'acme', granted: ['files:read'] })
    await operator.put(path('planner'), { disabled: true })
    const refused = await operator.post('/tenants/acme/explain', asked)
    expect(refused.body).toMatchObject({ decision: 'refuse' })
    await operator.put(path('planner'), { disabled: false })
  })

  test('takes the members of a test case, and no others', async () => {
    const asked = {
      subject: 'alice',
      from: 'idp',
      actors: ['planner'],
      task_type: 'file-work',
      resource: 'files-api',
      purpose: 'reconcile',
      key: 'dpop',
      at: '2026-11-22T09:00:00Z',
    }
    const ask = (more: object) => operator.post('/tenants/acme/explain', { ...asked, ...more })
    expect((await ask({})).body).toMatchObject({ decision: 'permit' })
    expect((await ask({ from: 'partner' })).body).toMatchObject({
      decision: 'refuse',
      guard: 'caller_unknown_at_issuer',
    })
    for (const wrong of [{ issuer: 'idp' }, { now: asked.at }, { at: 'today' }]) {
      expect((await ask(wrong)).status).toBe(400)
    }
  })

  test('hands on along the chain what the last one needs', async () => {
    const asked = {
      subject: 'alice',
      actors: ['planner', 'researcher'],
      resource: 'files-api',
      scope: ['files:read'],
    }
    const { body } = await operator.post('/tenants/acme/explain', asked)
    expect(body).toMatchObject({ decision: 'permit' })
    const rules = body['rules'] as readonly { at: string; scope?: string }[]
    expect(rules.map(({ at, scope }) => [at, scope])).toEqual([
      ['open', undefined],
      ['planner > researcher-a2a', 'files:read'],
      ['researcher > files-api', 'files:read'],
    ])
  })
})
