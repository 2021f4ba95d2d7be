/** Whom a policy is about, from its head in Cedar's JSON form: what slicing goes by. */
import type { EntityName } from './compiled-policy.ts'
import { isObject, type Reads, readEntity } from './expression.ts'

export interface Head {
  readonly principal: EntityName | undefined
  readonly resource: EntityName | undefined
  /** Undefined: every action. */
  readonly actions: readonly string[] | undefined
}

/** Reads the head of a policy, and adds to `reads` what deciding it takes. */
export function readHead(
  json: { readonly principal: unknown; readonly action: unknown; readonly resource: unknown },
  reads: Reads,
): Head {
  return {
    principal: readTie(json.principal, reads),
    resource: readTie(json.resource, reads),
    actions: readActions(json.action),
  }
}

/**
 * `== E` and `in E` tie to E alone, for no principal and no resource of ours lies in another: only a tenant holds them
 * all. `is T in E` is `in E`.
 */
function readTie(constraint: unknown, reads: Reads): EntityName | undefined {
  if (!isObject(constraint)) return undefined
  const within = constraint['op'] === 'is' ? constraint['in'] : constraint
  const entity = isObject(within) ? readEntity(within['entity']) : undefined
  if (entity === undefined) return undefined
  reads.named.push(entity)
  if (constraint['op'] === '==' || entity.type !== 'Tenant') return entity
  reads.hierarchy = true
  return undefined
}

function readActions(constraint: unknown): readonly string[] | undefined {
  if (!isObject(constraint) || constraint['op'] === 'All') return undefined
  const entities: unknown[] = [constraint['entity'] ?? constraint['entities']].flat()
  return entities.flatMap((entity) => readEntity(entity)?.id ?? [])
}
