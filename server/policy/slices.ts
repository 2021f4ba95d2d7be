/**
 * Which policies a question needs: those whose head can match. A policy that names another principal, resource or action
 * cannot hold and cannot fail, so leaving it out changes nothing (Cedar calls this sound slicing).
 */
import { LRUCache } from 'lru-cache'
import type { Obligations } from '../core/rules.ts'
import type { CompiledPolicy, EntityName } from './compiled-policy.ts'
import { type NeededFacts, neededFacts } from './needed-facts.ts'

export interface Slice {
  /** Distinct among the slices of one tenant's version. */
  readonly name: string
  /** All its policies, one after the other, and their ids in that order. */
  readonly text: string
  readonly ids: readonly string[]
  readonly obligations: ReadonlyMap<string, Obligations>
  readonly needed: NeededFacts
}

/** Policies in all slices that are kept: each slice holds every policy that names nobody. */
const MOST_KEPT = 64 * 1024
const ANY = '*'

export class Slices {
  readonly #policies: readonly CompiledPolicy[]
  /** Positions in `#policies` by action, principal and resource; `*` where the head names none. */
  readonly #index: ReadonlyMap<string, readonly number[]>
  /** Every principal and resource that some head names. */
  readonly #named: ReadonlySet<string>
  readonly #made = new LRUCache<string, Slice>({
    maxSize: MOST_KEPT,
    sizeCalculation: ({ ids }) => 1 + ids.length,
  })

  constructor(policies: readonly CompiledPolicy[], actions: readonly string[]) {
    this.#policies = policies
    this.#index = indexOf(policies, actions)
    const heads = policies.flatMap(({ principal, resource }) => [principal, resource])
    this.#named = new Set(heads.map(nameOf))
  }

  /** Of no policy at all where none can match. */
  find(action: string, principal: EntityName, resource: EntityName): Slice {
    // Whoever is named nowhere shares the slice of all who are not.
    const who = this.#nameIn(principal)
    const what = this.#nameIn(resource)
    const name = `${action} ${who} ${what}`
    const made = this.#made.get(name)
    if (made !== undefined) return made
    const keys = new Set([
      keyOf(action, ANY, ANY),
      keyOf(action, who, ANY),
      keyOf(action, ANY, what),
      keyOf(action, who, what),
    ])
    const positions = [...keys].flatMap((key) => this.#index.get(key) ?? [])
    const policies = positions.flatMap((position) => this.#policies[position] ?? [])
    const slice = makeSlice({ name, action, policies })
    this.#made.set(name, slice)
    return slice
  }

  #nameIn(entity: EntityName): string {
    const name = nameOf(entity)
    return this.#named.has(name) ? name : ANY
  }
}

function indexOf(
  policies: readonly CompiledPolicy[],
  actions: readonly string[],
): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>()
  for (const [position, policy] of policies.entries()) {
    for (const action of policy.actions ?? actions) {
      const key = keyOf(action, nameOf(policy.principal), nameOf(policy.resource))
      const listed = index.get(key)
      if (listed === undefined) index.set(key, [position])
      else listed.push(position)
    }
  }
  return index
}

function keyOf(action: string, principal: string, resource: string): string {
  return `${action} ${principal} ${resource}`
}

// Ids of agents, resources and task types have neither space nor colon; what else a head may name is never asked about.
function nameOf(entity: EntityName | undefined): string {
  return entity === undefined ? ANY : `${entity.type}::${entity.id}`
}

function makeSlice({
  name,
  action,
  policies,
}: {
  readonly name: string
  readonly action: string
  readonly policies: readonly CompiledPolicy[]
}): Slice {
  return {
    name,
    text: policies.map(({ text }) => text).join('\n'),
    ids: policies.map(({ id }) => id),
    obligations: new Map(policies.map(({ id, obligations }) => [id, obligations])),
    needed: neededFacts(
      action,
      policies.map(({ reads }) => reads),
    ),
  }
}
