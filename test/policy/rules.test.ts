/** What a tenant's rules answer: permits, forbids, what binds a permit, and what a rule may speak of. */
import { describe, expect, test } from 'vitest'
import { type Asked, aQuestion, FACTS, NOW, rulesFor, rulesOf } from './fixture.ts'

const NOTHING = { decision: 'refuse', policies: [], obligations: {}, failed: [] }
const permitBy = (...policies: readonly string[]) => ({
  decision: 'permit',
  policies,
  obligations: {},
  failed: [],
})

/** The decision under one permit with this condition. */
function holds(condition: string, asked: Asked = {}): boolean {
  const question = aQuestion(asked)
  const head = `principal, action == Action::"${question.action}", resource`
  const answer = rulesOf(`@id("it") permit (${head}) when { ${condition} };`).answer(question)
  expect(answer.failed).toEqual([])
  return answer.decision === 'permit'
}

describe('deny by default', () => {
  test('a tenant without policies permits nothing', () => {
    const { answer } = rulesFor(FACTS, [])
    for (const action of ['open', 'call'] as const) {
      expect(answer(aQuestion({ action }))).toEqual(NOTHING)
    }
  })

  test('a permit holds for its action, principal and resource alone', () => {
    const { answer } = rulesOf(
      '@id("one") permit (principal == Agent::"planner", action == Action::"call", resource == Resource::"mail");',
    )
    expect(answer(aQuestion())).toEqual(permitBy('one'))
    expect(answer(aQuestion({ action: 'open' }))).toEqual(NOTHING)
    expect(answer(aQuestion({ target: 'payments' }))).toEqual(NOTHING)
    expect(answer(aQuestion({ target: 'finder' }))).toEqual(NOTHING)
    expect(answer(aQuestion({ chain: ['planner', 'worker'] }))).toEqual(NOTHING)
  })

  test('a forbid wins over every permit, and is named', () => {
    const { answer } = rulesOf(`
      @id("all") permit (principal, action, resource);
      @id("no-pay") forbid (principal, action, resource == Resource::"payments");
      @id("no-worker") forbid (principal == Agent::"worker", action, resource);`)
    expect(answer(aQuestion())).toEqual(permitBy('all'))
    const asked = aQuestion({ target: 'payments', chain: ['planner', 'worker'] })
    expect(answer(asked)).toEqual({ ...NOTHING, policies: ['no-pay', 'no-worker'] })
  })

  test.each([
    ['a scope nobody defines', { scope: 'mail:burn' }],
    ['no scope', { scope: undefined }],
    ['no task', { task: undefined }],
    ['no chain', { chain: [] }],
    ['an agent of the chain that is gone', { chain: ['gone', 'planner'] }],
    ['a delegation to nobody', { action: 'delegate' as const, recipient: undefined }],
    ['a call without a target', { target: undefined }],
    ['a time that is none', { now: Number.NaN }],
    ['a time beyond the calendar', { now: 1e15 }],
  ])('%s permits nothing', (_, wrong) => {
    const { answer } = rulesOf('@id("all") permit (principal, action, resource);')
    expect(answer({ ...aQuestion(), ...wrong })).toEqual(NOTHING)
  })
})

describe('obligations', () => {
  test('are the strictest of all permits that hold, whichever head they have', () => {
    const { answer } = rulesOf(`
      @id("a") @max_ttl("5m") @max_depth("3") permit (principal, action, resource);
      @id("b") @max_ttl("60s") @approval("execute") permit (principal == Agent::"planner", action, resource);
      @id("c") @require_key("dpop") @approval("propose") permit (principal, action, resource == Resource::"mail");
      @id("d") @max_depth("1") permit (principal, action, resource == Resource::"payments");`)
    expect(answer(aQuestion())).toEqual({
      ...permitBy('a', 'b', 'c'),
      obligations: { maxTtl: 60, maxDepth: 3, requireKey: 'dpop', approval: 'propose' },
    })
  })

  test('are none on a refusal', () => {
    const { answer } = rulesOf(`
      @id("a") @max_ttl("5m") permit (principal, action, resource);
      @id("b") forbid (principal, action, resource);`)
    expect(answer(aQuestion())).toEqual({ ...NOTHING, policies: ['b'] })
  })
})

describe('what a rule may read', () => {
  test.each([
    ['principal.class == "orchestrator"', true],
    ['principal.class == "worker"', false],
    ['principal has purpose && principal.purpose like "plans*"', true],
    ['principal.binding == "dpop"', true],
    ['resource.sensitivity == "low" && resource.kind == "api"', true],
    ['resource has owner && resource.owner == principal.owner', true],
    ['context.scope == Scope::"mail:read"', true],
    ['context.scope.tier == "read" && context.scope.sensitivity == "low"', true],
    ['context.scope.resource == resource && context.scope.resource.sensitivity == "low"', true],
    ['context.scope in Resource::"mail"', true],
    ['context.scope in Resource::"payments"', false],
    ['principal in Tenant::"acme" && context.scope in Tenant::"acme"', true],
    ['principal is Agent && resource is Resource in Tenant::"acme"', true],
    ['context has subject && context.subject == User::"user-1"', true],
    ['context has subject && context.subject in Tenant::"acme"', true],
    ['context has subject && context.subject.issuer == "idp"', true],
    ['context has subject && context.subject.hasTag("role")', false],
    ['context.task == Task::"txn-1" && context.task.type == TaskType::"digest"', true],
    ['context.task.opener.class == "orchestrator"', true],
    ['context.task.type.basis == "policy" && context.basis == "policy"', true],
    ['context.task_type.basis == "policy"', true],
    ['context.task.deadline.durationSince(context.now) == duration("14m")', true],
    ['context.task.opened_at < context.now', true],
    ['context.opener == principal && context.opener.owner == "research"', true],
    ['context.depth == 1 && context.chain == [principal]', true],
    ['context.chain_classes == ["orchestrator"] && context.chain_owners == ["research"]', true],
    ['context.key == "dpop"', true],
    ['context.weekday == "wednesday"', true],
    ['context.now < datetime("2026-07-01T12:00:01Z")', true],
    ['context.now < datetime("2026-07-01T12:00:00Z")', false],
    ['context.request.scope.contains("mail:read")', true],
    ['context.request == {scope: ["mail:read"]}', true],
    ['Agent::"worker".owner == "finance" && Agent::"worker" in Tenant::"acme"', true],
    ['(if context.depth > 1 then Agent::"worker" else Agent::"finder").class == "retrieval"', true],
    ['(if context.depth > 0 then Agent::"worker" else Agent::"finder").class == "worker"', true],
    ['{ asked: context }.asked.key == "dpop"', true],
  ])('call: %s', (condition, expected) => {
    expect(holds(condition)).toBe(expected)
  })

  test('the claims its issuer is believed about, as tags of the subject', () => {
    const condition = `context has subject && context.subject.hasTag("department")
      && context.subject.getTag("department").contains("legal")`
    const subject = (claims: Record<string, string[]>) => ({ id: 'u', issuer: 'idp', claims })
    expect(holds(condition)).toBe(true)
    expect(holds(condition, { subject: subject({ department: ['sales'] }) })).toBe(false)
    expect(holds(condition, { subject: subject({}) })).toBe(false)
    expect(holds(condition, { subject: undefined })).toBe(false)
  })

  test('who a scope is handed to', () => {
    const chain = ['planner', 'worker']
    const condition = `context.recipient.class == "retrieval" && context.recipient == Agent::"finder"
      && context.chain.contains(Agent::"planner") && context.depth == 2 && resource.kind == "agent"`
    expect(holds(condition, { target: 'finder', chain })).toBe(true)
    expect(holds(condition, { target: 'worker', chain })).toBe(false)
    expect(holds('context.chain_owners.containsAll(["research", "finance"])', { chain })).toBe(true)
  })

  test('for whom and what a task is opened', () => {
    const action = 'open'
    expect(holds('resource == TaskType::"digest" && resource.basis == "policy"', { action })).toBe(
      true,
    )
    const night = `resource.basis == "client" && !(context has subject) && context.now.toTime() < duration("6h")`
    const nightly = { action, taskType: 'nightly', subject: undefined } as const
    expect(holds(night, { ...nightly, now: NOW - 8 * 3600 })).toBe(true)
    expect(holds(night, nightly)).toBe(false)
    const purpose = 'context.request has purpose && context.request.purpose == "a summary"'
    expect(holds(purpose, { action })).toBe(true)
    expect(holds(purpose, { action, request: { scope: [], purpose: undefined } })).toBe(false)
  })

  test('a rule about the chain: an orchestrator never reaches an execute-tier scope through a retrieval agent', () => {
    const { answer } = rulesOf(`
      @id("all") permit (principal, action in [Action::"call", Action::"delegate"], resource);
      @id("no-relay") forbid (principal, action in [Action::"call", Action::"delegate"], resource)
      when {
        context.scope.tier == "execute" &&
        context.opener.class == "orchestrator" &&
        context.chain_classes.contains("retrieval")
      };`)
    const ask = (scope: string, ...chain: readonly string[]) =>
      answer(aQuestion({ scope, chain, target: 'payments' })).policies
    expect(ask('pay:transfer', 'planner', 'finder', 'worker')).toEqual(['no-relay'])
    expect(ask('pay:transfer', 'planner', 'worker')).toEqual(['all'])
    expect(ask('mail:read', 'planner', 'finder', 'worker')).toEqual(['all'])
    expect(ask('pay:transfer', 'finder', 'worker')).toEqual(['all'])
  })
})
