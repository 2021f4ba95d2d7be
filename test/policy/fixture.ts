/** A small tenant to ask about: an orchestrator, a retrieval agent, a worker; an API each for mail and payments. */
import { expect } from 'vitest'
import { formatProblem } from '../../server/core/problem.ts'
import type { RuleAnswer, RuleQuestion } from '../../server/core/rules.ts'
import type { Agent, Resource, Scope, TaskType } from '../../server/core/tenant.ts'
import { type Compiled, compilePolicies } from '../../server/policy/compile-policies.ts'
import type { CompiledPolicy } from '../../server/policy/compiled-policy.ts'
import type { Engine } from '../../server/policy/engine.ts'
import type { RuleFacts } from '../../server/policy/given-entities.ts'
import type { KnownNames } from '../../server/policy/references.ts'
import { createRules } from '../../server/policy/rules.ts'

export const NOW = Date.parse('2026-07-01T12:00:00Z') / 1000

function agent(id: string, more: Partial<Agent> & Pick<Agent, 'class' | 'owner'>): Agent {
  return {
    id,
    purpose: undefined,
    scopes: new Set(),
    mayReach: new Set(),
    defaultTarget: undefined,
    home: id,
    auth: { method: 'private_key_jwt', jwks: [], development: false },
    issuerClients: new Map(),
    binding: 'dpop',
    expires: undefined,
    disabled: false,
    registeredAt: undefined,
    ...more,
  }
}

function resource(id: string, more: Partial<Resource> = {}): Resource {
  return {
    id,
    uri: `https://${id}.example/`,
    kind: 'api',
    agent: undefined,
    scopes: new Set(),
    sensitivity: 'low',
    owner: undefined,
    keys: [],
    ...more,
  }
}

const scope = (name: string, tier: Scope['tier'], at: string): Scope => ({
  name,
  tier,
  sensitivity: tier === 'execute' ? 'high' : 'low',
  resource: at,
})

function taskType(id: string, basis: TaskType['basis'] = 'policy'): TaskType {
  return {
    id,
    basis,
    openers: new Set(['planner']),
    subjectsFrom: new Set(),
    scopes: [],
    reach: [],
    maxDepth: 4,
    lifetime: 900,
    tokenLifetime: 300,
    triggers: [],
  }
}

const byId = <Fact extends { readonly id: string }>(...facts: readonly Fact[]) =>
  new Map(facts.map((fact) => [fact.id, fact]))

const SCOPES = [
  scope('mail:read', 'read', 'mail'),
  scope('mail:draft', 'propose', 'mail'),
  scope('pay:transfer', 'execute', 'payments'),
]

export const FACTS: RuleFacts = {
  id: 'acme',
  agents: byId(
    agent('planner', { class: 'orchestrator', owner: 'research', purpose: 'plans the work' }),
    agent('finder', { class: 'retrieval', owner: 'research' }),
    agent('worker', { class: 'worker', owner: 'finance', binding: 'bearer' }),
  ),
  resources: byId(
    resource('mail', { owner: 'research' }),
    resource('payments', { sensitivity: 'high', owner: 'finance' }),
    resource('finder', { kind: 'agent', agent: 'finder' }),
    resource('worker', { kind: 'agent', agent: 'worker' }),
  ),
  scopes: new Map(SCOPES.map((one) => [one.name, one])),
  taskTypes: byId(taskType('digest'), taskType('nightly', 'client')),
}

export const KNOWN: KnownNames = {
  tenant: FACTS.id,
  agents: new Set(FACTS.agents.keys()),
  resources: new Set(FACTS.resources.keys()),
  scopes: new Set(FACTS.scopes.keys()),
  taskTypes: new Set(FACTS.taskTypes.keys()),
  claims: new Set(['department', 'role', 'x', '__entity', '__proto__']),
}

/** Which of FACTS a question is about, by their ids; the rest as in a RuleQuestion. */
export interface Asked
  extends Partial<Omit<RuleQuestion, 'caller' | 'taskType' | 'target' | 'recipient'>> {
  readonly taskType?: string
  readonly target?: string
}

/** The last of `chain` asks: the planner alone to call the mail API, where nothing else is said. */
export function aQuestion({ taskType: type = 'digest', target = 'mail', ...more }: Asked = {}) {
  const chain = more.chain ?? ['planner']
  const at = FACTS.resources.get(target)!
  const action = more.action ?? (at.kind === 'agent' ? 'delegate' : 'call')
  const isHop = action !== 'open'
  const question: RuleQuestion = {
    action,
    caller: FACTS.agents.get(chain.at(-1)!)!,
    taskType: FACTS.taskTypes.get(type)!,
    target: isHop ? at : undefined,
    recipient: isHop && at.agent !== undefined ? FACTS.agents.get(at.agent) : undefined,
    scope: isHop ? 'mail:read' : undefined,
    subject: { id: 'user-1', issuer: 'idp', claims: { department: ['research', 'legal'] } },
    task: isHop ? { txn: 'txn-1', openedAt: NOW - 60, deadline: NOW + 840 } : undefined,
    chain,
    key: 'dpop',
    now: NOW,
    request: { scope: ['mail:read'], purpose: isHop ? undefined : 'a summary' },
    ...more,
  }
  return question
}

export function compile(...texts: readonly string[]): Compiled {
  const files = texts.map((text, index) => ({ file: `policies/${index}.cedar`, text }))
  return compilePolicies(files, KNOWN)
}

/** Policies that have to be right. */
export function policiesOf(...texts: readonly string[]): readonly CompiledPolicy[] {
  const { policies, problems } = compile(...texts)
  expect(problems.map(formatProblem)).toEqual([])
  return policies
}

/** Rules whose answer may be taken by itself. */
export function rulesFor(
  facts: RuleFacts,
  policies: readonly CompiledPolicy[],
  engine?: Engine,
): { readonly answer: (question: RuleQuestion) => RuleAnswer } {
  const rules = createRules(facts, policies, engine)
  return { answer: (question) => rules.answer(question) }
}

export function rulesOf(text: string, engine?: Engine): ReturnType<typeof rulesFor> {
  return rulesFor(FACTS, policiesOf(text), engine)
}
