/** Threats Q05, Q06 and L06: what a part of the administration must not reach. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Role } from '../../server/core/tenant.ts'
import {
  type AdminClient,
  GROUPS,
  operatorOf,
  personOf,
  tenantFiles,
} from '../support/admin-client.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { type Stage, setStage } from './fixture.ts'

let stage: Stage
let operator: AdminClient
let author: AdminClient
beforeAll(async () => {
  stage = await setStage()
  operator = await operatorOf(stage.server)
})
beforeEach(async () => {
  author = await personOf(stage.server, 'acme', 'policy_author')
})
afterAll(() => stage.close())

const AGENT = '/tenants/acme/agents/coder'

async function live(): Promise<string> {
  return String((await operator.get('/tenants/acme')).body['version'])
}

async function add(change: (documents: TenantDocuments) => void, by = author): Promise<string> {
  const files = tenantFiles(stage.server, 'acme', change)
  const answer = await by.post('/tenants/acme/versions', { files })
  expect([200, 201], answer.text).toContain(answer.status)
  return String(answer.body['version'])
}

describe('Q05 mass assignment', () => {
  test.each([
    { disabled: true, tenant: 'globex' },
    { disabled: true, owner: 'mallory' },
    { disabled: false, scopes: ['pay:transfer'] },
    { disabled: true, createdBy: 'operator' },
    { disabled: true, approved_by: 'operator' },
    { disabled: true, disabled_by_hand: false },
    { id: 'planner', disabled: true },
    { owner: 'mallory' },
    { disabled: 'true' },
    { disabled: 1 },
    { disabled: null },
    {},
  ])('Q05 refuses %j of an agent, and nothing of it happens', async (body) => {
    const before = await operator.get(AGENT)
    const answer = await operator.put(AGENT, body)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ reason: 'request_malformed' })
    expect(answer.body['errors']).toEqual(
      expect.arrayContaining([{ pointer: expect.any(String), text: expect.any(String) }]),
    )
    const after = await operator.get(AGENT)
    expect(after.body).toEqual(before.body)
    expect(after.headers.get('etag')).toBe(before.headers.get('etag'))
  })

  test.each([
    '{"disabled":true,"disabled":false}',
    '{"disabled":true,"__proto__":{"owner":"x"}}',
    '{"disabled":true,"constructor":{}}',
    '[{"disabled":true}]',
    '"disabled"',
    '{"disabled":true}x',
    '',
    '\ufeff{"disabled":true}',
  ])('Q05 refuses the body %j', async (body) => {
    expect((await operator.put(AGENT, body)).status).toBe(400)
    expect((await operator.get(AGENT)).body['disabled']).toBe(false)
  })

  test('Q05 refuses members of a version that are ours to say', async () => {
    const files = tenantFiles(stage.server, 'acme')
    for (const more of [{ author: 'operator' }, { version: '0'.repeat(64) }, { live: true }]) {
      const answer = await author.post('/tenants/acme/versions', { files, ...more })
      expect(answer.status).toBe(400)
    }
    expect((await author.post('/tenants/acme/versions?author=x', { files })).status).toBe(400)
  })

  test('Q05 takes a body as JSON alone, and no larger than it can be', async () => {
    const form = { 'content-type': 'text/plain' }
    const change = { disabled: true }
    expect((await operator.put(AGENT, change, { headers: form })).status).toBe(415)
    const packed = { 'content-encoding': 'gzip' }
    expect((await operator.put(AGENT, change, { headers: packed })).status).toBe(415)
    const padded = `{"disabled":true${' '.repeat(20_000)}}`
    expect((await operator.put(AGENT, padded)).status).toBe(413)
    const wide = `{"files":{${Array.from({ length: 30_000 }, (_, at) => `"a${at}":""`).join(',')}}}`
    expect((await operator.post('/tenants/acme/versions', wide)).status).toBe(413)
    const deep = `{"files":${'['.repeat(5000)}${']'.repeat(5000)}}`
    expect((await operator.post('/tenants/acme/versions', deep)).status).toBe(400)
    expect((await operator.get(AGENT)).body['disabled']).toBe(false)
  })
})

describe('Q06 delegated admin climbs', () => {
  test('Q06 each role may do what it is for, and nothing else', async () => {
    const files = tenantFiles(stage.server, 'acme')
    const version = await add(({ agents }) => void (agents.agents[0]!['purpose'] = 'plans'))
    const allowed = new Map<Role, readonly boolean[]>()
    for (const role of ['admin', 'policy_author', 'helpdesk', 'reviewer'] as const) {
      const client = await personOf(stage.server, 'acme', role)
      const asked = { actors: ['planner'], resource: 'files-api' }
      const answers = [
        await client.get('/tenants'),
        await client.get('/tenants/acme'),
        await client.get('/tenants/acme/versions'),
        await client.get('/tenants/acme/versions/live'),
        await client.get('/tenants/acme/agents'),
        await client.get(AGENT),
        await client.post('/tenants/acme/explain', asked),
        await client.post('/tenants/acme/versions', { files }),
        await client.activate('acme', version, '0'.repeat(64)),
        await client.put(AGENT, { disabled: false }),
      ]
      for (const { status, body } of answers) {
        if (status === 403) expect(body).toMatchObject({ reason: 'role_required' })
        else expect([200, 201, 412]).toContain(status)
      }
      allowed.set(
        role,
        answers.slice(7).map(({ status }) => status !== 403),
      )
    }
    expect(Object.fromEntries(allowed)).toEqual({
      admin: [true, true, true],
      policy_author: [true, true, false],
      helpdesk: [false, false, true],
      reviewer: [false, false, false],
    })
  })

  test.each<[string, (documents: TenantDocuments) => void]>([
    [
      'a role',
      ({ tenant }) =>
        (tenant['roles'] as unknown[]).push({
          role: 'admin',
          issuer: 'idp',
          claim: 'sub',
          value: 'dave',
        }),
    ],
    [
      'a trust anchor',
      ({ tenant }) =>
        (tenant['trusted_issuers'] as unknown[]).push({
          id: 'mine',
          issuer: 'https://mine.example',
          jwks_uri: 'https://mine.example/jwks',
          subject_prefix: 'mine:',
        }),
    ],
    ['a limit', ({ tenant }) => void Object.assign(tenant['limits'] as object, { max_depth: 8 })],
    ['the disabled subjects', ({ tenant }) => void (tenant['disabled_subjects'] = [])],
  ])(
    'Q06 a policy author adds a version that changes %s, and cannot make it live',
    async (_, change) => {
      const before = await live()
      const version = await add(change)
      const answer = await author.activate('acme', version, before)
      expect(answer.status).toBe(403)
      expect(answer.body).toMatchObject({ reason: 'trust_change_not_permitted' })
      expect(await live()).toBe(before)
      // Nor by its way over another version that an admin would not look at twice.
      const half = await add((documents) => {
        change(documents)
        documents.agents.agents[0]!['purpose'] = 'plans more'
      })
      expect((await author.activate('acme', half, before)).status).toBe(403)
      // An admin may, and then the author may not take it back.
      const admin = await personOf(stage.server, 'acme', 'admin')
      expect((await admin.activate('acme', version, before)).status).toBe(200)
      expect((await author.activate('acme', before, version)).status).toBe(403)
      expect((await admin.activate('acme', before, version)).status).toBe(200)
    },
  )

  test('Q06 the role is judged against the version that is replaced, in the same step', async () => {
    const before = await live()
    const admin = await personOf(stage.server, 'acme', 'admin')
    const wider = ({ tenant }: TenantDocuments): void => {
      Object.assign(tenant['limits'] as object, { max_depth: 8 })
    }
    const trusted = await add(wider, admin)
    const harmless = await add((documents) => {
      wider(documents)
      documents.agents.agents[0]!['purpose'] = 'plans'
    })
    const answers = await Promise.all([
      admin.activate('acme', trusted, before),
      author.activate('acme', harmless, before),
      author.activate('acme', harmless, trusted),
    ])
    expect(answers[0]?.status).toBe(200)
    // By the version it names: never from `before` to one with other limits.
    expect([403, 412]).toContain(answers[1]?.status)
    expect([200, 412]).toContain(answers[2]?.status)
    expect((await admin.activate('acme', before, await live())).status).toBe(200)
  })

  test('Q06 nobody signs in with a role they have not', async () => {
    const { server } = stage
    const client = await personOf(server, 'acme', 'reviewer')
    const groups = [GROUPS.reviewer]
    const idToken = server.idToken('dave', 'console', { groups })
    const wider = await client.signInPerson('acme', idToken, { scope: 'reviewer admin' })
    expect(wider.body).toMatchObject({ error: 'invalid_scope', reason: 'scope_not_permitted' })
    const both = server.idToken('dave', 'console', { groups: [GROUPS.admin, GROUPS.reviewer] })
    const less = await client.signInPerson('acme', both, { scope: 'reviewer' })
    expect(less.body['scope']).toBe('reviewer')
    expect((await client.put(AGENT, { disabled: true })).status).toBe(403)
    for (const claims of [
      { groups: GROUPS.admin.toUpperCase() },
      { groups: [[GROUPS.admin]] },
      { groups: { [GROUPS.admin]: true } },
      { Groups: [GROUPS.admin] },
      { roles: ['admin'] },
      {},
    ]) {
      const answer = await client.signInPerson('acme', server.idToken('dave', 'console', claims))
      expect(answer.body).toMatchObject({ reason: 'role_required' })
    }
    const one = await client.signInPerson(
      'acme',
      server.idToken('dave', 'console', { groups: GROUPS.admin }),
    )
    expect(one.body['scope']).toBe('admin')
  })

  test('Q06 a role that was taken from everybody ends with the version, tokens or not', async () => {
    const before = await live()
    const desk = await personOf(stage.server, 'acme', 'helpdesk')
    expect((await desk.put(AGENT, { disabled: false })).status).toBe(200)
    const version = await add(({ tenant }) => {
      tenant['roles'] = (tenant['roles'] as { role: string }[]).filter(
        ({ role }) => role !== 'helpdesk',
      )
    }, operator)
    expect((await operator.activate('acme', version, before)).status).toBe(200)
    expect((await desk.put(AGENT, { disabled: true })).status).toBe(403)
    expect((await operator.activate('acme', before, version)).status).toBe(200)
  })
})

describe('L06 omitted setting escapes the rule', () => {
  const agent = (documents: TenantDocuments): Record<string, unknown> => documents.agents.agents[2]!

  test('L06 an agent that leaves out its binding is bound, by every path it comes', async () => {
    const before = await live()
    const version = await add((documents) => {
      delete agent(documents)['binding']
      agent(documents)['purpose'] = 'codes'
    }, operator)
    expect((await operator.activate('acme', version, before)).status).toBe(200)
    expect((await operator.get(AGENT)).body).toMatchObject({ binding: 'dpop', disabled: false })
    const answer = await stage.coder.token({ grant_type: 'client_credentials' }, { proof: null })
    expect(answer.body).toMatchObject({ reason: 'proof_required' })
    expect((await operator.activate('acme', before, version)).status).toBe(200)
  })

  test('L06 an update is checked as a start is: what is left out is missing, not as before', async () => {
    for (const member of ['owner', 'class', 'scopes', 'auth']) {
      const files = tenantFiles(stage.server, 'acme', (documents) => {
        delete agent(documents)[member]
      })
      const answer = await operator.post('/tenants/acme/versions', { files })
      expect(answer.status).toBe(422)
      expect(answer.body['problems']).toContainEqual(
        expect.objectContaining({ file: 'acme/agents.yaml' }),
      )
    }
    const { 'agents.yaml': _, ...rest } = tenantFiles(stage.server, 'acme')
    expect((await operator.post('/tenants/acme/versions', { files: rest })).status).toBe(422)
  })
})
