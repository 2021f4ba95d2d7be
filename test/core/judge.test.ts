/** A case walked from its root to the agent that asks: what it comes to, and by which guard or rules. */
import { describe, expect, test } from 'vitest'
import type { Case } from '../../server/core/case.ts'
import { judge, type Outcome } from '../../server/core/judge.ts'
import { rehearse } from '../../server/core/rehearse.ts'
import type { Obligations, RuleQuestion } from '../../server/core/rules.ts'
import type { Agent, Tenant } from '../../server/core/tenant.ts'
import {
  aCase,
  anAgent,
  anApi,
  anEndpoint,
  aTaskType,
  aTenant,
  aTrustedIssuer,
  NOW,
  rulesOf,
} from './facts.ts'

const CHAIN = ['planner', 'researcher', 'coder']
const agent = (id: string) => anAgent(id, { binding: 'bearer' })
const idp = aTrustedIssuer({ subjectClaims: ['department'] })
const tenant = aTenant({
  agents: ['planner', 'researcher', 'coder', 'rogue'].map(agent),
  taskTypes: [aTaskType(), aTaskType({ id: 'own-work', basis: 'client', subjectsFrom: new Set() })],
  tenant: { trustedIssuers: new Map([[idp.issuer, idp]]) },
})

const under = (answer: Parameters<typeof rulesOf>[0]): Tenant => ({
  ...tenant,
  rules: rulesOf(answer),
})
const withAgent = (id: string, parts: Parameters<typeof anAgent>[1]): Tenant => ({
  ...tenant,
  agents: new Map([...tenant.agents, [id, { ...agent(id), ...parts }]]),
})

/** Every question the rules are asked for a case. */
function questionsOf(asked: Case): readonly RuleQuestion[] {
  const questions: RuleQuestion[] = []
  const answer = (question: RuleQuestion) => {
    questions.push(question)
    return {}
  }
  judge(under(answer), asked)
  return questions
}

describe('a case', () => {
  test.each<[string, Partial<Case>, Partial<Outcome>]>([
    ['of the opener alone', {}, { decision: 'permit', granted: ['files:read'] }],
    [
      'with no scope named',
      { scope: undefined },
      { decision: 'permit', granted: ['files:read', 'files:write'] },
    ],
    [
      'of a resource by its URI',
      { resource: 'https://files.api' },
      { decision: 'permit', granted: ['files:read'] },
    ],
    ['of a chain', { actors: CHAIN }, { decision: 'permit', granted: ['files:read'] }],
    [
      'of a delegation',
      { actors: ['planner', 'researcher'], resource: 'coder-a2a', scope: ['mail:send'] },
      { decision: 'permit', granted: ['mail:send'] },
    ],
    ['of an agent for itself', { subject: undefined }, { decision: 'permit' }],
    [
      'of a named issuer and task type',
      { issuer: 'idp', taskType: 'file-work' },
      { decision: 'permit' },
    ],
    [
      'of a scope that executes',
      { resource: 'pay-api', scope: ['pay:transfer'] },
      { decision: 'ask', reason: 'approval_required', guard: 'approval_required' },
    ],
    [
      'of one along a chain',
      { actors: CHAIN, resource: 'pay-api', scope: ['pay:transfer'] },
      { decision: 'ask', reason: 'approval_required' },
    ],
  ])('%s', (_, parts, expected) => {
    expect(judge(tenant, aCase(parts))).toMatchObject(expected)
  })

  test.each<[string, string, Partial<Case>, Tenant?]>([
    ['client_authentication_failed', 'actor_unknown', { actors: [] }],
    ['client_authentication_failed', 'actor_unknown', { actors: ['nobody'] }],
    ['client_authentication_failed', 'actor_unknown', { actors: ['planner', 'nobody'] }],
    ['actor_inactive', 'actor_inactive', {}, withAgent('planner', { disabled: true })],
    [
      'actor_inactive',
      'actor_inactive',
      { actors: CHAIN },
      withAgent('researcher', { expires: NOW }),
    ],
    ['actor_already_in_chain', 'actor_already_in_chain', { actors: ['planner', 'planner'] }],
    ['actor_already_in_chain', 'actor_already_in_chain', { actors: [...CHAIN, 'planner'] }],
    [
      'proof_required',
      'proof_required',
      { actors: CHAIN, key: 'none' },
      withAgent('researcher', { binding: 'dpop' }),
    ],
    [
      'certificate_required',
      'certificate_required',
      { actors: CHAIN, key: 'dpop' },
      withAgent('researcher', { binding: 'mtls' }),
    ],
    [
      'proof_required',
      'proof_required',
      { actors: CHAIN, key: 'mtls' },
      withAgent('researcher', { binding: 'dpop' }),
    ],
    ['subject_token_unacceptable', 'subject_is_actor', { subject: 'rogue' }],
    [
      'subject_inactive',
      'subject_inactive',
      {},
      { ...tenant, disabledSubjects: new Set(['alice']) },
    ],
    ['subject_token_unacceptable', 'caller_unknown_at_issuer', { issuer: 'partner' }],
    [
      'subject_token_unacceptable',
      'caller_unknown_at_issuer',
      {},
      withAgent('planner', { issuerClients: new Map() }),
    ],
    ['target_not_permitted', 'target_unknown', { resource: 'nobody-api' }],
    ['target_not_permitted', 'target_unknown', { resource: '__proto__' }],
    ['task_type_not_permitted', 'task_type_not_permitted', { taskType: 'nothing' }],
    ['task_type_not_permitted', 'task_type_not_permitted', { actors: ['researcher'] }],
    ['task_type_not_permitted', 'task_type_not_permitted', { taskType: 'own-work' }],
    [
      'task_type_required',
      'task_type_required',
      {},
      { ...tenant, taskTypes: new Map(['a', 'b'].map((id) => [id, aTaskType({ id })])) },
    ],
    ['target_not_permitted', 'target_beyond_reach', { resource: 'rogue-a2a' }],
    ['target_not_permitted', 'target_beyond_reach', { actors: ['planner', 'rogue'] }],
    [
      'target_not_permitted',
      'target_closed_to_caller',
      {},
      withAgent('planner', { mayReach: new Set(['mail-api']) }),
    ],
    [
      'target_not_permitted',
      'target_beyond_reach',
      { actors: CHAIN },
      withAgent('researcher', { mayReach: new Set(['files-api']) }),
    ],
    [
      'target_not_permitted',
      'target_beyond_reach',
      { actors: CHAIN },
      withAgent('coder', { mayReach: new Set() }),
    ],
    [
      'chain_too_long',
      'chain_too_long',
      { actors: ['planner', 'researcher'] },
      { ...tenant, limits: { ...tenant.limits, maxDepth: 1 } },
    ],
    ['scope_not_permitted', 'scope_unknown', { scope: ['unheard:of'] }],
    ['scope_not_permitted', 'scope_beyond_target', { scope: ['mail:send'] }],
    [
      'scope_not_permitted',
      'scope_beyond_parent',
      { actors: CHAIN, scope: ['files:write'] },
      withAgent('planner', { scopes: new Set(['files:read']) }),
    ],
    [
      'scope_not_permitted',
      'scope_beyond_recipient',
      { actors: CHAIN, scope: ['files:write'] },
      withAgent('researcher', { scopes: new Set(['files:read']) }),
    ],
    [
      'scope_not_permitted',
      'scope_beyond_recipient',
      { actors: CHAIN },
      withAgent('researcher', { scopes: new Set() }),
    ],
    [
      'scope_nothing_left',
      'scope_nothing_left',
      { actors: CHAIN, scope: undefined },
      withAgent('researcher', { scopes: new Set() }),
    ],
    [
      'scope_nothing_left',
      'scope_nothing_left',
      { actors: CHAIN, resource: 'pay-api', scope: ['pay:transfer'] },
      withAgent('researcher', { scopes: new Set() }),
    ],
  ])('is refused: %s (%s)', (reason, guard, parts, of = tenant) => {
    const outcome = judge(of, aCase(parts))
    expect(outcome).toMatchObject({ decision: 'refuse', reason, guard, granted: [] })
    expect(outcome.obligations).toEqual({})
  })

  test('waits for an approval that a handover needs', () => {
    const of = under(({ caller }) =>
      caller.id === 'researcher' ? { obligations: { approval: 'propose' } } : {},
    )
    const [reads, writes] = [['files:read'], ['files:write']].map((scope) =>
      judge(of, aCase({ actors: CHAIN, scope })),
    )
    expect(reads).toMatchObject({ decision: 'permit', granted: ['files:read'] })
    expect(writes).toMatchObject({ decision: 'ask', guard: 'approval_required', granted: [] })
  })

  test('asks no rule where a guard of the case refuses', () => {
    expect(questionsOf(aCase({ actors: ['planner', 'nobody'] }))).toEqual([])
    expect(questionsOf(aCase({ resource: 'nobody-api' }))).toEqual([])
    expect(questionsOf(aCase({ taskType: 'nothing' }))).toEqual([])
  })
})

test('each agent of a case proves what it is bound to, unless the case says otherwise', () => {
  const agents = [...tenant.agents].map(([id, parts]): [string, Agent] => [
    id,
    { ...parts, binding: id === 'researcher' ? 'mtls' : 'dpop' },
  ])
  const keys = new Map<string, string>()
  const rules = rulesOf(({ caller, key }) => {
    keys.set(caller.id, key)
    return {}
  })
  const mixed = { ...tenant, agents: new Map(agents), rules }
  const asked = aCase({ actors: CHAIN, key: undefined })
  expect(judge(mixed, asked).decision).toBe('permit')
  expect(Object.fromEntries(keys)).toEqual({ planner: 'dpop', researcher: 'mtls', coder: 'dpop' })
})

describe('the rules of a case', () => {
  test('are asked to open, to delegate at each hop, and to call at the last', () => {
    const questions = questionsOf(aCase({ actors: CHAIN, claims: { department: ['sales'] } }))
    const said = questions.map(({ action, caller, target }) =>
      [action, caller.id, target?.id].join(' '),
    )
    expect([...new Set(said)]).toEqual([
      'open planner ',
      'delegate planner researcher-a2a',
      'delegate researcher coder-a2a',
      'call coder files-api',
    ])
    expect(questions.at(-1)).toMatchObject({
      chain: CHAIN,
      subject: { id: 'alice', issuer: 'idp', claims: { department: ['sales'] } },
      scope: 'files:read',
      request: { scope: ['files:read'] },
      now: NOW,
    })
  })

  test('hear of the subject what its issuer is believed, and nothing else a case makes up', () => {
    const claims = { department: ['sales'], role: ['admin'], __proto__: ['x'] }
    for (const { subject } of questionsOf(aCase({ claims }))) {
      expect(subject?.claims).toEqual({ department: ['sales'] })
    }
  })

  test('hear the opener’s words when it opens', () => {
    const [alone] = questionsOf(aCase({ purpose: 'reconcile' }))
    expect(alone).toMatchObject({ request: { scope: ['files:read'], purpose: 'reconcile' } })
    const [first] = questionsOf(aCase({ purpose: 'reconcile', actors: CHAIN }))
    expect(first).toMatchObject({ request: { scope: ['files:read'], purpose: 'reconcile' } })
  })

  test.each<[string, readonly string[] | undefined, readonly string[], readonly string[]]>([
    ['what the last one needs', ['files:read'], ['files:read'], ['files:read']],
    [
      'no more than a token can carry',
      ['files:read', 'pay:transfer'],
      ['files:read'],
      ['files:read'],
    ],
    [
      'everything where it can carry none',
      ['pay:transfer'],
      [],
      ['files:read', 'files:write', 'mail:send'],
    ],
    [
      'everything where nothing is named',
      undefined,
      [],
      ['files:read', 'files:write', 'mail:send'],
    ],
  ])('hear at the opening and at every handover of %s', (_, scope, said, handed) => {
    const questions = questionsOf(aCase({ actors: CHAIN, scope }))
    const open = questions.filter(({ action }) => action === 'open')
    expect(open.map(({ request }) => request.scope)).toEqual([said])
    for (const caller of ['planner', 'researcher']) {
      const handovers = questions.filter(
        (one) => one.action === 'delegate' && one.caller.id === caller,
      )
      expect(handovers.map((one) => one.scope)).toEqual(handed)
      expect(handovers.map(({ request }) => request.scope)).toEqual(handed.map(() => said))
    }
  })

  test('refuse it at the hop they close, with all that took part so far', () => {
    const of = under(({ action, caller }) =>
      action === 'call'
        ? { decision: 'refuse', policies: ['no-calls'] }
        : { policies: [`${action}-${caller.id}`] },
    )
    expect(judge(of, aCase({ actors: ['planner', 'researcher'] }))).toEqual({
      decision: 'refuse',
      reason: 'target_not_permitted',
      guard: 'target_closed_by_rules',
      granted: [],
      policies: ['open-planner', 'delegate-planner', 'no-calls'],
      obligations: {},
    })
  })

  test('bind it by the strictest of every hop and of the opening', () => {
    const bounds: Readonly<Record<string, Obligations>> = {
      open: { maxTtl: 500, maxDepth: 3 },
      delegate: { maxTtl: 100, requireKey: 'dpop' },
      call: { maxTtl: 200, maxDepth: 2 },
    }
    const of = under(({ action }) => ({ policies: [action], obligations: bounds[action] ?? {} }))
    expect(judge(of, aCase({ actors: ['planner', 'researcher'] }))).toEqual({
      decision: 'permit',
      reason: undefined,
      guard: undefined,
      granted: ['files:read'],
      policies: ['open', 'delegate', 'call'],
      obligations: { maxTtl: 100, maxDepth: 2, requireKey: 'dpop' },
    })
  })

  test('that make a hop shallow refuse the chain that goes on', () => {
    const of = under(({ recipient }) =>
      recipient?.id === 'researcher' ? { obligations: { maxDepth: 2 } } : {},
    )
    expect(judge(of, aCase({ actors: ['planner', 'researcher'] })).decision).toBe('permit')
    expect(judge(of, aCase({ actors: CHAIN }))).toMatchObject({
      decision: 'refuse',
      reason: 'chain_too_long',
    })
  })

  test('A13 hear who asks now: trust in an agent is none in a chain it was part of', () => {
    const of = under(({ action, caller }) =>
      action === 'call' && caller.id !== 'researcher' ? { decision: 'refuse', policies: [] } : {},
    )
    expect(judge(of, aCase({ actors: ['planner', 'researcher'] })).decision).toBe('permit')
    expect(judge(of, aCase({ actors: CHAIN }))).toMatchObject({
      decision: 'refuse',
      reason: 'target_not_permitted',
    })
  })

  test('L02 that cannot be had are a fault, never an outcome', () => {
    const fault = new Error('the engine is gone')
    const down = () => {
      throw fault
    }
    expect(() => judge(under(down), aCase())).toThrow(fault)
    expect(() => rehearse(under(down), aCase())).toThrow(fault)
  })
})

describe('a handover', () => {
  const endpoints = ['planner', 'researcher', 'coder'].map((id) => anEndpoint(id))
  const extra = anEndpoint('researcher', { id: 'researcher-mcp', uri: 'https://researcher.mcp' })
  const of = (reach: readonly string[], parts: Partial<Tenant> = {}): Tenant =>
    aTenant({
      agents: ['planner', 'researcher', 'coder'].map((id) =>
        anAgent(id, { mayReach: new Set([...anAgent(id).mayReach, 'researcher-mcp']) }),
      ),
      resources: [...endpoints, extra, anApi('files')],
      taskTypes: [aTaskType({ reach })],
      tenant: parts,
    })
  const targetsOf = (tenantOf: Tenant): readonly string[] =>
    rehearse(tenantOf, aCase({ actors: ['planner', 'researcher'] })).stages.flatMap((stage) =>
      stage.what === 'hop' ? stage.request.target.id : [],
    )

  test('goes to the endpoint of the next agent that lies within reach', () => {
    expect(targetsOf(of(['researcher-mcp', 'files-api']))).toEqual(['researcher-mcp', 'files-api'])
    expect(targetsOf(of(['researcher-a2a', 'researcher-mcp', 'files-api']))).toEqual([
      'researcher-a2a',
      'files-api',
    ])
  })

  test('goes to its home where none does, and is refused there', () => {
    expect(targetsOf(of(['files-api']))).toEqual(['researcher-a2a'])
    expect(judge(of(['files-api']), aCase({ actors: ['planner', 'researcher'] }))).toMatchObject({
      guard: 'target_beyond_reach',
    })
  })
})
