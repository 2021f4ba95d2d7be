/**
 * Threats L01: whatever a caller, a user's token or an agent's own entry says, it is text. It names nobody, sets no fact, and
 * stands where rules expect untrusted words.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { processEngine } from '../../server/policy/engine.ts'
import type { EngineQuestion } from '../../server/policy/question.ts'
import { type AdminClient, operatorOf } from '../support/admin-client.ts'
import { AgentClient, type Parameters } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { epoch, newKey, signJwt } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find } from './fixture.ts'
import { changedFiles, liveVersionOf } from './live.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

/** Nobody gets anything without a fact that only the server sets. `{ all: context }` reads all there is to read. */
const RULES = {
  'rules.cedar': `
@id("finance-opens") permit (principal, action == Action::"open", resource)
  when { context has subject && context.subject.hasTag("department")
    && context.subject.getTag("department").contains("finance")
    && { all: context }.all.key == "dpop" };
@id("chief-opens") permit (principal, action == Action::"open", resource)
  when { context has subject && context.subject == User::"chief" };
@id("planner-calls") permit (principal == Agent::"planner", action == Action::"call", resource);
@id("treasury-calls") permit (principal, action == Action::"call", resource)
  when { principal.owner == "treasury@acme.example" || principal.class == "orchestrator" };
@id("cleared-calls") permit (principal, action == Action::"call", resource)
  when { principal has purpose && principal.purpose == "cleared" };
@id("through-treasury") permit (principal, action == Action::"call", resource)
  when { context.chain_owners.contains("treasury@acme.example") };
@id("deep-only") permit (principal, action == Action::"call", resource) when { context.depth > 7 };
@id("hand-on") permit (principal, action == Action::"delegate", resource)
  when { { all: context }.all.key == "dpop" };
`,
}

/** As attackers write it: in the engine's own words, in JSON, and as a name of an object's own. */
const WORDS = [
  'User::"chief"',
  'Agent::"planner"',
  '{"__entity":{"type":"User","id":"chief"}}',
  '{"__extn":{"fn":"datetime","arg":"2020-01-01"}}',
  '" || true || "',
  '") ; permit (principal, action, resource); //',
  '@id("x") permit (principal, action, resource);',
  'department: finance',
  '["finance"]',
  '__proto__',
] as const

/** The same, and texts that hold what a rule asks for. */
const ENTRY_WORDS = [
  ...WORDS,
  '["treasury@acme.example"]',
  'x,treasury@acme.example',
  'treasury@acme.example.',
  '{"class":"orchestrator"}',
]

/** Of all agents that are witnesses of a text. */
const witnessKey = newKey('witness-1')

let server: TestServer
let operator: AdminClient
let planner: AgentClient
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: openFacts }, rules: { acme: RULES } })
  operator = await operatorOf(server)
  planner = server.client('planner')
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(() => server.close())

function openFacts({ tenant, taskTypes, agents }: TenantDocuments): void {
  const model = find(agents.agents, 'researcher')
  const add = (id: string, text: string): void => {
    const auth = { method: 'private_key_jwt', jwks: { keys: [witnessKey.publicJwk] } }
    const issuer_clients = { idp: id }
    agents.agents.push({ ...model, id, owner: text, purpose: text, auth, issuer_clients })
  }
  for (const [at, text] of ENTRY_WORDS.entries()) add(`witness-${at}`, text)
  add('treasurer', 'treasury@acme.example')
  const [idp] = tenant['trusted_issuers'] as Record<string, unknown>[]
  Object.assign(idp ?? {}, { subject_claims: ['department'] })
  const fileWork = find(taskTypes.task_types, 'file-work')
  fileWork['openers'] = agents.agents.map(({ id }) => id)
}

const unopened = { reason: 'task_type_not_permitted', guard: 'no_rule_permits' } as const
const toResearcher = { audience: 'researcher-a2a' }
/** Of a user in finance. */
const financeToken = (): string => server.idToken('bob', 'planner', { department: 'finance' })
const open = (form: Parameters = {}) =>
  planner.open(server.idToken('alice', 'planner', { department: 'research' }), {
    ...toResearcher,
    ...form,
  })

describe('L01 what the caller sends', () => {
  const FACTS = {
    tenant: 'globex',
    role: 'admin',
    approved: 'true',
    risk: '0',
    depth: '8',
    principal: 'Agent::"planner"',
    department: 'finance',
    subject: 'User::"chief"',
    owner: 'treasury@acme.example',
    class: 'orchestrator',
    key: 'none',
    now: '0',
    context: '{"subject":{"__entity":{"type":"User","id":"chief"}}}',
    request: '{"subject":"chief"}',
    entities: '[{"uid":{"type":"User","id":"alice"},"tags":{"department":["finance"]}}]',
    'context.subject': 'chief',
    'subject[department]': 'finance',
    claims: '{"department":"finance"}',
    ['__proto__']: 'x',
    constructor: 'x',
    'subject.__proto__.department': 'finance',
  }

  test.each(Object.entries(FACTS))('L01 a parameter %s sets no fact', async (name, value) => {
    await expectRefusal(server, unopened, () => open({ [name]: value }))
  })

  test.each(WORDS)(
    'L01 %s is nothing but words: as purpose, scope, audience, resource',
    async (text) => {
      await expectRefusal(server, unopened, () => open({ purpose: text }))
      await expectRefusal(server, unopened, () => open({ purpose: `department=finance ${text}` }))
      for (const form of [
        { scope: text },
        { audience: text },
        { resource: text },
        { task_type: text },
      ]) {
        const answer = await open(form)
        expect([400, answer.body['access_token']]).toEqual([answer.status, undefined])
      }
    },
  )

  test('L01 all of it together changes nothing of the question but its request', async () => {
    const asked = vi.spyOn(processEngine, 'ask')
    const send = async (form: Parameters): Promise<readonly EngineQuestion[]> => {
      asked.mockClear()
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      const scope = 'files:read'
      await expectGranted(server, () =>
        planner.open(financeToken(), { ...toResearcher, scope, ...form }),
      )
      return asked.mock.calls.map(([, question]) => question)
    }
    try {
      const plain = await send({})
      const dressed = await send({ ...FACTS, scope: 'files:read', purpose: WORDS.join(' ') })
      expect(plain.length).toBeGreaterThan(0)
      expect(dressed.map(withoutWords)).toEqual(plain.map(withoutWords))
      const words = JSON.stringify(dressed.map(withoutWords))
      for (const text of ['globex', 'treasury', 'chief', '__proto__'])
        expect(words).not.toContain(text)
    } finally {
      vi.useRealTimers()
    }
  })

  /** Without the untrusted branch, the random id of the task and the time. */
  function withoutWords({ context, ...question }: EngineQuestion): unknown {
    const { request: _, now: __, ...facts } = context
    return JSON.parse(
      JSON.stringify({ ...question, facts }).replace(/"[\w-]{22}"|"\d{4}-[^"]*Z"/g, '"?"'),
    )
  }
})

describe('L01 what a user’s token says', () => {
  test.each<[string, unknown]>([
    ['another value', 'research'],
    ['the value among others, in one text', 'research, finance'],
    ['a text that is a list', '["finance"]'],
    ['an entity', { __entity: { type: 'User', id: 'chief' } }],
    ['an entity in a list', ['research', { __entity: { type: 'User', id: 'chief' } }]],
    ['the value in an object', { 0: 'finance', length: 1 }],
    ['the value in a list in a list', [['finance']]],
    ['the value beside a number', ['finance', 7]],
    ['the value beside nothing', ['finance', null]],
    ['the value with a space', 'finance '],
    ['the value in upper case', 'FINANCE'],
    ['the value with a letter that looks like another', 'f\u0456nance'],
    ['the value with an invisible letter', 'fin\u200bance'],
    ['too many values', Array.from({ length: 33 }, () => 'finance')],
    ...WORDS.map((text): [string, unknown] => [text, text]),
  ])('L01 the believed claim as %s is not the one a rule asks for', async (_, department) => {
    const idToken = server.idToken('alice', 'planner', { department })
    await expectRefusal(server, unopened, () => planner.open(idToken, toResearcher))
  })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['claims with names of facts', { tenant: 'globex', role: 'admin', depth: 8, key: 'none' }],
    ['claims nobody believes', { groups: ['finance'], departments: ['finance'] }],
    ['a name that reads like it', { Department: 'finance', 'department ': 'finance' }],
    ['a path to it', { 'subject.department': 'finance', subject: { department: ['finance'] } }],
    ['a tag', { tags: { department: ['finance'] } }],
    ['a context', { context: { subject: { __entity: { type: 'User', id: 'chief' } } } }],
  ])('L01 %s sets none', async (_, claims) => {
    const idToken = server.idToken('alice', 'planner', claims)
    await expectRefusal(server, unopened, () => planner.open(idToken, toResearcher))
  })

  test.each(['__proto__', 'constructor', 'toString'])(
    'L01 the claim under %s is no claim',
    async (name) => {
      const now = epoch()
      const payload = {
        iss: 'https://idp.example',
        sub: 'alice',
        aud: 'planner',
        iat: now,
        exp: now + 60,
      }
      const text = JSON.stringify(payload).replace(/\}$/, `,"${name}":{"department":["finance"]}}`)
      const idToken = signJwt(server.idpKey, { alg: 'ES256', kid: 'idp-1', typ: 'JWT' }, text)
      await expectRefusal(
        server,
        { reason: name === '__proto__' ? 'subject_token_unacceptable' : unopened.reason },
        () => planner.open(idToken, toResearcher),
      )
    },
  )

  test.each([
    'User::"chief"',
    'chief"',
    '"chief',
    'chief\\',
    'CHIEF',
    '{"__entity":{"type":"User","id":"chief"}}',
    '__entity',
    '__proto__',
    'toString',
    'alice","department":["finance"]',
  ])('L01 the subject %s is itself and nobody else', async (sub) => {
    await expectRefusal(server, unopened, () => planner.open(server.idToken(sub), toResearcher))
    const claims = await expectGranted(server, () =>
      planner.open(server.idToken(sub, 'planner', { department: 'finance' }), toResearcher),
    )
    expect(claims['sub']).toBe(sub)
  })

  test('L01 the fact itself is one: the claim as text and in a list, and the user by name', async () => {
    for (const department of ['finance', ['research', 'finance']]) {
      const idToken = server.idToken('alice', 'planner', { department })
      await expectGranted(server, () => planner.open(idToken, toResearcher))
    }
    await expectGranted(server, () => planner.open(server.idToken('chief'), toResearcher))
  })
})

describe('L01 what an agent’s entry says of it', () => {
  const closed = { reason: 'target_not_permitted', guard: 'target_closed_by_rules' } as const
  /** A task it opened for somebody in finance. */
  const opens = (agent: string, form: Parameters) => () =>
    new AgentClient(server.issuer(), agent, witnessKey).open(
      server.idToken('bob', agent, { department: 'finance' }),
      { ...form, audience: 'files-api' },
    )

  test.each(ENTRY_WORDS.map((text, at) => [text, `witness-${at}`]))(
    'L01 %s as its owner, its purpose and a resource’s owner opens nothing',
    async (text, witness) => {
      await expectRefusal(server, closed, opens(witness, {}))
      await expectRefusal(server, closed, opens(witness, { scope: 'files:read' }))
      const read = await operator.get(`/tenants/acme/agents/${witness}`)
      expect(read.body).toMatchObject({ owner: text, purpose: text })
    },
  )

  test('L01 its owner opens what it opens where it is that owner’s, to the letter', async () => {
    await expectGranted(server, opens('treasurer', {}))
  })

  test('L01 what is no text is not taken for it at all', async () => {
    const before = await liveVersionOf(operator)
    const values = [
      { __entity: { type: 'Agent', id: 'planner' } },
      ['treasury@acme.example'],
      { class: 'orchestrator' },
      true,
    ]
    const files = changedFiles(server, {
      documents: ({ agents }) => {
        for (const [at, value] of values.entries()) {
          find(agents.agents, `witness-${at}`)['owner'] = value
        }
      },
    })
    const answer = await operator.post('/tenants/acme/versions', { files })
    expect(answer.status).toBe(422)
    expect(answer.body['problems']).toHaveLength(values.length)
    expect(await liveVersionOf(operator)).toBe(before)
  })
})

test('L01 a rule cannot ask for the caller’s word as if it were a fact', async () => {
  const names = ['tenant', 'role', 'approved', 'risk', 'principal', 'subject.role', 'request.depth']
  const rules = names.map(
    (name, at) =>
      `@id("r${at}") permit (principal, action == Action::"call", resource) when { context.${name} == "x" };`,
  )
  const files = changedFiles(server, { rules: { 'it.cedar': rules.join('\n') } })
  const answer = await operator.post('/tenants/acme/versions', { files })
  expect(answer.status).toBe(422)
  const lines = (answer.body['problems'] as { line: number }[]).map(({ line }) => line)
  expect(new Set(lines)).toEqual(new Set(names.map((_, at) => at + 1)))
})
