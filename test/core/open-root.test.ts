/** What a task is opened with: task type, subject and opener cut to one another. */
import { describe, expect, test } from 'vitest'
import { findTaskType, openRoot, type RootRequest } from '../../server/core/open-root.ts'
import type { Obligations, RuleQuestion } from '../../server/core/rules.ts'
import type { Agent, TaskType } from '../../server/core/tenant.ts'
import { ALICE, anAgent, aTaskType, aTenant, NOW, rulesOf } from './facts.ts'

const tenant = aTenant()

function request(parts: Partial<RootRequest> = {}): RootRequest {
  return {
    tenant,
    opener: anAgent('planner'),
    taskType: aTaskType(),
    subjectScope: undefined,
    subject: ALICE,
    key: 'dpop',
    request: { scope: [], purpose: undefined },
    ids: { jti: 'root-1', idx: 7 },
    now: NOW,
    ...parts,
  }
}

describe('a root', () => {
  test('has the lists of its task type, the opener’s home last, and no scope that executes', () => {
    expect(openRoot(request())).toEqual({
      root: {
        jti: 'root-1',
        idx: 7,
        iat: NOW,
        exp: NOW + 600,
        max_depth: 3,
        basis: 'policy',
        scope: ['files:read', 'files:write', 'mail:send'],
        reach: [
          'https://researcher.agents/a2a',
          'https://coder.agents/a2a',
          'https://files.api',
          'https://mail.api',
          'https://pay.api',
          'https://planner.agents/a2a',
        ],
      },
      policies: ['all'],
      obligations: {},
    })
  })

  test.each<[string, Partial<RootRequest>, readonly string[]]>([
    ['the task type', { taskType: aTaskType({ scopes: ['mail:send'] }) }, ['mail:send']],
    [
      'the opener',
      { opener: anAgent('planner', { scopes: new Set(['mail:send', 'files:read']) }) },
      ['files:read', 'mail:send'],
    ],
    ['the subject', { subjectScope: ['files:write', 'unheard:of'] }, ['files:write']],
    [
      'all three',
      {
        taskType: aTaskType({ scopes: ['mail:send', 'files:write', 'files:read'] }),
        opener: anAgent('planner', { scopes: new Set(['files:read', 'mail:send']) }),
        subjectScope: ['files:read', 'mail:send', 'pay:transfer'],
      },
      ['mail:send', 'files:read'],
    ],
  ])('has no scope beyond %s', (_, parts, scope) => {
    expect(openRoot(request(parts))).toMatchObject({ root: { scope } })
  })

  test.each<[string, Partial<RootRequest>]>([
    ['the subject may do nothing', { subjectScope: [] }],
    ['the opener may do nothing', { opener: anAgent('planner', { scopes: new Set() }) }],
    ['only what executes is left', { subjectScope: ['pay:transfer'] }],
    ['the tenant knows none of the scopes', { tenant: aTenant({ tenant: { scopes: new Map() } }) }],
  ])('is not opened where %s', (_, parts) => {
    expect(openRoot(request(parts))).toMatchObject({
      reason: 'scope_nothing_left',
      guard: 'root_scope_empty',
    })
  })

  test('lasts as long as the shorter of task type and tenant', () => {
    const limits = { ...tenant.limits, taskLifetime: 60, maxDepth: 2 }
    const cramped = aTenant({ tenant: { limits } })
    expect(openRoot(request({ tenant: cramped }))).toMatchObject({
      root: { exp: NOW + 60, max_depth: 2 },
    })
    const short = aTaskType({ lifetime: 30, maxDepth: 1 })
    expect(openRoot(request({ tenant: cramped, taskType: short }))).toMatchObject({
      root: {
        exp: NOW + 30,
        max_depth: 1,
      },
    })
  })

  test('names each place once, the home too, and none that is gone', () => {
    const reach = ['planner-a2a', 'gone', 'files-api', 'files-api']
    expect(openRoot(request({ taskType: aTaskType({ reach }) }))).toMatchObject({
      root: {
        reach: ['https://planner.agents/a2a', 'https://files.api'],
      },
    })
  })

  test('is not opened by an agent without a home', () => {
    expect(openRoot(request({ opener: anAgent('planner', { home: 'gone' }) }))).toMatchObject({
      reason: 'target_not_permitted',
      guard: 'opener_has_no_home',
    })
  })
})

describe('the tenant’s rules on a root', () => {
  const under = (answer: Parameters<typeof rulesOf>[0], parts: Partial<RootRequest> = {}) =>
    openRoot(request({ tenant: aTenant({ tenant: { rules: rulesOf(answer) } }), ...parts }))

  test('are asked once, about opening, with the opener’s words kept apart', () => {
    const asked: RuleQuestion[] = []
    const words = { scope: ['files:read', 'admin'], purpose: 'principal is an admin' }
    const answer = (question: RuleQuestion) => {
      asked.push(question)
      return {}
    }
    under(answer, { request: words, key: 'none' })
    expect(asked).toEqual([
      {
        action: 'open',
        caller: anAgent('planner'),
        taskType: aTaskType(),
        target: undefined,
        recipient: undefined,
        scope: undefined,
        subject: ALICE,
        task: undefined,
        chain: ['planner'],
        key: 'none',
        now: NOW,
        request: words,
      },
    ])
  })

  test.each<[string, readonly string[] | undefined, Parameters<typeof rulesOf>[0]]>([
    ['no_rule_permits', undefined, { decision: 'refuse', policies: [] }],
    ['rule_forbids', ['no'], { decision: 'refuse', policies: ['no'] }],
    ['rule_failed', ['yes', 'broken'], { policies: ['yes'], failed: ['broken'] }],
    ['rule_depth', ['all'], { obligations: { maxDepth: 0 } }],
    ['rule_key', ['all'], { obligations: { requireKey: 'dpop' } }],
  ])('refuse it (%s)', (guard, policies, answer) => {
    expect(under(answer, { key: 'none' })).toEqual({
      kind: 'refusal',
      reason: 'task_type_not_permitted',
      guard,
      ...(policies === undefined ? {} : { policies }),
    })
  })

  test.each<[string, Obligations, object]>([
    ['a shorter task', { maxTtl: 60 }, { exp: NOW + 60, max_depth: 3 }],
    ['never a longer one', { maxTtl: 9999 }, { exp: NOW + 600 }],
    ['fewer agents', { maxDepth: 1 }, { exp: NOW + 600, max_depth: 1 }],
    ['never more', { maxDepth: 99 }, { max_depth: 3 }],
    ['what proposes left out', { approval: 'propose' }, { scope: ['files:read'] }],
    [
      'what executes left out, as ever',
      { approval: 'execute' },
      { scope: ['files:read', 'files:write', 'mail:send'] },
    ],
  ])('give %s', (_, obligations, root) => {
    expect(under({ policies: ['p'], obligations })).toMatchObject({
      root,
      policies: ['p'],
      obligations,
    })
  })

  test('open nothing where all of it needs a human', () => {
    expect(under({ obligations: { approval: 'read' } })).toMatchObject({
      reason: 'scope_nothing_left',
      guard: 'root_scope_empty',
    })
  })

  test('open nothing the facts have not', () => {
    expect(under({}, { subjectScope: ['mail:send', 'pay:transfer'] })).toMatchObject({
      root: { scope: ['mail:send'] },
    })
  })

  test('L02 that cannot be had are a fault', () => {
    const fault = new Error('the engine is gone')
    const down = () => {
      throw fault
    }
    expect(() => under(down)).toThrow(fault)
  })
})

describe('the task type', () => {
  const OWN = aTaskType({ id: 'own-work', basis: 'client', subjectsFrom: new Set() })
  const OTHER = aTaskType({ id: 'other-work' })
  const idp = { basis: 'policy', issuer: 'idp' } as const
  const find = (
    types: readonly TaskType[],
    named?: string,
    source: Parameters<typeof findTaskType>[2] = idp,
    opener: Agent = anAgent('planner'),
  ) => findTaskType(aTenant({ taskTypes: types }), opener, source, named)

  test('is the only one there is for this opener and subject', () => {
    expect(find([aTaskType(), OWN])).toMatchObject({ id: 'file-work' })
    expect(find([aTaskType(), OWN], undefined, { basis: 'client' })).toMatchObject({
      id: 'own-work',
    })
  })

  test('has to be named where several fit', () => {
    expect(find([aTaskType(), OTHER])).toMatchObject({ reason: 'task_type_required' })
    expect(find([aTaskType(), OTHER], 'other-work')).toMatchObject({ id: 'other-work' })
  })

  test.each<[string, ReturnType<typeof find>]>([
    ['unknown', find([aTaskType()], 'nobody')],
    ['of another spelling', find([aTaskType()], 'File-Work')],
    ['named empty', find([aTaskType()], '')],
    ['closed to the opener', find([aTaskType({ openers: new Set(['coder']) })])],
    ['closed to the opener, and named', find([aTaskType({ openers: new Set() })], 'file-work')],
    ['closed to subjects of this issuer', find([aTaskType({ subjectsFrom: new Set(['x']) })])],
    ['an agent’s own, for a user', find([OWN], 'own-work')],
    ['a user’s, for an agent alone', find([aTaskType()], 'file-work', { basis: 'client' })],
    ['absent', find([])],
  ])('is refused where it is %s', (_, outcome) => {
    expect(outcome).toMatchObject({ kind: 'refusal', reason: 'task_type_not_permitted' })
  })
})
