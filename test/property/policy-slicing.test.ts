/**
 * Random policies and random questions: slices, given facts and remembered answers never change a decision. The other side
 * is Cedar asked plainly: every policy, every entity, nothing prepared, nothing left out, written down by this test itself.
 */
import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RuleAnswer, RuleQuestion } from '../../server/core/rules.ts'
import { processCedar } from '../../server/policy/cedar.ts'
import type { CompiledPolicy } from '../../server/policy/compiled-policy.ts'
import { createRules } from '../../server/policy/rules.ts'
import { aQuestion, compile, FACTS, NOW } from '../policy/fixture.ts'

const RUNS = Number(process.env['ACTCHAIN_PROPERTY_RUNS'] ?? 60)

const agents = [...FACTS.agents.keys()]
const pick = <Value>(...values: readonly Value[]) => fc.constantFrom(...values)
const lit = (type: string, ...ids: readonly string[]) =>
  pick(...ids.map((id) => `${type}::"${id}"`))
const fill = (form: string, ...parts: readonly fc.Arbitrary<string>[]) =>
  fc
    .tuple(...parts)
    .map((values) => values.reduce((text, value) => text.replace('#', () => value), form))

const agent = fc.oneof(
  lit('Agent', ...agents),
  pick('principal', 'context.opener', 'context.task.opener'),
)
const text = pick(
  '"research"',
  '"finance"',
  '"retrieval"',
  '"orchestrator"',
  '"dpop"',
  '"api"',
  '"low"',
  '"read"',
  '"idp"',
  '"x*"',
)
const string = fc.oneof(
  fill('#.#', agent, pick('class', 'owner', 'binding')),
  pick('resource.kind', 'resource.sensitivity', 'context.scope.tier', 'context.scope.sensitivity'),
  pick(
    'context.scope.resource.kind',
    'context.task_type.basis',
    'context.task.type.basis',
    'context.basis',
    'context.key',
  ),
  pick(
    'Resource::"payments".sensitivity',
    'Scope::"pay:transfer".resource.kind',
    'TaskType::"nightly".basis',
  ),
  fill('(if # then # else #).class', pick('context.depth > 1', 'true'), agent, agent),
)
const time = pick(
  'context.now',
  'context.task.deadline',
  'context.task.opened_at',
  'datetime("2026-07-01T12:00:00Z")',
  'context.now.offset(duration("1h"))',
)
const place = fc.oneof(lit('Tenant', 'acme'), lit('Resource', 'mail', 'payments'), agent)
const strings = pick('context.chain_owners', 'context.request.scope', '["research", "mail:read"]')
const someClass = pick('"retrieval"', '"worker"', '"orchestrator"')
/** Attributes with few words are compared with these alone: any other word is a problem. */
const fewWords = fc.oneof(
  fill('#.class == #', agent, someClass),
  fill('#.binding == #', agent, pick('"dpop"', '"mtls"', '"bearer"')),
  fill('resource.kind == #', pick('"api"', '"agent"')),
  fill('Scope::"pay:transfer".resource.kind != #', pick('"api"', '"agent"')),
  fill('#.sensitivity == "#"', pick('resource', 'context.scope'), pick('low', 'high')),
  fill('["read", "propose"].contains(#.tier)', pick('context.scope', 'Scope::"pay:transfer"')),
  fill('#basis == "#"', pick('context.', 'context.task_type.'), pick('policy', 'client')),
  fill('context.key == "#"', pick('dpop', 'mtls', 'none')),
  fill('(if # then # else #).class == #', pick('context.depth > 1'), agent, agent, someClass),
  fill('context.chain_classes.contains(#)', someClass),
  fill('context.chain_classes.containsAny([#, #])', someClass, someClass),
)
const TAG = pick('department', 'role', '__proto__')

/** Conditions of `call`; of `delegate` too. Some of them fail, by overflow or by an entity nobody knows. */
const plain = fc.oneof(
  { weight: 4, arbitrary: fewWords },
  fill('# == #', string, string),
  fill('#.owner == #', agent, text),
  fill('# like #', string, text),
  fill('# # #', time, pick('<', '>=', '=='), time),
  fill('# == #', agent, agent),
  fill(
    '# in #',
    fc.oneof(agent, pick('resource', 'context.scope', 'context.task', 'context.task_type')),
    place,
  ),
  fill('principal in [#, #]', agent, agent),
  fill('context.chain.contains(#)', agent),
  fill('context.chain.containsAny([#, #])', agent, agent),
  fill('#.contains(#)', strings, text),
  fill('#.containsAll(#)', strings, strings),
  fill('resource has owner && resource.owner == #', text),
  fill('# has purpose && #.purpose like "*plans*"', agent, agent).filter((one) => {
    const [a, b] = one.split(' has purpose && ')
    return b!.startsWith(`${a}.`)
  }),
  fill('context has subject && context.subject.issuer == #', text),
  fill('context has subject && context.subject in #', place),
  TAG.chain((tag) =>
    fill(
      `context has subject && context.subject.hasTag("${tag}") && context.subject.getTag("${tag}").contains(#)`,
      text,
    ),
  ),
  fill('context has #', pick('recipient', 'subject', 'request')),
  fill('context has recipient && context.recipient == #', agent),
  fill('context.weekday == "#"', pick('wednesday', 'friday')),
  fill('context.depth # #', pick('<', '==', '>'), pick('1', '2', '3')),
  pick(
    'context.request == {scope: ["mail:read"]}',
    '{it: context}.it.depth == 1',
    'context == context',
    'resource is Resource in Tenant::"acme"',
  ),
  pick(
    'context.depth + 9223372036854775807 > 0',
    'Task::"gone".opener == principal',
    'User::"gone".issuer == "idp"',
    'User::"user-1".issuer == "idp"',
  ),
)
const condition = fc.oneof(
  { weight: 3, arbitrary: plain },
  fill('(# && #)', plain, plain),
  fill('(# || #)', plain, plain),
  fill('!(#)', plain),
  fill('(if # then # else #)', plain, plain, plain),
)
const ofOpen = fc.oneof(
  fill('principal.owner == #', text),
  fill('principal.class == #', someClass),
  fill('resource.basis == "#"', pick('policy', 'client')),
  fill('context.request.scope.contains("#")', pick('mail:read', 'x')),
  pick(
    'context.request has purpose && context.request.purpose like "a*"',
    'context has subject',
    'resource in Tenant::"acme"',
  ),
  fill('context has subject && context.subject.hasTag("#")', TAG),
  pick(
    'context.key == "dpop"',
    'context.now < datetime("2026-07-01T12:00:30Z")',
    'User::"gone".issuer == "idp"',
  ),
)

const principalHead = fc.oneof(
  { weight: 2, arbitrary: pick('principal', 'principal is Agent', 'principal in Tenant::"acme"') },
  fill('principal # #', pick('==', 'in'), lit('Agent', ...agents)),
  fill('principal is Agent in #', fc.oneof(lit('Agent', ...agents), lit('Tenant', 'acme'))),
  pick('principal == User::"user-1"'),
)
const resourceHead = (type: string, ...ids: readonly string[]) =>
  fc.oneof(
    { weight: 2, arbitrary: pick('resource', `resource is ${type}`, 'resource in Tenant::"acme"') },
    fill('resource # #', pick('==', 'in'), lit(type, ...ids)),
    fill(`resource is ${type} in #`, fc.oneof(lit(type, ...ids), lit('Tenant', 'acme'))),
  )
const hopAction = pick(
  'action == Action::"call"',
  'action in [Action::"call", Action::"delegate"]',
  'action == Action::"delegate"',
  'action in Action::"call"',
)
const clauses = (condition: fc.Arbitrary<string>) =>
  fc
    .array(fill('# { # }', pick('when', 'when', 'unless'), condition), { maxLength: 2 })
    .map((all) => all.join(' '))
const policyText = fc.oneof(
  {
    weight: 4,
    arbitrary: fill(
      '# (#, #, #) #;',
      pick('permit', 'permit', 'forbid'),
      principalHead,
      hopAction,
      resourceHead('Resource', ...FACTS.resources.keys()),
      clauses(condition),
    ),
  },
  fill(
    '# (#, #, #) #;',
    pick('permit', 'forbid'),
    principalHead,
    pick('action == Action::"open"'),
    resourceHead('TaskType', 'digest', 'nightly'),
    clauses(ofOpen),
  ),
  fill(
    '# (#, #, #);',
    pick('permit', 'forbid'),
    principalHead,
    pick('action'),
    pick('resource', 'resource in Tenant::"acme"'),
  ),
)
const policySet = fc.array(policyText, { minLength: 1, maxLength: 12 })

const subject = fc.option(
  fc.record({
    id: pick('user-1', 'user-2'),
    issuer: pick('idp', 'other'),
    claims: fc.dictionary(TAG, fc.array(pick('research', 'finance', 'x*'), { maxLength: 2 }), {
      maxKeys: 3,
    }),
  }),
  { nil: undefined },
)
const question = fc
  .record({
    action: pick('open', 'call', 'call', 'delegate'),
    chain: fc.array(pick(...agents), { minLength: 1, maxLength: 3 }),
    type: pick('digest', 'nightly'),
    api: pick('mail', 'payments'),
    endpoint: pick('finder', 'worker'),
    scope: pick(...FACTS.scopes.keys()),
    subject,
    key: pick('dpop', 'mtls', 'none'),
    now: pick(NOW - 1, NOW, NOW + 60),
    asks: fc.subarray(['mail:read', 'research', 'x']),
    purpose: pick(undefined, 'a summary', 'x*'),
  })
  .map(({ action, chain, type, api, endpoint, scope, asks, purpose, ...more }) =>
    aQuestion({
      ...more,
      action: action as RuleQuestion['action'],
      chain: action === 'open' ? chain.slice(0, 1) : chain,
      taskType: type,
      target: action === 'delegate' ? endpoint : api,
      scope: action === 'open' ? undefined : scope,
      request: { scope: asks, purpose: action === 'open' ? purpose : undefined },
    } as Parameters<typeof aQuestion>[0]),
  )

test('slices, given facts and remembered answers never change a decision', () => {
  const seen = { permit: 0, refuse: 0, failed: 0 }
  fc.assert(
    fc.property(
      policySet,
      fc.array(question, { minLength: 14, maxLength: 14 }),
      (texts, questions) => {
        const named = texts.map((one, index) => `@id("p${index}") ${one}`).join('\n')
        const { policies, problems } = compile(named)
        expect(problems).toEqual([])
        const stored = JSON.parse(JSON.stringify(policies)) as readonly CompiledPolicy[]
        const rules = createRules(FACTS, stored)
        for (const asked of questions) {
          const answer = rules.answer(asked)
          expect(answer).toEqual(plainAnswer(policies, asked))
          seen[answer.decision] += 1
          if (answer.failed.length > 0) seen.failed += 1
          // Now it is remembered.
          expect(rules.answer(structuredClone(asked))).toEqual(answer)
        }
      },
    ),
    { numRuns: RUNS },
  )
  // Nothing was compared if nothing happened.
  expect(seen.permit).toBeGreaterThan(RUNS)
  expect(seen.refuse).toBeGreaterThan(RUNS)
  expect(seen.failed).toBeGreaterThan(0)
})

/** Every policy, everything there is to say. */
function plainAnswer(policies: readonly CompiledPolicy[], asked: RuleQuestion): RuleAnswer {
  const { action, caller, target, taskType } = asked
  const answer = processCedar.run(({ isAuthorized }) =>
    isAuthorized({
      principal: { type: 'Agent', id: caller.id },
      action: { type: 'Action', id: action },
      resource:
        action === 'open'
          ? { type: 'TaskType', id: taskType.id }
          : { type: 'Resource', id: target!.id },
      context: contextOf(asked),
      entities: entitiesOf(asked),
      policies: {
        staticPolicies: Object.fromEntries(policies.map((policy) => [policy.id, policy.text])),
      },
    }),
  )
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors))
  const { decision, diagnostics } = answer.response
  const failed = diagnostics.errors.map(({ policyId }) => policyId).toSorted()
  const isPermitted = decision === 'allow' && failed.length === 0
  return {
    decision: isPermitted ? 'permit' : 'refuse',
    policies: decision === 'allow' && !isPermitted ? [] : diagnostics.reason.toSorted(),
    obligations: {},
    failed,
  }
}

const ref = (type: string, id: string): CedarValueJson => ({ __entity: { type, id } })
const date = (seconds: number): CedarValueJson => ({
  __extn: { fn: 'datetime', arg: new Date(seconds * 1000).toISOString() },
})

function contextOf(asked: RuleQuestion): Record<string, CedarValueJson> {
  const {
    action,
    subject: user,
    key,
    now,
    request,
    chain,
    recipient,
    scope,
    task,
    taskType,
  } = asked
  const always = {
    key,
    now: date(now),
    weekday: 'wednesday',
    ...(user === undefined ? {} : { subject: ref('User', user.id) }),
  }
  if (action === 'open') {
    const { purpose } = request
    return {
      ...always,
      request: { scope: [...request.scope], ...(purpose === undefined ? {} : { purpose }) },
    }
  }
  return {
    ...always,
    request: { scope: [...request.scope] },
    scope: ref('Scope', scope!),
    ...(action === 'delegate' ? { recipient: ref('Agent', recipient!.id) } : {}),
    task: ref('Task', task!.txn),
    task_type: ref('TaskType', taskType.id),
    basis: taskType.basis,
    opener: ref('Agent', chain[0]!),
    chain: chain.map((id) => ref('Agent', id)),
    chain_classes: chain.map((id) => FACTS.agents.get(id)!.class),
    chain_owners: chain.map((id) => FACTS.agents.get(id)!.owner),
    depth: chain.length,
  }
}

function entitiesOf({ subject: user, task, taskType, chain }: RuleQuestion): EntityJson[] {
  const tenant = { type: 'Tenant', id: 'acme' }
  const entity = (
    type: string,
    id: string,
    attrs: Record<string, CedarValueJson | undefined>,
    parent = tenant,
  ): EntityJson => ({
    uid: { type, id },
    attrs: Object.fromEntries(
      Object.entries(attrs).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    ),
    parents: [parent],
  })
  return [
    { uid: tenant, attrs: {}, parents: [] },
    ...[...FACTS.agents.values()].map(({ id, class: kind, owner, purpose, binding }) =>
      entity('Agent', id, { class: kind, owner, purpose, binding }),
    ),
    ...[...FACTS.resources.values()].map(({ id, kind, sensitivity, owner }) =>
      entity('Resource', id, { kind, sensitivity, owner }),
    ),
    ...[...FACTS.scopes.values()].map(({ name, tier, sensitivity, resource }) =>
      entity(
        'Scope',
        name,
        { tier, sensitivity, resource: ref('Resource', resource) },
        { type: 'Resource', id: resource },
      ),
    ),
    ...[...FACTS.taskTypes.values()].map(({ id, basis }) => entity('TaskType', id, { basis })),
    ...(task === undefined
      ? []
      : [
          entity('Task', task.txn, {
            type: ref('TaskType', taskType.id),
            opener: ref('Agent', chain[0]!),
            opened_at: date(task.openedAt),
            deadline: date(task.deadline),
          }),
        ]),
    ...(user === undefined
      ? []
      : [
          {
            ...entity('User', user.id, { issuer: user.issuer }),
            tags: Object.fromEntries(
              Object.entries(user.claims).map(([name, values]) => [name, [...values]]),
            ),
          },
        ]),
  ]
}
