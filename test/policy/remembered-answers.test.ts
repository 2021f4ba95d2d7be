/** An answer is remembered for the very same question to the very same version, and for nothing else. */
import { describe, expect, test } from 'vitest'
import type { RuleQuestion } from '../../server/core/rules.ts'
import { type Engine, processEngine } from '../../server/policy/engine.ts'
import { aQuestion, FACTS, NOW, policiesOf, rulesFor } from './fixture.ts'

/** Reads all there is: the context as a whole, tags and what lies in what. */
const READS_ALL = `
  @id("all") permit (principal, action, resource) when { { all: context }.all == context };
  @id("more") permit (principal in Tenant::"acme", action, resource)
  when { context has subject && context.subject.hasTag("x") };`

/** The engine, and how often it was asked. */
function counted(): Engine & { asked: number } {
  const engine = {
    asked: 0,
    ask: (...question: Parameters<Engine['ask']>) => {
      engine.asked += 1
      return processEngine.ask(...question)
    },
  }
  return engine
}

function changes(of: RuleQuestion): readonly (readonly [string, RuleQuestion])[] {
  const { caller, taskType, target, recipient, subject, task } = of
  const agents = {
    class: 'retrieval',
    owner: 'legal',
    purpose: 'something else',
    binding: 'bearer',
    id: 'worker',
  } as const
  const users = { id: 'user-2', issuer: 'idp-2', claims: { department: ['research'] } }
  const parts = [
    ...each('caller', caller, agents),
    ...each('taskType', taskType, { id: 'nightly', basis: 'client' }),
    ...each('target', target, {
      id: 'payments',
      kind: 'agent',
      sensitivity: 'high',
      owner: 'legal',
    }),
    ...each('recipient', recipient, agents),
    ...each('subject', subject, users),
    ...each('subject', subject, { claims: { departments: ['research', 'legal'] } }),
    ...each('task', task, { txn: 'txn-2', openedAt: NOW - 61, deadline: NOW + 841 }),
    ['subject', undefined],
    ['chain', ['worker', ...of.chain]],
    ['chain', [...of.chain, ...of.chain]],
    ['key', 'none'],
    ['now', NOW + 1],
    ['scope', 'mail:draft'],
    ['action', of.action === 'open' ? 'open' : 'call'],
    ['request', { ...of.request, scope: [...of.request.scope, 'x'] }],
    ['request', { ...of.request, scope: [] }],
    ['request', { ...of.request, purpose: 'another' }],
  ] as readonly (readonly [keyof RuleQuestion, unknown])[]
  return (
    parts
      .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(of[name]))
      // What an action does not know of cannot matter to it.
      .filter(([name]) => of.action !== 'open' || !['chain', 'scope'].includes(name))
      .filter(
        ([name, value]) =>
          of.action === 'open' ||
          name !== 'request' ||
          (value as RuleQuestion['request']).purpose === of.request.purpose,
      )
      .map(([name, value]) => [`${name} ${JSON.stringify(value)}`, { ...of, [name]: value }])
  )
}

function each<Part extends object>(name: string, part: Part | undefined, others: Partial<Part>) {
  if (part === undefined) return []
  return Object.entries(others).map(([member, value]) => [name, { ...part, [member]: value }])
}

describe('L04 an answer is remembered for one question', () => {
  test.each([
    ['open', aQuestion({ action: 'open' }), 14],
    ['call', aQuestion(), 24],
    ['delegate', aQuestion({ target: 'finder' }), 30],
  ] as const)('%s: each input that changes asks the engine again', (_, question, least) => {
    const changed = changes(question)
    expect(changed.length).toBeGreaterThanOrEqual(least)
    for (const [, other] of changed) {
      const engine = counted()
      const { answer } = rulesFor(FACTS, policiesOf(READS_ALL), engine)
      answer(question)
      answer({ ...question })
      expect(engine.asked).toBe(1)
      answer(other)
      expect.soft(engine.asked).toBe(2)
      answer(question)
      expect(engine.asked).toBe(2)
    }
  })

  test('what no rule reads is not asked about', () => {
    const engine = counted()
    const policies = policiesOf(`@id("read") permit (principal, action, resource)
      when { context has scope && context.scope.tier == "read" };`)
    const { answer } = rulesFor(FACTS, policies, engine)
    const first = answer(aQuestion())
    expect(answer(aQuestion({ now: NOW + 1, key: 'none', subject: undefined }))).toEqual(first)
    expect(engine.asked).toBe(1)
    expect(answer(aQuestion({ scope: 'mail:draft' })).decision).toBe('refuse')
    expect(engine.asked).toBe(2)
  })

  test('another version asks again, and answers for itself', () => {
    const engine = counted()
    const permit = policiesOf('@id("it") permit (principal, action, resource);')
    const forbid = policiesOf('@id("it") forbid (principal, action, resource);')
    const decisions = [permit, forbid, permit].map(
      (policies) => rulesFor(FACTS, policies, engine).answer(aQuestion()).decision,
    )
    expect(decisions).toEqual(['permit', 'refuse', 'permit'])
    expect(engine.asked).toBe(3)
  })

  test('facts that changed with the version are read again', () => {
    const policies = policiesOf(`@id("it") permit (principal, action, resource)
      when { context has scope && context.scope.tier == "read" };`)
    const scope = FACTS.scopes.get('mail:read')!
    const scopes = new Map(FACTS.scopes).set('mail:read', { ...scope, tier: 'execute' })
    expect(rulesFor(FACTS, policies).answer(aQuestion()).decision).toBe('permit')
    expect(rulesFor({ ...FACTS, scopes }, policies).answer(aQuestion()).decision).toBe('refuse')
  })

  test('thousands of questions are forgotten again, not kept', () => {
    const engine = counted()
    const { answer } = rulesFor(FACTS, policiesOf(READS_ALL), engine)
    for (let second = 0; second < 2500; second++) answer(aQuestion({ now: NOW + second }))
    expect(engine.asked).toBe(2500)
    answer(aQuestion({ now: NOW }))
    expect(engine.asked).toBe(2501)
  })
})
