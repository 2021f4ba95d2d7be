/**
 * A question in the engine's words: who, what, where, the context, and the facts about them (given-entities.ts). The engine
 * is given what the policies at hand can read and nothing else. Whatever the caller said is text in the context's
 * `request`, so it can name nothing (attack case L01).
 */
import type { CedarValueJson, Context, Entities, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type { RuleQuestion, Subject } from '../core/rules.ts'
import type { Agent, Resource } from '../core/tenant.ts'
import { instant, named, reference } from './cedar-values.ts'
import { agentOf, givenEntities, type RuleFacts } from './given-entities.ts'
import type { ContextMember, NeededFacts } from './needed-facts.ts'
import { weekdayOf } from './weekday.ts'

export interface EngineQuestion {
  readonly principal: TypeAndId
  readonly action: TypeAndId
  readonly resource: TypeAndId
  readonly context: Context
  readonly entities: Entities
}

/** Undefined where the question does not hang together: then there is nothing that could permit it. */
export function writeQuestion(
  facts: RuleFacts,
  question: RuleQuestion,
  needed: NeededFacts,
): EngineQuestion | undefined {
  const { action, caller, taskType, target } = question
  if (!isWellFormed(question) || !isWhole(facts, question)) return undefined
  const resource = action === 'open' ? named('TaskType', taskType.id) : targetOf(target)
  if (resource === undefined) return undefined
  const principal = named('Agent', caller.id)
  const context: Context = {}
  for (const member of needed.members) {
    const value = MEMBERS[member](question, facts)
    if (value !== undefined) context[member] = value
  }
  return {
    principal,
    action: named('Action', action),
    resource,
    context,
    entities: givenEntities(facts, question, {
      needed,
      named: [principal, resource, ...needed.entities],
      context,
    }),
  }
}

/** Whether all that is asked about is there: a hop has its task, its scope and a chain of known agents. */
function isWhole(facts: RuleFacts, question: RuleQuestion): boolean {
  const { action, recipient, scope, task, chain } = question
  if (action === 'open') return true
  if (scope === undefined || !facts.scopes.has(scope) || task === undefined) return false
  if (action === 'delegate' && recipient === undefined) return false
  return chain.length > 0 && chain.every((id) => agentOf(facts, question, id) !== undefined)
}

type Member = (question: RuleQuestion, facts: RuleFacts) => CedarValueJson | undefined

/** Each member of the context; undefined where the question has none. */
const MEMBERS: Readonly<Record<ContextMember, Member>> = {
  scope: ({ scope }) => scope && reference('Scope', scope),
  recipient: ({ recipient }) => recipient && reference('Agent', recipient.id),
  subject: ({ subject }) => subject && reference('User', subject.id),
  task: ({ task }) => task && reference('Task', task.txn),
  task_type: ({ taskType }) => reference('TaskType', taskType.id),
  basis: ({ taskType }) => taskType.basis,
  opener: ({ chain: [opener] }) => opener && reference('Agent', opener),
  chain: ({ chain }) => chain.map((id) => reference('Agent', id)),
  chain_classes: (question, facts) => distinct(question, facts, (agent) => agent.class),
  chain_owners: (question, facts) => distinct(question, facts, ({ owner }) => owner),
  depth: ({ chain }) => chain.length,
  key: ({ key }) => key,
  now: ({ now }) => instant(now),
  weekday: ({ now }) => weekdayOf(now),
  request: ({ action, request: { scope, purpose } }) => ({
    scope: [...scope],
    ...(action !== 'open' || purpose === undefined ? {} : { purpose }),
  }),
}

function distinct(
  question: RuleQuestion,
  facts: RuleFacts,
  read: (agent: Agent) => string,
): CedarValueJson {
  const agents = question.chain.flatMap((id) => agentOf(facts, question, id) ?? [])
  return [...new Set(agents.map(read))]
}

function targetOf(target: Resource | undefined): TypeAndId | undefined {
  return target === undefined ? undefined : named('Resource', target.id)
}

/** 9999-12-31, the last the engine's dates can write. */
const LAST_INSTANT = 253_402_300_799
/** UTF-16 units of a purpose: what it is matched with takes time (policy-limits.ts). */
const LONGEST_PURPOSE = 1024

/** Lone surrogates and dates beyond the calendar would be a fault of the engine; here they are just not permitted. */
function isWellFormed({ subject, task, request, now }: RuleQuestion): boolean {
  const { scope, purpose = '' } = request
  return (
    isText(purpose) &&
    purpose.length <= LONGEST_PURPOSE &&
    scope.every(isText) &&
    (task === undefined ||
      (isText(task.txn) && isInstant(task.openedAt) && isInstant(task.deadline))) &&
    (subject === undefined || isSubject(subject)) &&
    isInstant(now)
  )
}

function isSubject({ id, issuer, claims }: Subject): boolean {
  return (
    isText(id) &&
    isText(issuer) &&
    Object.entries(claims).every(([name, values]) => isText(name) && values.every(isText))
  )
}

function isText(text: string): boolean {
  return text.isWellFormed()
}

function isInstant(seconds: number): boolean {
  return seconds >= 0 && seconds <= LAST_INSTANT
}
