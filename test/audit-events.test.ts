/** Every event code of the closed table is really produced, and nothing produces another. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { generatePrivateJwk } from '../keys/signer.ts'
import { AUDIT_CODES, codeOf, UNLISTED } from '../server/core/audit-code.ts'
import type { AUDIT_FIELDS } from '../server/core/audit-field.ts'
import { ROUTES } from '../server/http/management/routes.ts'
import type { StoredEntry } from '../server/use-cases/ports.ts'
import { find, tokenOf } from './attacks/fixture.ts'
import { auditMark, auditSince } from './attacks/refusal.ts'
import { type AdminClient, operatorOf, personOf, tenantFiles } from './support/admin-client.ts'
import type { AgentClient } from './support/agent-client.ts'
import { faultsOf } from './support/coded-entries.ts'
import { type EventStage, setEventStage } from './support/event-stage.ts'
import { clientOf, type ManageClient, personAt } from './support/manage-client.ts'
import { epoch, payloadOf } from './support/signing.ts'
import type { TenantDocuments } from './support/tenant-folder.ts'

type Code = keyof typeof AUDIT_CODES
/** Of faults no request can cause; where they are shown. */
const ELSEWHERE = [
  'token.withdrawn', // test/use-cases/issue-hop.test.ts, test/start-record.test.ts
  'tenant.loaded', // test/start-record.test.ts
  'key.created', // test/start-record.test.ts
  'audit.fork_seen', // test/http/witness.test.ts
] as const satisfies readonly Code[]

let stage: EventStage
let planner: AgentClient
let desk: ManageClient
let agent: ManageClient
let siem: ManageClient
let files: ManageClient
let reviewer: ManageClient
let admin: AdminClient
let operator: AdminClient
beforeAll(async () => {
  stage = await setEventStage(({ taskTypes }) => {
    const [fileWork] = taskTypes.task_types
    const triggers = [{ on: 'exchanges', more_than: 0, within: '8h', then: 'suspend' }]
    taskTypes.task_types.push({ ...fileWork, id: 'watched-work', triggers })
  })
  const { server } = stage
  planner = server.client('planner')
  agent = await clientOf(planner)
  files = await clientOf(server.client('files-api'))
  desk = await personAt(server, 'dave', { roles: ['admin'] })
  reviewer = await personAt(server, 'eve', { roles: ['reviewer'] })
  siem = await stage.receiver('siem')
  operator = await operatorOf(server)
  admin = await personOf(server, 'acme', 'admin')
})
afterAll(() => stage.close())

const open = async (form: Record<string, string> = {}): Promise<string> =>
  tokenOf(
    await planner.open(stage.server.idToken(), {
      task_type: 'file-work',
      audience: 'researcher-a2a',
      ...form,
    }),
  )
const txnOf = (token: string): string => String(payloadOf(token)['txn'])
const task = async (verb: string, body: unknown = { reason: 'r' }, by = desk): Promise<string> => {
  const txn = txnOf(await open())
  await by.post(`tasks/${txn}/${verb}`, body)
  return txn
}
const suspended = async (): Promise<string> => {
  const token = await open({ task_type: 'watched-work' })
  await stage.server.client('researcher').exchange(token, { audience: 'coder-a2a' })
  return txnOf(token)
}
const keys = '/tenants/acme/keys'
const kid = async (): Promise<string> => (await admin.get(keys)).body['items'][0].kid
const addVersion = async (change: (documents: TenantDocuments) => void): Promise<string> => {
  const answer = await admin.post('/tenants/acme/versions', {
    files: tenantFiles(stage.server, 'acme', change),
  })
  return String(answer.body['version'])
}
const activate = async (version: string): Promise<void> => {
  const { body } = await admin.get('/tenants/acme')
  const headers = { 'if-match': `"${body['version']}"` }
  const answer = await admin.post(`/tenants/acme/versions/${version}/activate`, {}, { headers })
  expect(answer.status, answer.text).toBe(200)
}
const disable = (disabled: boolean) =>
  admin.send('PUT', '/tenants/acme/agents/rogue', { body: { disabled } })
const streamId = async (): Promise<string> =>
  String((await siem.get('ssf/stream')).body[0]?.stream_id ?? (await stage.stream(siem)))

/** How each is brought about. Not in the table's order: the last ones change what the others need. */
const PRODUCERS: Readonly<
  Record<Exclude<Code, (typeof ELSEWHERE)[number]>, () => Promise<unknown>>
> = {
  'token.issued': () => open(),
  'token.asked': () =>
    planner.open(stage.server.idToken(), {
      task_type: 'file-work',
      audience: 'pay-api',
      scope: 'pay:transfer',
    }),
  'token.refused': () => planner.token({ grant_type: 'password' }),
  'token.revoked': async () => planner.revoke(await open()),
  'token.revocation_refused': async () => stage.server.client('rogue').revoke(await open()),
  'token.introspection_refused': () => planner.introspect('x', { client_assertion: 'x' }),
  'access.granted': () => clientOf(planner),
  'access.refused': () => admin.signInPerson('acme', 'x'),
  'task.closed': () => task('close'),
  'task.revoked': () => task('revoke'),
  'task.suspended': suspended,
  'task.resumed': async () => desk.post(`tasks/${await suspended()}/resume`, { reason: 'fine' }),
  'task.change_refused': async () => task('close', {}, reviewer),
  'task.read_refused': () => agent.get(`tasks/${'x'.repeat(22)}`),
  'place.revoked': () => task('revoke', { place: 'planner', reason: 'r' }),
  'tasks.revoked': () => admin.post('/tenants/acme/revocations', { subject: 'bob', reason: 'r' }),
  'tasks.revocation_refused': () => admin.post('/tenants/acme/revocations', {}),
  'agent.disabled': () => disable(true),
  'agent.enabled': () => disable(false),
  'agent.change_refused': () =>
    admin.send('PUT', '/tenants/acme/agents/nobody', { body: { disabled: true } }),
  'key.planned': () => admin.post(keys, {}),
  'key.change_refused': () => admin.post(keys, { private_key: 'x' }),
  'key.killed': async () => {
    await admin.post(`${keys}/kill`, { kid: await kid(), reason: 'stolen' })
    admin = await personOf(stage.server, 'acme', 'admin')
    siem = await stage.receiver('siem')
  },
  'key.imported': async () => {
    const { body } = await admin.get(keys)
    for (const { kid: each, state } of body['items']) {
      if (state === 'next') await admin.post(`${keys}/kill`, { kid: each, reason: 'room' })
    }
    const key = JSON.stringify(generatePrivateJwk('ES256'))
    return operator.post(keys, { private_key: key })
  },
  'version.added': () => addVersion(() => {}),
  'version.activated': async () => activate(await addVersion(() => {})),
  'version.change_refused': () => admin.post('/tenants/acme/versions', { files: {} }),
  'configuration.read_refused': () => admin.get('/tenants/globex'),
  'tasks.reconciled': async () => {
    const token = await open()
    await stage.server.client('researcher').exchange(token, { audience: 'coder-a2a' })
    const gone = await addVersion(({ agents }) => {
      find(agents.agents, 'researcher')['disabled'] = true
    })
    await activate(gone)
  },
  'stream.changed': () => stage.stream(siem),
  'stream.change_refused': () => siem.send('DELETE', `ssf/stream?stream_id=${'x'.repeat(22)}`),
  'stream.read_refused': () => siem.get(`ssf/stream?stream_id=${'x'.repeat(22)}`),
  'event.not_taken': async () => {
    const poll = `ssf/poll/${await streamId()}`
    await task('revoke')
    const { body } = await siem.post(poll, { returnImmediately: true })
    const [jti = ''] = Object.keys(body['sets'])
    await siem.post(poll, { returnImmediately: true, setErrs: { [jti]: { err: 'invalid_key' } } })
  },
  'event.received': () => stage.send(stage.event()),
  'event.passed_over': () =>
    stage.send(stage.event({ events: { 'https://other.example/event': {} } })),
  'action.recorded': async () => {
    const token = await open({ audience: 'files-api', scope: 'files:read' })
    await files.post('audit/records', { records: [recordOf(token)] })
  },
  'action.record_refused': () => files.post('audit/records', { records: [] }),
  'audit.read': () => reviewer.get('audit/entries'),
  'audit.read_refused': () => agent.get('audit/entries'),
  'audit.texts_erased': () => desk.post('audit/erasures', { subject: 'alice' }),
  'audit.erasure_refused': () => agent.post('audit/erasures', { subject: 'alice' }),
}

function recordOf(token: string) {
  const { jti, txn } = payloadOf(token)
  const id = randomBytes(16).toString('base64url')
  const at = new Date(epoch() * 1000).toISOString()
  return { id, jti, txn, tool: 'list', target: '/files', outcome: 'succeeded', at }
}

test('the table of codes and the table of producers name the same', () => {
  const produced = [...Object.keys(PRODUCERS), ...ELSEWHERE]
  expect(produced.toSorted()).toEqual(Object.keys(AUDIT_CODES).toSorted())
})

describe('a code of the table', () => {
  const LAST = ['key.killed', 'key.imported', 'tasks.reconciled']
  const codes = Object.keys(PRODUCERS).filter((code) => !LAST.includes(code))
  test.each([...codes, ...LAST] as (keyof typeof PRODUCERS)[])('%s is produced', async (code) => {
    const before = auditMark(stage.server)
    const produce: () => Promise<unknown> = PRODUCERS[code]
    await produce()
    const entries = auditSince(stage.server, before)
    expect(entries.map((entry) => entry['code'])).toContain(code)
    expect(faultsOf(entries)).toEqual([])
  })
})

describe('the table', () => {
  test('has every operation of the management API, done and refused', () => {
    const unlisted = ROUTES.flatMap(({ method, name: action, event = 'management' }) => {
      const isReading = method === 'GET' && event !== 'audit'
      // What only tells something is on record where it is refused, or where it is the log that is told.
      const isDone = !isReading && action !== 'explain' && action !== 'set_agent_disabled'
      const outcomes = isDone ? ['permit', 'refuse'] : ['refuse']
      return outcomes
        .filter((outcome) => codeOf({ event, outcome, action }) === UNLISTED)
        .map((outcome) => `${event} ${outcome} ${action}`)
    })
    expect(ROUTES.length).toBeGreaterThan(30)
    expect(unlisted).toEqual([])
  })

  test('has every action that is noted anywhere', () => {
    const noted = sourcesOf('../server').flatMap((text) =>
      [...text.matchAll(/\baction: '([a-z_]+)'/g)].map(([, action]) => action),
    )
    const listed = new Set(
      Object.values(AUDIT_CODES).flatMap((row) => row.of.map((what) => what.split(' ')[2])),
    )
    expect(noted.length).toBeGreaterThan(8)
    const unlisted = noted.filter((action) => !listed.has(action) && !RULE_ACTIONS.has(action))
    expect(unlisted).toEqual([])
  })

  test('has no two codes for one thing, and no field without a sentence', () => {
    const all = Object.values(AUDIT_CODES).flatMap((row) => row.of)
    expect(new Set(all).size).toBe(all.length)
    expectTypeOf<keyof typeof AUDIT_FIELDS>().toEqualTypeOf<keyof StoredEntry>()
  })

  test('keeps every code that was published', () => {
    expect(Object.keys(AUDIT_CODES).toSorted()).toEqual(PUBLISHED)
  })
})

/** Actions of rules (server/policy), which are no operations. */
const RULE_ACTIONS: ReadonlySet<string | undefined> = new Set(['open', 'delegate', 'call'])

function sourcesOf(folder: string): readonly string[] {
  const root = fileURLToPath(new URL(folder, import.meta.url))
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, name), 'utf8'))
}

/** Others filter by them: one may come, none may go or change its meaning. */
const PUBLISHED = [
  'access.granted',
  'access.refused',
  'action.record_refused',
  'action.recorded',
  'agent.change_refused',
  'agent.disabled',
  'agent.enabled',
  'audit.erasure_refused',
  'audit.fork_seen',
  'audit.read',
  'audit.read_refused',
  'audit.texts_erased',
  'configuration.read_refused',
  'event.not_taken',
  'event.passed_over',
  'event.received',
  'key.change_refused',
  'key.created',
  'key.imported',
  'key.killed',
  'key.planned',
  'place.revoked',
  'stream.change_refused',
  'stream.changed',
  'stream.read_refused',
  'task.change_refused',
  'task.closed',
  'task.read_refused',
  'task.resumed',
  'task.revoked',
  'task.suspended',
  'tasks.reconciled',
  'tasks.revocation_refused',
  'tasks.revoked',
  'tenant.loaded',
  'token.asked',
  'token.introspection_refused',
  'token.issued',
  'token.refused',
  'token.revocation_refused',
  'token.revoked',
  'token.withdrawn',
  'version.activated',
  'version.added',
  'version.change_refused',
]
