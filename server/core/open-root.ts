/**
 * What a task is opened with: the task type, the subject and the opener cut to one another (docs/chain-format.md §3).
 * The lists keep the task type's order; the opener's home comes last.
 */
import type { Basis, BoundsRoot } from '../../lib/src/act-bounds.ts'
import { approvalFrom, refusingRule } from './decide.ts'
import { type Refusal, refuse } from './refusal.ts'
import {
  needsApproval,
  type Obligations,
  type RuleAnswer,
  type RuleRequest,
  type Subject,
} from './rules.ts'
import type { Agent, KeyProof, TaskType, Tenant, Tier } from './tenant.ts'

export interface RootRequest {
  readonly tenant: Tenant
  readonly opener: Agent
  readonly taskType: TaskType
  /** Scopes the subject's own token is bound to; undefined where its issuer's trust rule has no such claim. */
  readonly subjectScope: readonly string[] | undefined
  /** Undefined where the opener acts on its own behalf. */
  readonly subject: Subject | undefined
  /** What the opener proved a key with. */
  readonly key: KeyProof
  /** The opener's own words. */
  readonly request: RuleRequest
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

export interface OpenedRoot {
  readonly root: BoundsRoot
  /** Ids of the rules that permitted to open it, and what they bind it to. */
  readonly policies: readonly string[]
  readonly obligations: Obligations
}

/** The root's window and lists, once the rules permit. What needs an approval is never opened without one. */
export function openRoot(request: RootRequest): OpenedRoot | Refusal {
  const { tenant, opener, taskType, ids, now } = request
  const answer = askToOpen(request)
  const { policies, obligations } = answer
  const refusing = refusingRule(answer, { depth: 1, key: request.key })
  if (refusing !== undefined) {
    return refuse('task_type_not_permitted', refusing, [...policies, ...answer.failed])
  }
  const scope = openScopes(request, approvalFrom(answer))
  if (scope.length === 0) return refuse('scope_nothing_left', 'root_scope_empty')
  const home = tenant.resources.get(opener.home)
  if (home === undefined) return refuse('target_not_permitted', 'opener_has_no_home')
  const uris = taskType.reach.flatMap((id) => tenant.resources.get(id)?.uri ?? [])
  const basis: Basis = taskType.basis
  const lifetime = Math.min(taskType.lifetime, tenant.limits.taskLifetime)
  const depth = Math.min(taskType.maxDepth, tenant.limits.maxDepth)
  const root = {
    jti: ids.jti,
    idx: ids.idx,
    iat: now,
    exp: now + Math.min(lifetime, obligations.maxTtl ?? lifetime),
    max_depth: Math.min(depth, obligations.maxDepth ?? depth),
    basis,
    scope,
    reach: [...new Set([...uris, home.uri])],
  }
  return { root, policies, obligations }
}

/** Throws where the rules' engine fails. */
export function askToOpen({
  tenant,
  opener,
  taskType,
  subject,
  key,
  now,
  request,
}: RootRequest): RuleAnswer {
  return tenant.rules.answer({
    action: 'open',
    caller: opener,
    taskType,
    target: undefined,
    recipient: undefined,
    scope: undefined,
    subject,
    task: undefined,
    chain: [opener.id],
    key,
    now,
    request,
  })
}

function openScopes(request: RootRequest, approval: Tier): readonly string[] {
  const { tenant, opener, taskType, subjectScope } = request
  return taskType.scopes.filter((name) => {
    const tier = tenant.scopes.get(name)?.tier
    return (
      opener.scopes.has(name) &&
      (subjectScope === undefined || subjectScope.includes(name)) &&
      tier !== undefined &&
      !needsApproval(tier, approval)
    )
  })
}
