/** Threats L02: an engine in trouble, a rule that cannot be evaluated, rules that are missing or half there, permit nothing. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { EngineFault, processCedar } from '../../server/policy/cedar.ts'
import { type AdminClient, operatorOf } from '../support/admin-client.ts'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { PERMIT_ALL } from '../support/tenant-folder.ts'
import { tokenOf } from './fixture.ts'
import { changedFiles, liveVersionOf } from './live.ts'
import { auditMark, auditSince, expectGranted, expectRefusal } from './refusal.ts'

const CALL = 'principal, action == Action::"call", resource == Resource::"files-api"'
const OVERFLOW = '9223372036854775807 + context.depth > 0'
const BEYOND = 'context.now.offset(duration("9223372036854775807ms")) > context.now'

/** Each question is another one: the rule reads the task and the time. */
const READ_ALL = {
  'all.cedar': `@id("all") permit (principal, action in [Action::"open", Action::"delegate", Action::"call"], resource)
    when { { all: context }.all.key == "dpop" };`,
}

/** Rules that pass every check and fail when they are asked about the files API, by tenant. */
const BROKEN = {
  forbid: `forbid (${CALL}) when { ${OVERFLOW} };`,
  'forbid-that-would-not-hold': `forbid (${CALL}) when { ${OVERFLOW} && false };`,
  permit: `permit (${CALL}) when { ${OVERFLOW} };`,
  'permit-but-not': `permit (${CALL}) unless { ${OVERFLOW} };`,
  'date-beyond-the-calendar': `forbid (${CALL}) when { ${BEYOND} };`,
}
const UNOPENED = `forbid (principal, action == Action::"open", resource) when { ${BEYOND} };`

let server: TestServer
let operator: AdminClient
let planner: AgentClient
let researcher: AgentClient
beforeAll(async () => {
  const spoiled = Object.entries({ ...BROKEN, unopened: UNOPENED }).map(
    ([tenant, text]) => [tenant, { ...PERMIT_ALL, 'bad.cedar': `@id("bad") ${text}` }] as const,
  )
  const rules = { acme: READ_ALL, ruleless: {}, ...Object.fromEntries(spoiled) }
  const tenants = [...Object.keys(rules), 'globex'].map((id) => [id, () => {}] as const)
  server = await startAuthorizationServer({ tenants: Object.fromEntries(tenants), rules })
  operator = await operatorOf(server)
  planner = server.client('planner')
  researcher = server.client('researcher')
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(() => server.close())

const files = { audience: 'files-api' }
/** For somebody new: an answer of the rules from before is no answer to it. */
const open = (form = {}): Promise<Answer> =>
  planner.open(server.idToken(randomUUID()), { audience: 'researcher-a2a', ...form })

describe('L02 the engine is in trouble', () => {
  let first: string
  beforeEach(async () => {
    first = tokenOf(await open())
  })

  const failing: readonly (readonly [string, () => never | undefined])[] = [
    [
      'it faults',
      () => {
        throw new EngineFault()
      },
    ],
    [
      'it traps',
      () => {
        throw new WebAssembly.RuntimeError('unreachable')
      },
    ],
    ['it answers nothing', () => undefined],
  ]

  test.each(failing)('L02 %s: 503 for every grant, no token and no hop', async (_, fail) => {
    const before = auditMark(server)
    const logged = server.logged.length
    vi.spyOn(processCedar, 'run').mockImplementation(fail as never)
    const sends = [
      () => open(),
      () => open({ scope: 'files:read' }),
      () => researcher.exchange(first, files),
      () => researcher.exchange(first),
    ]
    for (const send of sends) {
      await expectRefusal(server, { reason: 'unavailable', guard: 'fault' }, send)
    }
    const entries = auditSince(server, before)
    expect(entries.map(({ outcome }) => outcome)).toEqual(sends.map(() => 'refuse'))
    expect(entries.filter((entry) => 'jti' in entry)).toEqual([])
    // Told to operators once for each, in words of ours.
    const told = server.logged.slice(logged).filter(({ event }) => event === 'request_failed')
    expect(told).toHaveLength(sends.length)
    expect(JSON.stringify(told)).not.toContain('unreachable')
    vi.restoreAllMocks()
    await expectGranted(server, () => researcher.exchange(first, files))
  })

  test('L02 an instance that broke is left, and the next request is served by another', async () => {
    const { generation } = processCedar
    const breaking = vi.spyOn(processCedar, 'run').mockImplementationOnce(() => {
      breaking.mockRestore()
      return processCedar.run(() => {
        throw new WebAssembly.RuntimeError('unreachable')
      })
    })
    await expectRefusal(server, { reason: 'unavailable' }, () => researcher.exchange(first, files))
    expect(processCedar.generation).toBe(generation + 1)
    await expectGranted(server, () => researcher.exchange(first, files))
    await expectGranted(server, () =>
      server.client('planner', 'globex').open(server.idToken(), { audience: 'researcher-a2a' }),
    )
  })
})

describe('L02 a rule that cannot be evaluated', () => {
  test.each(Object.keys(BROKEN))('L02 refuses, beside a permit for all: %s', async (tenant) => {
    const at = (id: string): AgentClient => server.client(id, tenant)
    const first = tokenOf(
      await at('planner').open(server.idToken(), { audience: 'researcher-a2a' }),
    )
    const closed = { reason: 'target_not_permitted', guard: 'target_closed_by_rules' } as const
    for (const form of [files, { ...files, scope: 'files:read' }]) {
      await expectRefusal(server, closed, () => at('researcher').exchange(first, form))
      await expectRefusal(server, closed, () => at('planner').open(server.idToken(), form))
    }
    await expectGranted(server, () => at('researcher').exchange(first, { audience: 'coder-a2a' }))
  })

  test('L02 refuses to open a task too', async () => {
    const broken = server.client('planner', 'unopened')
    const expected = { reason: 'task_type_not_permitted', guard: 'rule_failed' } as const
    await expectRefusal(server, expected, () => broken.open(server.idToken(), files))
  })
})

test('L02 no policy at all refuses everything, and the check says so', async () => {
  const at = (id: string): AgentClient => server.client(id, 'ruleless')
  await expectRefusal(server, { reason: 'task_type_not_permitted', guard: 'no_rule_permits' }, () =>
    at('planner').open(server.idToken(), files),
  )
  const added = await operator.post('/tenants/acme/versions', {
    files: changedFiles(server, { rules: {} }),
  })
  expect(added.body['warnings']).toEqual([
    expect.objectContaining({ text: 'no policies: every request is refused' }),
  ])
})

describe('L02 a bad upload', () => {
  const { 'all.cedar': good } = READ_ALL
  const half =
    '@id("half") forbid (principal, action == Action::"call", resource) when { context.sco'

  test.each<[string, (files: Record<string, string>) => Record<string, unknown>]>([
    ['a policy cut in the middle', (all) => ({ ...all, 'policies/half.cedar': half })],
    [
      'one bad policy among good ones',
      (all) => ({ ...all, 'policies/b.cedar': `${good}permit (principal);` }),
    ],
    [
      'a file cut in the middle',
      (all) => ({ ...all, 'agents.yaml': all['agents.yaml']?.slice(0, 333) }),
    ],
    ['a file nobody knows', (all) => ({ ...all, 'agent.yaml': 'agents: []' })],
    ['a path out of the folder', (all) => ({ ...all, '../globex/agents.yaml': 'agents: []' })],
    ['a failing case of its own', (all) => ({ ...all, 'tests/all.yaml': FAILING_CASE })],
  ])('L02 leaves the last good version: %s', async (_, spoil) => {
    const before = await liveVersionOf(operator)
    const known = (await operator.get('/tenants/acme/versions')).body['items']
    const first = tokenOf(await open())
    const answer = await operator.post('/tenants/acme/versions', {
      files: spoil(changedFiles(server, {})),
    })
    expect([400, 422], answer.text).toContain(answer.status)
    expect(await liveVersionOf(operator)).toBe(before)
    expect((await operator.get('/tenants/acme/versions')).body['items']).toEqual(known)
    await expectGranted(server, () => researcher.exchange(first, files))
  })

  const FAILING_CASE = `
cases:
  - name: nobody may read
    subject: alice
    actors: [planner]
    resource: files-api
    scope: [files:read]
    expect: { decision: refuse }
`
})
