/** Threat M05 at a tenant's tasks: programs are limited as at the token endpoint, each by itself, and people get through. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { grantRoles } from '../support/admin-client.ts'
import type { Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { clientOf, operatorAt, personAt } from '../support/manage-client.ts'
import { auditMark, auditSince } from './refusal.ts'

const CLIENT = 8
const TENANT = 40

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer({
    tenants: {
      acme: (documents) => {
        grantRoles(documents)
        const limits = { requests_per_client: CLIENT, requests_per_tenant: TENANT }
        documents.tenant['limits'] = { max_depth: 4, ...limits }
      },
    },
  })
})
afterAll(() => server.close())
let minute = Math.ceil(Date.now() / 60_000)
beforeEach(() => {
  // Minutes of its own for every test, ten seconds in.
  minute += 5
  vi.useFakeTimers({ toFake: ['Date'], now: minute * 60_000 + 10_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status)

describe('M05 requests for tasks', () => {
  test('M05 of one agent are limited with those for tokens, on record once, and harm nobody else', async () => {
    const rogue = await clientOf(server.client('rogue'))
    const desk = await personAt(server, 'dave', { roles: ['helpdesk'] })
    const before = auditMark(server)
    const answers: Answer[] = []
    for (let sent = 0; sent < CLIENT + 4; sent += 1) answers.push(await rogue.get('tasks'))
    // Its sign-in was one of them.
    expect(statuses(answers)).toEqual([
      ...Array.from({ length: CLIENT - 1 }, () => 200),
      ...Array.from({ length: 5 }, () => 429),
    ])
    const last = answers.at(-1)
    expect(last?.body).toMatchObject({ status: 429, reason: 'rate_limited' })
    expect(last?.headers.get('retry-after')).toBe('50')
    expect(auditSince(server, before)).toEqual([
      expect.objectContaining({
        event: 'task',
        outcome: 'refuse',
        reason: 'rate_limited',
        guard: 'requests_per_client',
        author: 'agent:rogue',
      }),
    ])
    const planner = await clientOf(server.client('planner'))
    expect((await planner.get('tasks')).status).toBe(200)
    expect((await desk.get('tasks')).status).toBe(200)
  })

  test('M05 of all agents together never keep people from stopping them', async () => {
    const people = await Promise.all([
      personAt(server, 'alice'),
      personAt(server, 'dave', { roles: ['helpdesk'] }),
      operatorAt(server),
    ])
    const agents = await Promise.all(
      ['planner', 'researcher', 'coder', 'rogue'].map((id) => clientOf(server.client(id))),
    )
    for (const agent of agents) {
      while ((await agent.get('tasks')).status === 200);
    }
    for (const person of people) {
      const answers = await Promise.all(
        Array.from({ length: CLIENT + 2 }, () => person.get('tasks')),
      )
      expect(new Set(statuses(answers))).toEqual(new Set([200]))
    }
  })
})
