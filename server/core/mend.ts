/**
 * The smallest change of a tenant's facts that would permit a case: the fact each refusing guard asked for, one after the
 * other, until the case is permitted. Where a rule, an approval, a disabling or an expiry stands in the way there is none:
 * those are somebody's decision and not a missing line.
 */
import { MAX_LIST_LENGTH } from '../../lib/src/scope.ts'
import type { Case } from './case.ts'
import { factsOf, type HopRequest, mayReach, SCOPE_GUARDS } from './guards.ts'
import { isRefusal } from './refusal.ts'
import { type Rehearsal, rehearse } from './rehearse.ts'
import type { Agent, Resource, TaskType, Tenant } from './tenant.ts'

/** One line of a tenant's folder. */
export interface Edit {
  readonly file: 'agents.yaml' | 'resources.yaml' | 'task-types.yaml' | 'tenant.yaml'
  /** Id of the entry; absent in tenant.yaml. */
  readonly entry?: string
  readonly member: 'scopes' | 'may_reach' | 'reach' | 'max_depth'
  /** What to add to the list, or the number to state. */
  readonly value: string | number
}

interface Mended {
  readonly tenant: Tenant
  readonly edits: readonly Edit[]
}

/** Each round mends one guard at one stage; a chain of eight has no more. */
const MOST_ROUNDS = 64

/** Undefined: permitted as it is, or nothing that can be computed would permit it. Verified by rehearsing it. */
export function findChange(tenant: Tenant, asked: Case): readonly Edit[] | undefined {
  let mended: Mended = { tenant, edits: [] }
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const rehearsal = rehearse(mended.tenant, asked)
    if (!isRefusal(rehearsal.outcome)) return mended.edits.length > 0 ? mended.edits : undefined
    const next = mend(mended.tenant, asked, rehearsal)
    if (next === undefined || next.edits.length === 0) return undefined
    mended = { tenant: next.tenant, edits: [...mended.edits, ...next.edits] }
  }
  return undefined
}

function mend(tenant: Tenant, asked: Case, { stages, outcome }: Rehearsal): Mended | undefined {
  const stage = stages.at(-1)
  if (!isRefusal(outcome) || stage === undefined) return undefined
  const { opener, taskType } = stages[0]?.what === 'open' ? stages[0].request : {}
  if (opener === undefined || taskType === undefined) return undefined
  if (stage.what === 'open') {
    return outcome.guard === 'root_scope_empty'
      ? openScopes(tenant, asked, taskType, opener)
      : undefined
  }
  const hop = stage.request
  switch (outcome.guard) {
    case 'chain_too_long':
      return allowDepth(tenant, taskType, asked.actors.length)
    case 'target_beyond_reach':
      return allowReach(tenant, taskType, hop)
    case 'target_closed_to_caller':
      return edited(tenant).reachOf(hop.caller, hop.target).done()
    default:
      return mendScope(tenant, asked, hop, opener)
  }
}

/** A refused scope: what the first guard that refuses it asks for. */
function mendScope(
  tenant: Tenant,
  asked: Case,
  hop: HopRequest,
  opener: Agent,
): Mended | undefined {
  const { taskType } = hop
  const facts = factsOf(hop)
  for (const scope of hop.scope ?? []) {
    const guard = SCOPE_GUARDS.find(({ holds }) => !holds(facts, scope))
    if (guard === undefined) continue
    if (guard.name === 'scope_unknown') return undefined
    // Each agent asks for what the one before it asked for: what is missing, the root has not.
    if (guard.name === 'scope_beyond_parent') return openScopes(tenant, asked, taskType, opener)
    const edit = edited(tenant)
    if (guard.name === 'scope_beyond_task_type') edit.scopeOfType(taskType, scope)
    if (guard.name === 'scope_beyond_caller') edit.scopeOf(hop.caller, scope)
    if (guard.name === 'scope_beyond_target') edit.scopeAt(hop.target, scope)
    if (guard.name === 'scope_beyond_recipient') edit.scopeOf(facts.recipient, scope)
    return edit.done()
  }
  return undefined
}

/** Every scope asked for, held by the task type and by the opener: those of the root. */
function openScopes(
  tenant: Tenant,
  asked: Case,
  taskType: TaskType,
  opener: Agent,
): Mended | undefined {
  const edit = edited(tenant)
  for (const scope of asked.scope ?? []) {
    if (!tenant.scopes.has(scope)) return undefined
    edit.scopeOfType(taskType, scope).scopeOf(opener, scope)
  }
  return edit.done()
}

function allowDepth(tenant: Tenant, taskType: TaskType, depth: number): Mended {
  const edit = edited(tenant)
  edit.depth(taskType, depth)
  return edit.done()
}

/** The task has to reach the target, as it does the opener's home anyway, and so has every agent the chain came through. */
function allowReach(tenant: Tenant, taskType: TaskType, hop: HopRequest): Mended {
  const edit = edited(tenant)
  if (!hop.root.reach.includes(hop.target.uri)) edit.reachOfType(taskType, hop.target)
  for (const id of hop.chain.slice(1)) {
    const agent = tenant.agents.get(id)
    if (agent !== undefined) edit.reachOf(agent, hop.target)
  }
  return edit.done()
}

/** A copy of the tenant in the making; what is there already is not an edit. */
function edited(from: Tenant) {
  const edits: Edit[] = []
  const agents = new Map(from.agents)
  const resources = new Map(from.resources)
  const taskTypes = new Map(from.taskTypes)
  let { limits } = from
  const edit = {
    scopeOf(agent: Agent | undefined, scope: string) {
      const known = agents.get(agent?.id ?? '')
      if (known === undefined || known.scopes.has(scope)) return edit
      edits.push({ file: 'agents.yaml', entry: known.id, member: 'scopes', value: scope })
      const scopes = new Set([...known.scopes, scope])
      agents.set(known.id, { ...known, scopes })
      const home = resources.get(known.home)
      if (home !== undefined && isMade(home)) resources.set(home.id, { ...home, scopes })
      return edit
    },
    reachOf(agent: Agent, target: Resource) {
      const known = agents.get(agent.id)
      if (known === undefined || mayReach(known, target) || isMade(target)) return edit
      edits.push({ file: 'agents.yaml', entry: known.id, member: 'may_reach', value: target.id })
      agents.set(known.id, { ...known, mayReach: new Set([...known.mayReach, target.id]) })
      return edit
    },
    /** An API's scopes are its own; only an agent's endpoint can be opened to one more. */
    scopeAt(target: Resource, scope: string) {
      const known = resources.get(target.id)
      if (known === undefined || known.kind !== 'agent' || known.scopes.has(scope)) return edit
      if (isMade(known)) return edit
      edits.push({ file: 'resources.yaml', entry: known.id, member: 'scopes', value: scope })
      resources.set(known.id, { ...known, scopes: new Set([...known.scopes, scope]) })
      return edit
    },
    scopeOfType(type: TaskType, scope: string) {
      const known = taskTypes.get(type.id)
      if (known === undefined || known.scopes.includes(scope) || isFull(known.scopes)) return edit
      edits.push({ file: 'task-types.yaml', entry: known.id, member: 'scopes', value: scope })
      taskTypes.set(known.id, { ...known, scopes: [...known.scopes, scope] })
      return edit
    },
    reachOfType(type: TaskType, target: Resource) {
      const known = taskTypes.get(type.id)
      if (known === undefined || known.reach.includes(target.id) || isMade(target)) return edit
      // The opener's home takes the last place.
      if (isFull([...known.reach, ''])) return edit
      edits.push({ file: 'task-types.yaml', entry: known.id, member: 'reach', value: target.id })
      taskTypes.set(known.id, { ...known, reach: [...known.reach, target.id] })
      return edit
    },
    depth(type: TaskType, depth: number) {
      const known = taskTypes.get(type.id)
      if (known !== undefined && known.maxDepth < depth) {
        edits.push({
          file: 'task-types.yaml',
          entry: known.id,
          member: 'max_depth',
          value: depth,
        })
        taskTypes.set(known.id, { ...known, maxDepth: depth })
      }
      if (limits.maxDepth < depth && depth <= MOST_AGENTS) {
        edits.push({ file: 'tenant.yaml', member: 'max_depth', value: depth })
        limits = { ...limits, maxDepth: depth }
      }
      return edit
    },
    done: (): Mended => ({
      edits,
      tenant: {
        ...from,
        limits,
        agents,
        resources,
        taskTypes,
        resourcesByUri: new Map([...resources.values()].map((entry) => [entry.uri, entry])),
      },
    }),
  }
  return edit
}

/** The home made for an agent accepts what its agent holds, and no file can name it. */
const isMade = ({ id }: Resource): boolean => id.endsWith('.home')

const isFull = ({ length }: readonly unknown[]): boolean => length >= MAX_LIST_LENGTH

/** The longest chain a token can carry (docs/chain-format.md §2). */
const MOST_AGENTS = 8
