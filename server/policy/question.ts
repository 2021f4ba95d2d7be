/**
 * A question in the engine's words: who, what, where, the context, and the facts about them. The engine is given what
 * the policies at hand can read and nothing else, because every entity and attribute costs time. Whatever the caller
 * said is text in the context's `request`, so it can name nothing (attack case L01).
 */
import type {
  CedarValueJson,
  Context,
  Entities,
  EntityJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { RuleQuestion, Subject } from '../core/rules.ts'
import type { Agent, Resource, Scope, TaskType, Tenant } from '../core/tenant.ts'
import type { EntityName } from './compiled-policy.ts'
import type { ContextMember, NeededFacts } from './needed-facts.ts'
import { weekdayOf } from './weekday.ts'

export type RuleFacts = Pick<Tenant, 'id' | 'agents' | 'resources' | 'scopes' | 'taskTypes'>

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

/** The entities of a question: those whose facts can be read, and the ones these lead to. */
function givenEntities(
  facts: RuleFacts,
  question: RuleQuestion,
  given: {
    readonly needed: NeededFacts
    readonly named: readonly EntityName[]
    readonly context: Context
  },
): Entities {
  if (given.needed.types.size === 0) return []
  const entities = new GivenEntities(facts, question, given.needed)
  for (const entity of given.named) entities.give(entity)
  entities.giveAll(given.context)
  return entities.list
}

class GivenEntities {
  readonly list: EntityJson[] = []
  readonly #seen = new Set<string>()
  readonly #facts: RuleFacts
  readonly #question: RuleQuestion
  readonly #needed: NeededFacts

  constructor(facts: RuleFacts, question: RuleQuestion, needed: NeededFacts) {
    this.#facts = facts
    this.#question = question
    this.#needed = needed
  }

  giveAll(values: Readonly<Record<string, CedarValueJson>>): void {
    for (const value of Object.values(values)) {
      const entity = referred(value)
      if (entity !== undefined) this.give(entity)
    }
  }

  give({ type, id }: EntityName): void {
    if (!this.#needed.types.has(type)) return
    const key = `${type}::${id}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const entity = describe(this.#facts, this.#question, { type, id })
    // An entity without facts is to the engine as one that is not there.
    if (entity === undefined) return
    const { names } = this.#needed
    const attrs = Object.fromEntries(
      Object.entries(entity.attrs).filter(([name]) => names?.has(name) ?? true),
    )
    const parents = this.#needed.hierarchy ? entity.parents : []
    const tags = this.#needed.tags ? entity.tags : undefined
    const isBare = Object.keys(attrs).length === 0 && parents.length === 0 && tags === undefined
    if (!isBare) {
      const uid = named(type, id)
      this.list.push({ uid, attrs, parents: [...parents], ...(tags === undefined ? {} : { tags }) })
    }
    this.giveAll(attrs)
  }
}

interface Described {
  readonly attrs: Readonly<Record<string, CedarValueJson>>
  /** Everything it lies in, not only the nearest. */
  readonly parents: readonly TypeAndId[]
  readonly tags?: Record<string, CedarValueJson>
}

/** The facts of an entity; undefined where there are none. */
function describe(
  facts: RuleFacts,
  question: RuleQuestion,
  { type, id }: EntityName,
): Described | undefined {
  const parents = [named('Tenant', facts.id)]
  switch (type) {
    case 'Agent':
      return described(agentOf(facts, question, id), agentAttributes, parents)
    case 'Resource':
      return described(resourceOf(facts, question, id), resourceAttributes, parents)
    case 'Scope': {
      const scope = facts.scopes.get(id)
      const within = scope === undefined ? [] : [named('Resource', scope.resource)]
      return described(scope, scopeAttributes, [...within, ...parents])
    }
    case 'TaskType':
      return described(taskTypeOf(facts, question, id), taskTypeAttributes, parents)
    case 'Task':
      return id === question.task?.txn ? describeTask(question, parents) : undefined
    case 'User':
      return id === question.subject?.id ? describeUser(question, parents) : undefined
    default:
      return undefined
  }
}

function described<Fact>(
  fact: Fact | undefined,
  attributes: (fact: Fact) => Record<string, CedarValueJson>,
  parents: readonly TypeAndId[],
): Described | undefined {
  return fact === undefined ? undefined : { attrs: attributes(fact), parents }
}

function agentAttributes({ class: kind, owner, purpose, binding }: Agent) {
  return { class: kind, owner, binding, ...(purpose === undefined ? {} : { purpose }) }
}

function resourceAttributes({ kind, sensitivity, owner }: Resource) {
  return { kind, sensitivity, ...(owner === undefined ? {} : { owner }) }
}

function scopeAttributes({ tier, sensitivity, resource }: Scope) {
  return { tier, sensitivity, resource: reference('Resource', resource) }
}

function taskTypeAttributes({ basis }: TaskType) {
  return { basis }
}

function describeTask(
  { task, taskType, chain }: RuleQuestion,
  parents: readonly TypeAndId[],
): Described | undefined {
  const opener = chain[0]
  if (task === undefined || opener === undefined) return undefined
  const attrs = {
    type: reference('TaskType', taskType.id),
    opener: reference('Agent', opener),
    opened_at: instant(task.openedAt),
    deadline: instant(task.deadline),
  }
  return { attrs, parents }
}

function describeUser(
  { subject }: RuleQuestion,
  parents: readonly TypeAndId[],
): Described | undefined {
  if (subject === undefined) return undefined
  const claims = Object.entries(subject.claims)
  // fromEntries defines members, so a claim called __proto__ is one among others.
  const tags: Record<string, CedarValueJson> = Object.fromEntries(
    claims.map(([name, values]) => [name, [...values]]),
  )
  return { attrs: { issuer: subject.issuer }, parents, tags }
}

// What the question brings is of the very version that is asked.
function agentOf(facts: RuleFacts, { caller, recipient }: RuleQuestion, id: string) {
  if (id === caller.id) return caller
  return id === recipient?.id ? recipient : facts.agents.get(id)
}

function resourceOf(facts: RuleFacts, { target }: RuleQuestion, id: string) {
  return id === target?.id ? target : facts.resources.get(id)
}

function taskTypeOf(facts: RuleFacts, { taskType }: RuleQuestion, id: string) {
  return id === taskType.id ? taskType : facts.taskTypes.get(id)
}

function targetOf(target: Resource | undefined): TypeAndId | undefined {
  return target === undefined ? undefined : named('Resource', target.id)
}

function named(type: string, id: string): TypeAndId {
  return { type, id }
}

function reference(type: string, id: string): { readonly __entity: TypeAndId } {
  return { __entity: { type, id } }
}

function referred(value: CedarValueJson): EntityName | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return '__entity' in value ? (value as { __entity: TypeAndId }).__entity : undefined
}

function instant(seconds: number): CedarValueJson {
  return { __extn: { fn: 'datetime', arg: new Date(seconds * 1000).toISOString() } }
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
