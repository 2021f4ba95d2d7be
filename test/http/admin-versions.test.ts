/** A tenant's versions over the management API: added, made live, seen by every node, and what keeps a bad one out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postForm, type SecondNode, startSecondNode } from '../attacks/second-node.ts'
import {
  type AdminClient,
  grantRoles,
  operatorOf,
  personOf,
  tenantFiles,
} from '../support/admin-client.ts'
import { type Answer, ASSERTION_TYPE } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'

const OPEN = { audience: 'files-api', scope: 'files:read' }
const VERSION = /^[0-9a-f]{64}$/

let server: TestServer
let operator: AdminClient
let node: SecondNode
beforeAll(async () => {
  server = await startAuthorizationServer({
    tenants: { acme: grantRoles, globex: grantRoles, initech: grantRoles },
  })
  node = await startSecondNode(server)
  operator = await operatorOf(server)
})
afterAll(async () => {
  await node.close()
  await server.close()
})

const lifetimes = (minutes: number) => (documents: TenantDocuments) => {
  const [type] = documents.taskTypes.task_types
  if (type !== undefined) type['lifetime'] = `${minutes}m`
}

const withoutFiles = ({ taskTypes }: TenantDocuments): void => {
  const [type] = taskTypes.task_types
  if (type !== undefined) type['scopes'] = ['mail:send']
}

async function add(tenant: string, change: (documents: TenantDocuments) => void): Promise<string> {
  const files = tenantFiles(server, tenant, change)
  const answer = await operator.post(`/tenants/${tenant}/versions`, { files })
  expect([200, 201], answer.text).toContain(answer.status)
  return String(answer.body['version'])
}

async function live(tenant: string): Promise<string> {
  return String((await operator.get(`/tenants/${tenant}`)).body['version'])
}

/** The root exchange of alice's planner, at the second node. */
async function openAtNode(tenant: string): Promise<Answer> {
  const planner = server.client('planner', tenant)
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: server.idToken(),
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: planner.assertion(),
    ...OPEN,
  }
  return postForm(`${node.origin}/t/${tenant}/token`, form, { dpop: planner.proof() })
}

describe('a version', () => {
  test('is added, made live, and obeyed by the next exchange on another node', async () => {
    const before = await live('acme')
    expect((await openAtNode('acme')).status).toBe(200)
    const files = tenantFiles(server, 'acme', withoutFiles)
    const added = await operator.post('/tenants/acme/versions', {
      files,
      note: 'no files any more',
    })
    expect({ status: added.status, body: added.body }).toEqual({
      status: 201,
      body: { version: expect.stringMatching(VERSION), warnings: [] },
    })
    const version = String(added.body['version'])
    expect(added.headers.get('location')).toBe(
      `${server.config.publicUrl}/admin/v1/tenants/acme/versions/${version}`,
    )
    // Added is not live.
    expect((await openAtNode('acme')).status).toBe(200)
    const activated = await operator.activate('acme', version, before)
    expect(activated.status, activated.text).toBe(200)
    expect(activated.body).toMatchObject({ version, previous: before })
    expect(activated.body['changes']).toEqual([expect.stringContaining('task-types.yaml')])
    expect((await openAtNode('acme')).body).toMatchObject({ reason: 'scope_not_permitted' })
    const here = await server.client('planner').open(server.idToken(), OPEN)
    expect(here.body).toMatchObject({ reason: 'scope_not_permitted' })
    // And back, by what the folder had said.
    const back = await operator.activate('acme', before, version)
    expect(back.status, back.text).toBe(200)
    expect((await openAtNode('acme')).status).toBe(200)
  })

  test('is on record with its author, what it replaced and what changed', async () => {
    const before = await live('globex')
    const admin = await personOf(server, 'globex', 'admin')
    const files = tenantFiles(server, 'globex', lifetimes(7))
    const added = await admin.post('/tenants/globex/versions', { files, note: 'shorter' })
    const version = String(added.body['version'])
    const { body } = await admin.activate('globex', version, before)
    const entries = server.audit().filter(({ tenant }) => tenant === 'globex')
    expect(entries.slice(-2)).toEqual([
      expect.objectContaining({
        event: 'management',
        outcome: 'permit',
        action: 'add_version',
        author: 'idp:dave',
        roles: ['admin'],
        version_after: version,
      }),
      expect.objectContaining({
        event: 'management',
        outcome: 'permit',
        action: 'activate_version',
        tenant: 'globex',
        author: 'idp:dave',
        roles: ['admin'],
        version_before: before,
        version_after: version,
        changes: body['changes'],
      }),
    ])
    const listed = await admin.get('/tenants/globex/versions')
    expect(listed.body['items']).toEqual([
      expect.objectContaining({ version: before, author: 'folder', live: false }),
      {
        version,
        author: 'idp:dave',
        created_at: expect.stringMatching(/Z$/),
        note: 'shorter',
        live: true,
        activated_at: expect.stringMatching(/Z$/),
        activated_by: 'idp:dave',
      },
    ])
    const read = await admin.get('/tenants/globex/versions/live')
    expect(read.body).toMatchObject({ version, live: true, author: 'idp:dave', files })
    expect(read.headers.get('etag')).toBe(`"${version}"`)
  })

  test('that was added before is the same one', async () => {
    const files = tenantFiles(server, 'initech', lifetimes(6))
    const answers = [
      await operator.post('/tenants/initech/versions', { files }),
      await operator.post('/tenants/initech/versions', { files }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([201, 200])
    expect(answers[0]?.body).toEqual(answers[1]?.body)
  })

  test('of two that replace the same one in parallel, at two nodes, one becomes live', async () => {
    const before = await live('initech')
    const versions = [await add('initech', lifetimes(8)), await add('initech', lifetimes(9))]
    const there = await operatorOf(server, node.origin)
    const answers = await Promise.all([
      operator.activate('initech', versions[0] ?? '', before),
      there.activate('initech', versions[1] ?? '', before),
    ])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412])
    const loser = answers.find(({ status }) => status === 412)
    expect(loser?.body).toMatchObject({ reason: 'precondition_failed' })
    const winner = answers.findIndex(({ status }) => status === 200)
    expect(await live('initech')).toBe(versions[winner])
  })
})

describe('what is live stays', () => {
  const problem = expect.objectContaining({ line: expect.any(Number), text: expect.any(String) })

  test.each<[string, (documents: TenantDocuments) => void]>([
    ['an unknown member', ({ tenant }) => void Object.assign(tenant, { trusted: [] })],
    ['an unknown agent', ({ taskTypes }) => void (taskTypes.task_types[0]!['openers'] = ['x'])],
    ['a bad id', ({ agents }) => void (agents.agents[0]!['id'] = 'a/b:{*}')],
  ])('where a version has %s', async (_, change) => {
    const before = await operator.get('/tenants/globex/versions')
    const files = tenantFiles(server, 'globex', change)
    const answer = await operator.post('/tenants/globex/versions', { files })
    expect(answer.status).toBe(422)
    expect(answer.body).toMatchObject({ reason: 'version_invalid' })
    expect(answer.body['problems']).toContainEqual(problem)
    expect((await operator.get('/tenants/globex/versions')).body).toEqual(before.body)
  })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['YAML with anchors', { 'agents.yaml': 'a: &a [x]\nb: [*a, *a]\n' }],
    ['a policy that does not parse', { 'policies/all.cedar': 'permit (principal' }],
    [
      'a policy of an unknown entity',
      { 'policies/all.cedar': '@id("x") permit (principal == Agent::"none", action, resource);' },
    ],
    ['a file of another name', { 'secrets.env': 'x' }],
    ['a path that climbs', { 'policies/../../x.cedar': 'x' }],
    [
      'a case that fails',
      {
        'tests/a.yaml':
          'cases:\n  - name: rogue reads\n    subject: alice\n    actors: [rogue]\n    resource: files-api\n    expect: permit\n',
      },
    ],
  ])('where a version has %s', async (_, changed) => {
    const before = await live('globex')
    const files = { ...tenantFiles(server, 'globex'), ...changed }
    const answer = await operator.post('/tenants/globex/versions', { files })
    expect(answer.status, answer.text).toBe(422)
    expect(answer.body['problems']).toContainEqual(problem)
    expect(await live('globex')).toBe(before)
  })

  test('where no version is named, another one, a weak tag, or two conditions', async () => {
    const version = await add('globex', lifetimes(5))
    const before = await live('globex')
    const path = `/tenants/globex/versions/${version}/activate`
    const send = (headers: Record<string, string>) => operator.send('POST', path, { headers })
    const answers = [
      await send({}),
      await send({ 'if-match': `"${version}"` }),
      await send({ 'if-none-match': '*' }),
      await send({ 'if-match': `W/"${before}"` }),
      await send({ 'if-match': '*' }),
      await send({ 'if-match': `"${before}", "${version}"` }),
      await send({ 'if-match': `"${before}"`, 'if-none-match': '*' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([428, 412, 412, 400, 400, 400, 400])
    expect(await live('globex')).toBe(before)
  })

  test('where the version is not in the store', async () => {
    const before = await live('globex')
    for (const version of ['0'.repeat(64), 'live']) {
      expect((await operator.activate('globex', version, before)).status).toBe(404)
    }
    expect(await live('globex')).toBe(before)
  })
})

describe('a new tenant', () => {
  test('is made by the operator, and nobody can make it twice', async () => {
    const files = tenantFiles(server, 'globex')
    const added = await operator.post('/tenants/hooli/versions', { files })
    expect(added.status, added.text).toBe(201)
    const version = String(added.body['version'])
    expect((await operator.get('/tenants/hooli')).status).toBe(404)
    expect((await server.client('planner', 'hooli').open(server.idToken(), OPEN)).status).toBe(404)
    const both = await Promise.all([
      operator.activate('hooli', version, undefined),
      operator.activate('hooli', version, undefined),
    ])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412])
    const read = await operator.get('/tenants/hooli')
    expect(read.body).toMatchObject({ id: 'hooli', version, source: 'store' })
    const { status } = await fetch(`${node.origin}/t/hooli/jwks`)
    expect(status).toBe(200)
  })
})
