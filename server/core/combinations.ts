/**
 * Every question two versions of a tenant could answer differently from facts: (actor, parent, task type, resource, scope),
 * as cases. What no fact of either version leaves open is refused by both and left out; so the number is bounded by what a
 * task type can hold (31 scopes, 31 places), not by how many agents there are.
 */
import type { Case } from './case.ts'
import type { Agent, Resource, TaskType, Tenant } from './tenant.ts'

/** On whose behalf; of a test case, so that rules about subjects are asked with subjects they were written for. */
export interface CaseSubject {
  readonly subject: string
  readonly issuer: string | undefined
  readonly claims: Case['claims']
}

/** The same id in both versions; at least one is there. */
interface Pair<Entry> {
  readonly before: Entry | undefined
  readonly after: Entry | undefined
}

export interface CombinationInput {
  /** Undefined: nothing was live before. */
  readonly before: Tenant | undefined
  readonly after: Tenant
  /** Never empty. */
  readonly subjects: readonly CaseSubject[]
  /** Seconds since the epoch. */
  readonly now: number
}

export function* combinations(input: CombinationInput): Generator<Case> {
  const facts = pairFacts(input)
  for (const [id, taskType] of facts.taskTypes) {
    const isClient = some(taskType, ({ basis }) => basis === 'client')
    const isPolicy = some(taskType, ({ basis }) => basis === 'policy')
    for (const actors of chainsOf(facts, taskType)) {
      for (const { resource, scope } of asksOf(facts, taskType, actors)) {
        const asked = {
          actors,
          taskType: id,
          resource,
          scope: [scope],
          purpose: undefined,
          key: undefined,
          now: input.now,
        } as const
        if (isClient) yield { ...asked, subject: undefined, issuer: undefined, claims: {} }
        if (isPolicy) yield* input.subjects.map((subject) => ({ ...asked, ...subject }))
      }
    }
  }
}

interface PairedFacts {
  readonly agents: ReadonlyMap<string, Pair<Agent>>
  readonly resources: ReadonlyMap<string, Pair<Resource>>
  readonly taskTypes: ReadonlyMap<string, Pair<TaskType>>
}

function pairFacts({ before, after }: CombinationInput): PairedFacts {
  return {
    agents: paired(before?.agents, after.agents),
    resources: paired(before?.resources, after.resources),
    taskTypes: paired(before?.taskTypes, after.taskTypes),
  }
}

function paired<Entry>(
  before: ReadonlyMap<string, Entry> = new Map(),
  after: ReadonlyMap<string, Entry>,
): ReadonlyMap<string, Pair<Entry>> {
  const ids = new Set([...before.keys(), ...after.keys()])
  return new Map([...ids].map((id) => [id, { before: before.get(id), after: after.get(id) }]))
}

/**
 * Chains a task of this type can have by facts: each opener alone, and each agent after each parent that can hand to it, the
 * parent's own chain being a shortest one.
 */
function chainsOf(facts: PairedFacts, taskType: Pair<TaskType>): readonly (readonly string[])[] {
  const next = recipientsOf(facts, taskType)
  const openers = union(taskType, ({ openers }) => openers)
  const shortest = new Map(openers.map((id) => [id, [id] as readonly string[]]))
  const chains: (readonly string[])[] = []
  // A map is walked in the order of insertion, what is added on the way included: breadth first.
  for (const [parent, chain] of shortest) {
    if (chain.length === 1) chains.push(chain)
    for (const agent of next(parent)) {
      if (chain.includes(agent)) continue
      const longer = [...chain, agent]
      chains.push(longer)
      if (!shortest.has(agent)) shortest.set(agent, longer)
    }
  }
  return chains
}

/** To whom an agent can hand on in a task of this type: those that answer at a place it may reach. */
function recipientsOf(
  { agents, resources }: PairedFacts,
  taskType: Pair<TaskType>,
): (parent: string) => readonly string[] {
  const places = union(taskType, ({ reach }) => reach).flatMap((place) =>
    union(resources.get(place), ({ agent }) => (agent === undefined ? [] : [agent])).map(
      (agent) => ({ place, agent }),
    ),
  )
  return (parent) => {
    const caller = agents.get(parent)
    const open = places.filter(({ place }) => some(caller, ({ mayReach }) => mayReach.has(place)))
    return [...new Set(open.map(({ agent }) => agent))]
  }
}

function* asksOf(
  { agents, resources }: PairedFacts,
  taskType: Pair<TaskType>,
  actors: readonly string[],
): Generator<{ readonly resource: string; readonly scope: string }> {
  const caller = agents.get(actors.at(-1) ?? '')
  const homes = union(caller, ({ home }) => [home])
  // The opener's home is within every root's reach (docs/chain-format.md §3).
  const rootHomes = union(agents.get(actors[0] ?? ''), ({ home }) => [home])
  const places = new Set([...union(taskType, ({ reach }) => reach), ...rootHomes, ...homes])
  const scopes = union(taskType, (type) => type.scopes).filter((scope) =>
    some(caller, (agent) => agent.scopes.has(scope)),
  )
  for (const resource of places) {
    const target = resources.get(resource)
    const isOpen = homes.includes(resource) || some(caller, (agent) => agent.mayReach.has(resource))
    if (!isOpen) continue
    for (const scope of scopes) {
      if (some(target, (place) => place.scopes.has(scope))) yield { resource, scope }
    }
  }
}

function some<Entry>(pair: Pair<Entry> | undefined, test: (entry: Entry) => boolean): boolean {
  const { before, after } = pair ?? { before: undefined, after: undefined }
  return (before !== undefined && test(before)) || (after !== undefined && test(after))
}

/** What either version lists, in order, each once. */
function union<Entry>(
  pair: Pair<Entry> | undefined,
  read: (entry: Entry) => Iterable<string>,
): readonly string[] {
  return [
    ...new Set([
      ...(pair?.before === undefined ? [] : read(pair.before)),
      ...(pair?.after === undefined ? [] : read(pair.after)),
    ]),
  ]
}
