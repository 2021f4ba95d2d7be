/** The tenant's rules on one scope, after every guard: what they are asked, and what each answer makes of the decision. */
import { describe, expect, test } from 'vitest'
import { decide, type PolicyDecision } from '../../server/core/decide.ts'
import type { HopFacts } from '../../server/core/guards.ts'
import type { RuleAnswer, RuleQuestion } from '../../server/core/rules.ts'
import { ALICE, aHop, anAgent, anApi, aTenant, NOW, rulesOf } from './facts.ts'

const under = (answer: Parameters<typeof rulesOf>[0]) =>
  aTenant({ tenant: { rules: rulesOf(answer) } })
const CHAIN = ['planner', 'researcher']

describe('an answer of the rules', () => {
  test.each<[PolicyDecision, string | undefined, Partial<RuleAnswer>, Partial<HopFacts>?]>([
    ['permit', undefined, {}],
    ['refuse', 'no_rule_permits', { decision: 'refuse', policies: [] }],
    ['refuse', 'rule_forbids', { decision: 'refuse', policies: ['no-night-work'] }],
    ['refuse', 'rule_failed', { decision: 'refuse', policies: [], failed: ['broken'] }],
    // The one that could not be evaluated may have been the forbid.
    ['refuse', 'rule_failed', { decision: 'permit', failed: ['broken'] }],
    ['refuse', 'rule_failed', { decision: 'refuse', policies: ['no'], failed: ['broken'] }],
    ['permit', undefined, { obligations: { maxDepth: 2 } }, { chain: CHAIN }],
    ['refuse', 'rule_depth', { obligations: { maxDepth: 1 } }, { chain: CHAIN }],
    ['permit', undefined, { obligations: { requireKey: 'dpop' } }],
    ['refuse', 'rule_key', { obligations: { requireKey: 'dpop' } }, { key: 'none' }],
    ['refuse', 'rule_key', { obligations: { requireKey: 'dpop' } }, { key: 'mtls' }],
    ['refuse', 'rule_key', { obligations: { requireKey: 'bound' } }, { key: 'none' }],
    ['permit', undefined, { obligations: { requireKey: 'bound' } }, { key: 'mtls' }],
    ['permit', undefined, { obligations: { requireKey: 'bound' } }, { key: 'dpop' }],
    ['permit', undefined, { obligations: {} }, { key: 'none' }],
    ['permit', undefined, { obligations: { maxTtl: 1 } }],
    ['permit', undefined, { obligations: { approval: 'execute' } }],
    ['permit', undefined, { obligations: { approval: 'propose' } }],
    ['ask', 'approval_required', { obligations: { approval: 'read' } }],
    // An approval is not asked for where it would not help.
    ['refuse', 'rule_depth', { obligations: { approval: 'read', maxDepth: 1 } }, { chain: CHAIN }],
    [
      'refuse',
      'rule_key',
      { obligations: { approval: 'read', requireKey: 'dpop' } },
      { key: 'none' },
    ],
  ])('makes it %s (%s)', (outcome, guard, answer, parts) => {
    const tenant = under(answer)
    expect(decide(aHop({ tenant, ...parts }), 'files:read')).toEqual({
      outcome,
      guard,
      answer: tenant.rules.answer(undefined as unknown as RuleQuestion),
    })
  })

  test.each([
    ['files:read', 'read', 'ask'],
    ['files:read', 'propose', 'permit'],
    ['files:read', 'execute', 'permit'],
    ['files:write', 'read', 'ask'],
    ['files:write', 'propose', 'ask'],
    ['files:write', 'execute', 'permit'],
    ['pay:transfer', 'read', 'ask'],
    ['pay:transfer', 'propose', 'ask'],
    ['pay:transfer', 'execute', 'ask'],
  ] as const)('on %s with @approval("%s") makes it %s', (scope, approval, expected) => {
    const tenant = under({ obligations: { approval } })
    const target = tenant.resources.get(tenant.scopes.get(scope)!.resource)!
    expect(decide(aHop({ tenant, target }), scope).outcome).toBe(expected)
  })

  test('never lifts the approval that the platform asks for', () => {
    const target = anApi('pay')
    for (const answer of [{}, { obligations: {} }, { policies: ['approved'] }]) {
      expect(decide(aHop({ tenant: under(answer), target }), 'pay:transfer').outcome).toBe('ask')
    }
  })

  test('is not waited for where a guard refuses: the engine is not even asked', () => {
    const tenant = under(() => {
      throw new Error('asked')
    })
    const caller = anAgent('planner', { scopes: new Set() })
    expect(decide(aHop({ tenant, caller }), 'files:read').guard).toBe('scope_beyond_caller')
  })

  test('L02 that cannot be had is a fault, never a decision', () => {
    const fault = new Error('the engine is gone')
    const tenant = under(() => {
      throw fault
    })
    expect(() => decide(aHop({ tenant }), 'files:read')).toThrow(fault)
  })
})

describe('what the rules are asked', () => {
  function questionOf(parts: Partial<HopFacts>, scope = 'files:read'): RuleQuestion {
    const asked: RuleQuestion[] = []
    const tenant = under((question) => {
      asked.push(question)
      return {}
    })
    decide(aHop({ tenant, ...parts }), scope)
    const [question, ...more] = asked
    if (question === undefined || more.length > 0) throw new Error(`asked ${asked.length} times`)
    return question
  }

  test('of an API is a call, with the facts of this hop and nothing more', () => {
    const hop = aHop({ chain: CHAIN, caller: anAgent('researcher') })
    expect(questionOf({ chain: CHAIN, caller: anAgent('researcher') })).toEqual({
      action: 'call',
      caller: hop.caller,
      taskType: hop.taskType,
      target: anApi('files'),
      recipient: undefined,
      scope: 'files:read',
      subject: ALICE,
      task: { txn: 'task-1', openedAt: NOW, deadline: NOW + 600 },
      chain: CHAIN,
      key: 'dpop',
      now: NOW,
      request: { scope: [], purpose: undefined },
    })
  })

  test('of an agent is a delegation to the one that answers there', () => {
    const target = aTenant().resources.get('researcher-a2a')!
    expect(questionOf({ target })).toMatchObject({
      action: 'delegate',
      target: { id: 'researcher-a2a' },
      recipient: { id: 'researcher' },
    })
  })

  test('for an agent on its own behalf has no subject', () => {
    expect(questionOf({ subject: undefined, key: 'none' })).toMatchObject({
      subject: undefined,
      key: 'none',
    })
  })

  test('L01 the caller’s own words stand under request, and change no fact', () => {
    const words = ['files:read', 'files:write', 'tenant:admin', 'approved:true', '__proto__']
    const { request, ...facts } = questionOf({ scope: words })
    expect(request).toEqual({ scope: words, purpose: undefined })
    const { request: none, ...same } = questionOf({})
    expect(none).toEqual({ scope: [], purpose: undefined })
    expect(facts).toEqual(same)
  })
})
