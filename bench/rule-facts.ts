/** A tenant as large as its policies: for each agent and each API one policy that names it, after ten that name nobody. */
import type { RuleQuestion } from '../server/core/rules.ts'
import type { Agent, Resource, Scope, TaskType } from '../server/core/tenant.ts'
import { compilePolicies } from '../server/policy/compile-policies.ts'
import type { CompiledPolicy } from '../server/policy/compiled-policy.ts'
import type { RuleFacts } from '../server/policy/given-entities.ts'

/** Parties that are named, of each kind. */
const NAMED = 495
const SCOPES = ['read', 'search', 'list', 'export', 'draft'] as const
const START = 1_790_000_000

const ids = Array.from({ length: NAMED }, (_, index) => index)
const agents = new Map(ids.map((index) => [`agent-${index}`, anAgent(index)]))
const resources = new Map(ids.map((index) => [`api-${index}`, anApi(index)]))
const scopes = new Map(
  [...resources.keys()].flatMap((id) => SCOPES.map((verb) => [`${id}:${verb}`, aScope(id, verb)])),
)
const taskTypes = new Map([['work', aTaskType()]])

export const FACTS: RuleFacts = { id: 'bench', agents, resources, scopes, taskTypes }

/** What a team writes: who may read, on whose behalf, through whom, and until when. */
const NOBODY_NAMED: readonly string[] = [
  'permit (principal, action in [Action::"call", Action::"delegate"], resource) when { context.scope.tier == "read" && context.depth <= 4 };',
  '@max_ttl("5m") permit (principal, action == Action::"call", resource) when { context.scope.tier == "propose" && principal.class == "worker" };',
  '@require_key("dpop") permit (principal, action == Action::"call", resource) when { resource.sensitivity == "high" && principal.binding == "dpop" };',
  'permit (principal, action == Action::"call", resource) when { resource has owner && resource.owner == principal.owner };',
  'permit (principal, action == Action::"call", resource) when { context has subject && context.subject.hasTag("department") && context.subject.getTag("department").contains("research") };',
  'forbid (principal, action, resource) when { context has chain_classes && context.chain_classes.contains("retrieval") && context.scope.tier == "execute" };',
  'forbid (principal, action == Action::"call", resource) when { context.key == "none" && context.scope.tier != "read" };',
  'forbid (principal, action == Action::"call", resource) when { context.now > context.task.deadline };',
  'forbid (principal, action == Action::"call", resource) when { context.depth > 3 && resource.sensitivity == "high" };',
  'forbid (principal, action == Action::"call", resource) when { context.now < datetime("2020-01-01") };',
]

/** So many policies, in Cedar. */
export function policyTexts(size: number): readonly string[] {
  return Array.from({ length: size }, (_, index) => `@id("p-${index}") ${policyAt(index)}`)
}

/** So many policies, checked. */
export function aPolicySet(size: number): readonly CompiledPolicy[] {
  const texts = policyTexts(size)
  const known = {
    tenant: FACTS.id,
    agents: new Set(agents.keys()),
    resources: new Set(resources.keys()),
    scopes: new Set(scopes.keys()),
    taskTypes: new Set(taskTypes.keys()),
    claims: new Set(['department']),
  }
  const { policies, problems } = compilePolicies([{ file: 'bench', text: texts.join('\n') }], known)
  if (problems.length > 0) throw new Error(`the bench's policies: ${problems[0]?.text}`)
  return policies
}

function policyAt(index: number): string {
  const shared = NOBODY_NAMED[index]
  if (shared !== undefined) return shared
  const which = Math.floor((index - NOBODY_NAMED.length) / 2)
  return index % 2 === 0
    ? `permit (principal == Agent::"agent-${which}", action == Action::"call", resource) when { context.scope.tier == "read" };`
    : `forbid (principal, action == Action::"call", resource == Resource::"api-${which}") when { context.chain_owners.contains("legal") };`
}

/** Agent and API number `place` meet: one question for each of so many scopes, all at that second. */
export function questionsAt(
  place: number,
  { count, second }: { readonly count: number; readonly second: number },
): readonly RuleQuestion[] {
  const caller = agents.get(`agent-${place % NAMED}`)
  const target = resources.get(`api-${place % NAMED}`)
  const taskType = taskTypes.get('work')
  if (caller === undefined || target === undefined || taskType === undefined) {
    throw new TypeError('no such place')
  }
  return SCOPES.slice(0, count).map((verb) => ({
    action: 'call',
    caller,
    taskType,
    target,
    recipient: undefined,
    scope: `${target.id}:${verb}`,
    subject: { id: 'user-1', issuer: 'idp', claims: { department: ['research'] } },
    task: { txn: 'txn-1', openedAt: START, deadline: START + 1e9 },
    chain: ['agent-0', caller.id],
    key: 'dpop',
    now: START + second,
    request: { scope: [], purpose: undefined },
  }))
}

function anAgent(index: number): Agent {
  return {
    id: `agent-${index}`,
    owner: index % 2 === 0 ? 'research' : 'finance',
    class: index % 3 === 0 ? 'orchestrator' : 'worker',
    purpose: undefined,
    scopes: new Set(),
    mayReach: new Set(),
    defaultTarget: undefined,
    home: `agent-${index}`,
    auth: { method: 'private_key_jwt', jwks: [], development: false },
    issuerClients: new Map(),
    binding: 'dpop',
    expires: undefined,
    disabled: false,
    registeredAt: undefined,
  }
}

function anApi(index: number): Resource {
  return {
    id: `api-${index}`,
    uri: `https://api-${index}.example`,
    kind: 'api',
    agent: undefined,
    scopes: new Set(),
    sensitivity: index % 2 === 0 ? 'low' : 'high',
    owner: 'research',
    keys: [],
  }
}

function aScope(resource: string, verb: (typeof SCOPES)[number]): Scope {
  const tier = verb === 'draft' ? 'propose' : 'read'
  return { name: `${resource}:${verb}`, tier, sensitivity: 'low', resource }
}

function aTaskType(): TaskType {
  return {
    id: 'work',
    basis: 'policy',
    openers: new Set(),
    subjectsFrom: new Set(),
    scopes: [],
    reach: [],
    maxDepth: 4,
    lifetime: 900,
    tokenLifetime: 300,
    triggers: [],
  }
}
