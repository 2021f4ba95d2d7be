/** Every reason of the management API is really produced, with its status and text, and is on record where somebody asked. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MANAGEMENT_REASONS, type ManagementReason } from '../../server/core/management-refusal.ts'
import { signerAt } from '../attacks/fixture.ts'
import { auditMark, auditSince } from '../attacks/refusal.ts'
import {
  type AdminClient,
  grantRoles,
  operatorOf,
  personOf,
  tenantFiles,
} from '../support/admin-client.ts'
import { AgentClient, type Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { clientOf, operatorAt } from '../support/manage-client.ts'
import { encode, epoch, newKey, payloadOf } from '../support/signing.ts'

/** A body that never arrives, a fault of a port, a key set without room: admin-faults.test.ts. */
type Elsewhere = 'request_timeout' | 'unavailable' | 'keys_full'
/** What a request is on record as, where it is not the management of the tenant. */
const EVENTS: Readonly<Partial<Record<ManagementReason, string>>> = {
  task_over: 'task',
  stream_exists: 'security_event',
  rate_limited: 'security_event',
}
/** Of paths and methods there is no route to put on record. */
const UNRECORDED: readonly ManagementReason[] = ['method_not_allowed']

const siemKey = newKey('siem-1')
let server: TestServer
let operator: AdminClient
beforeAll(async () => {
  server = await startAuthorizationServer({
    tenants: {
      acme: (documents) => {
        grantRoles(documents)
        documents.tenant['event_receivers'] = [{ id: 'siem', jwks: { keys: [siemKey.publicJwk] } }]
      },
    },
  })
  operator = await operatorOf(server)
})
afterAll(() => server.close())

const AGENT = '/tenants/acme/agents/planner'
const KEYS = '/tenants/acme/keys'
const LIVE = '/tenants/acme/versions/live'

async function live(): Promise<string> {
  return String((await operator.get(LIVE)).body['version'])
}

async function expired(): Promise<AdminClient> {
  const client = await personOf(server, 'acme', 'admin')
  const header = Buffer.from(client.token.split('.')[0] ?? '', 'base64url').toString()
  const times = { iat: epoch() - 400, exp: epoch() - 100 }
  const input = `${encode(header)}.${encode({ ...payloadOf(client.token), ...times })}`
  client.token = `${input}.${await signerAt(server, 'acme').sign(input)}`
  return client
}

const PRODUCERS: Readonly<Record<Exclude<ManagementReason, Elsewhere>, () => Promise<Answer>>> = {
  request_malformed: () => operator.put(AGENT, {}),
  token_required: () => operator.get(AGENT, { authorization: null }),
  token_unacceptable: () => operator.get(AGENT, { authorization: 'DPoP a.b.c' }),
  token_expired: async () => (await expired()).get(AGENT),
  proof_required: () => operator.get(AGENT, { proof: null }),
  proof_invalid: () => operator.get(AGENT, { proof: { htm: 'PUT' } }),
  proof_replayed: async () => {
    const headers = { dpop: operator.proof('GET', `${operator.publicUrl}/admin/v1${AGENT}`) }
    await operator.get(AGENT, { proof: null, headers })
    return operator.get(AGENT, { proof: null, headers })
  },
  role_required: async () =>
    (await personOf(server, 'acme', 'reviewer')).put(AGENT, { disabled: true }),
  trust_change_not_permitted: async () => {
    const author = await personOf(server, 'acme', 'policy_author')
    const files = tenantFiles(server, 'acme', ({ tenant }) => {
      tenant['display_name'] = 'Other'
    })
    const { body } = await author.post('/tenants/acme/versions', { files })
    return author.activate('acme', String(body['version']), await live())
  },
  not_found: () => operator.get('/tenants/nobody'),
  method_not_allowed: () => operator.send('DELETE', AGENT),
  task_over: async () => {
    const opened = await server.client('planner').open(server.idToken(), { scope: 'files:read' })
    const desk = await operatorAt(server)
    const path = `tasks/${String(payloadOf(String(opened.body['access_token']))['txn'])}`
    await desk.post(`${path}/revoke`, { reason: 'looked wrong' })
    return desk.post(`${path}/close`)
  },
  key_waiting: async () => {
    await operator.post(KEYS, {})
    return operator.post(KEYS, {})
  },
  key_unacceptable: () => operator.post(KEYS, { private_key: 'no key' }),
  stream_exists: async () => {
    const siem = await clientOf(new AgentClient(server.issuer(), 'siem', siemKey))
    await siem.post('ssf/stream')
    return siem.post('ssf/stream')
  },
  rate_limited: async () => {
    const siem = await clientOf(new AgentClient(server.issuer(), 'siem', siemKey))
    await siem.post('ssf/stream')
    const { body } = await siem.get('ssf/stream')
    const verify = { stream_id: body[0].stream_id }
    let answer: Answer
    do answer = await siem.post('ssf/verify', verify)
    while (answer.status === 204)
    return answer
  },
  precondition_failed: async () => operator.activate('acme', await live(), undefined),
  request_too_large: () => operator.put(AGENT, `{${' '.repeat(20_000)}}`),
  media_type_unsupported: () =>
    operator.put(AGENT, {}, { headers: { 'content-type': 'application/xml' } }),
  version_invalid: () => operator.post('/tenants/acme/versions', { files: {} }),
  precondition_required: async () =>
    operator.send('POST', `/tenants/acme/versions/${await live()}/activate`),
}

test.each(Object.keys(PRODUCERS) as (keyof typeof PRODUCERS)[])(
  '%s is produced by a real request',
  async (reason) => {
    const before = auditMark(server)
    const answer = await PRODUCERS[reason]()
    const { status, text } = MANAGEMENT_REASONS[reason]
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      status,
      reason,
      detail: text,
      error_ref: expect.stringMatching(/^[\w-]{22}$/),
    })
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(answer.headers.get('www-authenticate')?.startsWith('DPoP ') ?? false).toBe(
      status === 401,
    )
    const entry = expect.objectContaining({
      event: EVENTS[reason] ?? 'management',
      outcome: 'refuse',
      reason,
      ref: answer.body['error_ref'],
      guard: expect.stringMatching(/^[a-z_]+$/),
    })
    const entries = auditSince(server, before)
    if (UNRECORDED.includes(reason)) expect(entries).not.toContainEqual(entry)
    else expect(entries.at(-1)).toEqual(entry)
  },
)
