/** Why a case is decided as it is: every guard in order, the rules, what would have to change. */
import { describe, expect, test } from 'vitest'
import type { Case } from '../../server/core/case.ts'
import { type Explanation, explain } from '../../server/core/explain.ts'
import { HOP_GUARDS, SCOPE_GUARDS } from '../../server/core/guards.ts'
import { CASE_GUARDS } from '../../server/core/rehearse.ts'
import type { RuleAnswer } from '../../server/core/rules.ts'
import type { Agent, Tenant } from '../../server/core/tenant.ts'
import { aCase, anAgent, aTaskType, aTenant, rulesOf } from './facts.ts'

const CHAIN = ['planner', 'researcher']
const names = (guards: readonly { readonly name: string }[]) => guards.map(({ name }) => name)

const under = (answer: Parameters<typeof rulesOf>[0]): Tenant =>
  aTenant({ tenant: { rules: rulesOf(answer) } })
const withAgents = (...agents: readonly Agent[]): Tenant =>
  aTenant({
    agents: ['planner', 'researcher', 'coder', 'rogue'].map(
      (id) => agents.find((agent) => agent.id === id) ?? anAgent(id),
    ),
  })

const guardsAt = ({ guards }: Explanation, at: string) => guards.filter((one) => one.at === at)
const failing = ({ guards }: Explanation) =>
  guards.flatMap(({ at, guard, scope, holds }) =>
    holds ? [] : [[at, guard, scope].filter((word) => word !== undefined).join(' ')],
  )

describe('what is permitted', () => {
  const said = explain(
    under(({ action }) => ({
      policies: [action],
      obligations: { maxTtl: 60, maxDepth: 3, requireKey: 'dpop', approval: 'execute' },
    })),
    aCase({ actors: CHAIN }),
  )

  test('is said with the version, the decision and all it is bound to', () => {
    expect(said).toMatchObject({
      decision: 'permit',
      granted: ['files:read'],
      tenant: 'acme',
      version: 'v1',
      obligations: { max_ttl: 60, max_depth: 3, require_key: 'dpop', approval: 'execute' },
    })
    for (const member of ['reason', 'text', 'guard', 'change', 'ask_instead']) {
      expect(said).not.toHaveProperty(member)
    }
  })

  test('shows every guard in the order it is asked, and each holds', () => {
    expect(guardsAt(said, 'case').map(({ guard }) => guard)).toEqual([
      ...names(CASE_GUARDS),
      'task_type_not_permitted',
    ])
    expect(guardsAt(said, 'open').map(({ guard }) => guard)).toEqual([
      'root_scope_empty',
      'opener_has_no_home',
    ])
    for (const at of ['planner > researcher-a2a', 'researcher > files-api']) {
      const hop = guardsAt(said, at)
      expect(hop.map(({ guard }) => guard)).toEqual([...names(HOP_GUARDS), ...names(SCOPE_GUARDS)])
      expect(hop.map(({ scope }) => scope)).toEqual([
        ...HOP_GUARDS.map(() => undefined),
        ...SCOPE_GUARDS.map(() => 'files:read'),
      ])
    }
    expect(failing(said)).toEqual([])
    expect(said.guards.every(({ text }) => text.length > 0)).toBe(true)
  })

  test('shows the rules at each stage', () => {
    const obligations = { max_ttl: 60, max_depth: 3, require_key: 'dpop', approval: 'execute' }
    expect(said.rules[0]).toEqual({
      at: 'open',
      decision: 'permit',
      policies: ['open'],
      failed: [],
      obligations,
    })
    expect(said.rules.map(({ at, scope, decision }) => [at, scope, decision])).toEqual([
      ['open', undefined, 'permit'],
      ['planner > researcher-a2a', 'files:read', 'permit'],
      ['researcher > files-api', 'files:read', 'permit'],
    ])
    expect(said.rules.at(-1)).toMatchObject({ policies: ['call'], obligations })
  })

  test('shows the facts it was decided by, of this case alone', () => {
    expect(said.facts).toMatchObject({
      subject: 'alice',
      actors: [{ id: 'planner' }, { id: 'researcher', class: 'worker' }],
      task_type: { id: 'file-work', max_depth: 3 },
      resource: { id: 'files-api', kind: 'api', sensitivity: 'low' },
      scope: [{ name: 'files:read', tier: 'read' }],
    })
    expect(JSON.stringify(said)).not.toMatch(/jwks|issuer_clients|rogue"/)
  })
})

describe('what is refused', () => {
  test.each<[string, readonly string[], Tenant, Partial<Case>]>([
    ['actor_unknown', ['case actor_unknown'], aTenant(), { actors: ['planner', 'nobody'] }],
    [
      'actor_inactive',
      ['case actor_inactive'],
      withAgents(anAgent('researcher', { disabled: true })),
      { actors: CHAIN },
    ],
    ['target_unknown', ['case target_unknown'], aTenant(), { resource: 'nobody' }],
    ['task_type_not_permitted', ['case task_type_not_permitted'], aTenant(), { taskType: 'none' }],
    [
      'task_type_required',
      ['case task_type_required'],
      aTenant({ taskTypes: ['a', 'b'].map((id) => aTaskType({ id })) }),
      {},
    ],
    [
      'root_scope_empty',
      ['open root_scope_empty'],
      withAgents(anAgent('planner', { scopes: new Set() })),
      {},
    ],
    [
      'target_closed_to_caller',
      ['planner > files-api target_closed_to_caller'],
      withAgents(anAgent('planner', { mayReach: new Set() })),
      {},
    ],
    [
      'scope_beyond_target',
      ['planner > files-api scope_beyond_target mail:send'],
      aTenant(),
      { scope: ['files:read', 'mail:send'] },
    ],
    [
      'scope_beyond_recipient',
      ['planner > researcher-a2a scope_beyond_recipient files:write'],
      withAgents(anAgent('researcher', { scopes: new Set(['files:read']) })),
      { actors: CHAIN, scope: ['files:read', 'files:write'] },
    ],
    [
      'chain_too_long',
      ['researcher > files-api chain_too_long'],
      aTenant({ taskTypes: [aTaskType({ maxDepth: 1 })] }),
      { actors: CHAIN },
    ],
  ])('by the guard %s shows it failing', (guard, expected, tenant, parts) => {
    const said = explain(tenant, aCase(parts))
    expect(said).toMatchObject({ decision: 'refuse', guard, granted: [], obligations: {} })
    expect(said.text).toMatch(/^[a-z]/)
    expect(failing(said)).toEqual(expected)
  })

  test.each<[string, Partial<RuleAnswer>, object]>([
    ['no_rule_permits', { decision: 'refuse', policies: [] }, { policies: [], failed: [] }],
    ['rule_forbids', { decision: 'refuse', policies: ['no'] }, { policies: ['no'] }],
    ['rule_failed', { policies: ['yes'], failed: ['broken'] }, { failed: ['broken'] }],
    ['rule_depth', { obligations: { maxDepth: 0 } }, { obligations: { max_depth: 0 } }],
  ])(
    'by the rules (%s) shows which, when a task is opened and at a hop',
    (guard, answer, shown) => {
      const atOpen = explain(under(answer), aCase())
      expect(atOpen).toMatchObject({ decision: 'refuse', reason: 'task_type_not_permitted', guard })
      expect(atOpen.rules).toMatchObject([{ at: 'open', decision: 'refuse', guard, ...shown }])
      expect(failing(atOpen)).toEqual([])

      const atCall = explain(
        under(({ action }) => (action === 'call' ? answer : {})),
        aCase(),
      )
      expect(atCall).toMatchObject({ decision: 'refuse', guard: 'target_closed_by_rules' })
      expect(atCall.rules.at(-1)).toMatchObject({
        at: 'planner > files-api',
        scope: 'files:read',
        decision: 'refuse',
        guard,
        ...shown,
      })
      expect(failing(atCall)).toEqual([])
      for (const said of [atOpen, atCall]) expect(said).not.toHaveProperty('change')
    },
  )

  test('without an approval says so, and names no change', () => {
    const said = explain(aTenant(), aCase({ resource: 'pay-api', scope: ['pay:transfer'] }))
    expect(said).toMatchObject({
      decision: 'ask',
      reason: 'approval_required',
      text: 'a requested scope needs the approval of a human',
      guard: 'approval_required',
    })
    expect(said.rules.at(-1)).toMatchObject({ decision: 'ask', guard: 'approval_required' })
    expect(said).not.toHaveProperty('change')
  })

  test('L02 by no engine at all is a fault', () => {
    const down = under(() => {
      throw new Error('the engine is gone')
    })
    expect(() => explain(down, aCase())).toThrow('the engine is gone')
  })
})

describe('what could be asked for instead', () => {
  test('is the part of the scopes that is permitted', () => {
    const said = explain(aTenant(), aCase({ scope: ['files:read', 'mail:send'] }))
    expect(said.ask_instead).toEqual({ resource: 'files-api', scope: ['files:read'] })
  })

  test('is the API the scope belongs to', () => {
    const said = explain(aTenant(), aCase({ scope: ['mail:send'] }))
    expect(said.ask_instead).toEqual({ resource: 'mail-api', scope: ['mail:send'] })
  })

  test('is nothing where the rules go by what is asked for', () => {
    const moody = under(({ request }) => (request.scope.length === 1 ? { decision: 'refuse' } : {}))
    const said = explain(moody, aCase({ scope: ['files:read', 'mail:send'] }))
    expect(said.decision).toBe('refuse')
    expect(said).not.toHaveProperty('ask_instead')
  })

  test('is nothing where nothing is', () => {
    const closed = under({ decision: 'refuse', policies: [] })
    expect(explain(closed, aCase())).not.toHaveProperty('ask_instead')
    const said = explain(aTenant(), aCase({ scope: ['unheard:of'] }))
    expect(said).not.toHaveProperty('ask_instead')
  })
})
