/**
 * The task somebody asks for, if they may do with it what they ask. A task of others is not there for whoever may not read it:
 * one answer for both, and the difference on record (attack cases F05 and H09).
 */
import { type ManagementRefusal, refuseManagement } from '../core/management-refusal.ts'
import { mayEnd, type TaskAuthor, type TaskVerb } from '../core/may-end.ts'
import type { Tenant } from '../core/tenant.ts'
import type { Author } from './author.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { TaskStore, TaskTree, Tenants } from './ports.ts'

export interface TaskRequest {
  readonly tenant: string
  readonly author: Author
  readonly txn: string
  readonly record: DecisionRecord
}

export interface FoundTask {
  readonly tenant: Tenant
  readonly tree: TaskTree
}

/** @param place agent ids from the root, joined by `/`; with `revoke_place` only */
export async function findTask(
  deps: { readonly tenants: Tenants; readonly tasks: TaskStore },
  { tenant: id, author, txn, record }: TaskRequest,
  verb: TaskVerb,
  place?: string,
): Promise<FoundTask | ManagementRefusal> {
  record.note({ txn, ...(place === undefined ? {} : { place }) })
  const tenant = deps.tenants.find(id)
  if (tenant === undefined) return refuseManagement('not_found', 'tenant_unknown')
  const tree = await deps.tasks.readTask(id, txn)
  if (tree === undefined) return refuseManagement('not_found', 'task_unknown')
  const { task, hops } = tree
  record.note({ subject: task.subject, task_type: task.type })
  const party = taskAuthor(tenant, author)
  const mayRead = mayEnd(party, 'read', task)
  const isThere = place === undefined || hops.some((hop) => hop.place === place)
  if (mayEnd(party, verb, task, place) && isThere) return { tenant, tree }
  if (!mayRead) return refuseManagement('not_found', 'task_of_others')
  return isThere
    ? refuseManagement('role_required', 'task_verb')
    : refuseManagement('not_found', 'place_unknown')
}

/** With what the tenant knows of them by now. */
export function taskAuthor(tenant: Tenant, author: Author): TaskAuthor {
  const isAgent = author.roles.includes('agent')
  const agent = isAgent ? tenant.agents.get(author.id) : undefined
  return { ...author, registeredAt: agent?.registeredAt }
}
