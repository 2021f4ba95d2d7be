/**
 * What a task is opened with: the task type, the subject and the opener cut to one another (docs/chain-format.md §3).
 * The lists keep the task type's order; the opener's home comes last.
 */
import type { Basis, BoundsRoot } from '../../lib/src/act-bounds.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Agent, TaskType, Tenant } from './tenant.ts'

export interface RootRequest {
  readonly tenant: Tenant
  readonly opener: Agent
  readonly taskType: TaskType
  /** Scopes the subject's own token is bound to; undefined where its issuer's trust rule has no such claim. */
  readonly subjectScope: readonly string[] | undefined
  readonly ids: { readonly jti: string; readonly idx: number }
  readonly now: number
}

/** The task type asked for, or the only one this opener may open for a subject of this source. */
export function findTaskType(
  tenant: Tenant,
  opener: Agent,
  source: { readonly basis: 'policy'; readonly issuer: string } | { readonly basis: 'client' },
  named: string | undefined,
): TaskType | Refusal {
  const open = [...tenant.taskTypes.values()].filter(
    (type) =>
      type.basis === source.basis &&
      type.openers.has(opener.id) &&
      (source.basis === 'client' || type.subjectsFrom.has(source.issuer)),
  )
  if (named !== undefined) {
    return open.find((type) => type.id === named) ?? refuse('task_type_not_permitted')
  }
  const [only, ...others] = open
  if (only === undefined) return refuse('task_type_not_permitted')
  return others.length === 0 ? only : refuse('task_type_required')
}

/** The root's window and lists. Execute-tier scopes are never opened without an approval. */
export function openRoot(request: RootRequest): BoundsRoot | Refusal {
  const { tenant, opener, taskType, subjectScope, ids, now } = request
  const scope = taskType.scopes.filter(
    (name) =>
      opener.scopes.has(name) &&
      (subjectScope === undefined || subjectScope.includes(name)) &&
      isOrdinary(tenant, name),
  )
  if (scope.length === 0) return refuse('scope_nothing_left', 'root_scope_empty')
  const home = tenant.resources.get(opener.home)
  if (home === undefined) return refuse('target_not_permitted', 'opener_has_no_home')
  const uris = taskType.reach.flatMap((id) => tenant.resources.get(id)?.uri ?? [])
  const basis: Basis = taskType.basis
  return {
    jti: ids.jti,
    idx: ids.idx,
    iat: now,
    exp: now + Math.min(taskType.lifetime, tenant.limits.taskLifetime),
    max_depth: Math.min(taskType.maxDepth, tenant.limits.maxDepth),
    basis,
    scope,
    reach: [...new Set([...uris, home.uri])],
  }
}

function isOrdinary(tenant: Tenant, name: string): boolean {
  const tier = tenant.scopes.get(name)?.tier
  return tier === 'read' || tier === 'propose'
}
