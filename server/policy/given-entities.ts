/**
 * The facts of the entities of one question, as far as the policies at hand can read them: every entity and attribute
 * costs the engine time.
 */
import type {
  CedarValueJson,
  Context,
  Entities,
  EntityJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { RuleQuestion } from '../core/rules.ts'
import type { Agent, Resource, Scope, TaskType, Tenant } from '../core/tenant.ts'
import { instant, named, reference, referred } from './cedar-values.ts'
import type { EntityName } from './compiled-policy.ts'
import type { NeededFacts } from './needed-facts.ts'

export type RuleFacts = Pick<Tenant, 'id' | 'agents' | 'resources' | 'scopes' | 'taskTypes'>

/** The entities of a question: those whose facts can be read, and the ones these lead to. */
export function givenEntities(
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
export function agentOf(facts: RuleFacts, { caller, recipient }: RuleQuestion, id: string) {
  if (id === caller.id) return caller
  return id === recipient?.id ? recipient : facts.agents.get(id)
}

function resourceOf(facts: RuleFacts, { target }: RuleQuestion, id: string) {
  return id === target?.id ? target : facts.resources.get(id)
}

function taskTypeOf(facts: RuleFacts, { taskType }: RuleQuestion, id: string) {
  return id === taskType.id ? taskType : facts.taskTypes.get(id)
}
