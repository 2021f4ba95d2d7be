/**
 * Which policies a question needs: those whose head can match. A policy that names another principal, resource or action
 * cannot hold and cannot fail, so leaving it out changes nothing (Cedar calls this sound slicing).
 */
import { LRUCache } from 'lru-cache'
import type { Obligations } from '../core/rules.ts'
import type { CompiledPolicy, EntityName } from './compiled-policy.ts'
import type { NeededFacts } from './question.ts'

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
  /** Positions in `#policies` by `action|principal|resource`, `*` where the head names none. */
  readonly #index: ReadonlyMap<string, readonly number[]>
  readonly #made = new LRUCache<string, Slice>({
    maxSize: MOST_KEPT,
    sizeCalculation: ({ ids }) => ids.length,
  })

  constructor(policies: readonly CompiledPolicy[], actions: readonly string[]) {
    this.#policies = policies
    this.#index = indexOf(policies, actions)
  }

  /** Undefined where no policy can match. */
  find(action: string, principal: EntityName, resource: EntityName): Slice | undefined {
    const [who, what] = [nameOf(principal), nameOf(resource)]
    const keys = [
      [action, ANY, ANY],
      [action, who, ANY],
      [action, ANY, what],
      [action, who, what],
    ].map((parts) => parts.join('|'))
    const positions = keys.map((key) => this.#index.get(key) ?? [])
    if (positions.every((some) => some.length === 0)) return undefined
    // Whoever is named nowhere shares the slice of all who are not.
    const name = keys.filter((_, at) => (positions[at]?.length ?? 0) > 0).join('\n')
    const made = this.#made.get(name)
    if (made !== undefined) return made
    const policies = positions.flat().flatMap((position) => this.#policies[position] ?? [])
    const slice = makeSlice(name, policies)
    this.#made.set(name, slice)
    return slice
  }
}

function indexOf(
  policies: readonly CompiledPolicy[],
  actions: readonly string[],
): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>()
  for (const [position, policy] of policies.entries()) {
    for (const action of policy.actions ?? actions) {
      const key = [action, nameOf(policy.principal), nameOf(policy.resource)].join('|')
      const listed = index.get(key)
      if (listed === undefined) index.set(key, [position])
      else listed.push(position)
    }
  }
  return index
}

// JSON quotes what an id of a user or task may contain, so no two names are the same text.
function nameOf(entity: EntityName | undefined): string {
  return entity === undefined ? ANY : JSON.stringify([entity.type, entity.id])
}

function makeSlice(name: string, policies: readonly CompiledPolicy[]): Slice {
  const names = policies.map(({ reads }) => reads.names)
  const entities = policies.flatMap(({ reads }) => reads.entities)
  return {
    name,
    text: policies.map(({ text }) => text).join('\n'),
    ids: policies.map(({ id }) => id),
    obligations: new Map(policies.map(({ id, obligations }) => [id, obligations])),
    needed: {
      names: names.some((some) => some === undefined)
        ? undefined
        : new Set(names.flatMap((some) => some ?? [])),
      tags: policies.some(({ reads }) => reads.tags),
      hierarchy: policies.some(({ reads }) => reads.hierarchy),
      entities: [...new Map(entities.map((entity) => [nameOf(entity), entity])).values()],
    },
  }
}
