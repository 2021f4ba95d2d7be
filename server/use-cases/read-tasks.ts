/** Tasks for whoever may read them: a page of a list, or one as a whole. */
import {
  isManagementRefusal,
  type ManagementRefusal,
  refuseManagement,
} from '../core/management-refusal.ts'
import { mayEnd, mayReadAll } from '../core/may-end.ts'
import type { Author } from './author.ts'
import { findTask, type TaskRequest, taskAuthor } from './find-task.ts'
import type { Clock, TaskPage, TaskQuery, TaskStore, TaskTree, Tenants } from './ports.ts'

export interface ReadTasksDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly tasks: TaskStore
}

export interface ListTasksInput
  extends Pick<TaskQuery, 'state' | 'agent' | 'subject' | 'limit' | 'after'> {
  readonly tenant: string
  readonly author: Author
}

const NONE: TaskPage = { tasks: [], next: undefined }

/** Filters stay within what the author may read: to ask for others' tasks finds nothing, and tells nothing. */
export async function listTasks(
  deps: ReadTasksDeps,
  { tenant: id, author, ...query }: ListTasksInput,
): Promise<TaskPage | ManagementRefusal> {
  const tenant = deps.tenants.find(id)
  if (tenant === undefined) return refuseManagement('not_found', 'tenant_unknown')
  const own = ownTasks(author)
  if (own.subject !== undefined && query.subject !== undefined && query.subject !== own.subject) {
    return NONE
  }
  const { opener, subject = query.subject } = own
  const now = deps.clock.now()
  const page = await deps.tasks.listTasks(id, { ...query, subject, opener, now })
  const party = taskAuthor(tenant, author)
  // The store finds by name; whose a task is has one rule.
  return { ...page, tasks: page.tasks.filter((task) => mayEnd(party, 'read', task)) }
}

/** The part of a query that keeps to the author's own tasks. */
function ownTasks({ id, roles }: Author): Pick<TaskQuery, 'subject' | 'opener'> {
  if (mayReadAll(roles)) return { subject: undefined, opener: undefined }
  return roles.includes('agent')
    ? { subject: undefined, opener: id }
    : { subject: id, opener: undefined }
}

export async function readTask(
  deps: ReadTasksDeps,
  request: TaskRequest,
): Promise<TaskTree | ManagementRefusal> {
  const found = await findTask(deps, request, 'read')
  return isManagementRefusal(found) ? found : found.tree
}
