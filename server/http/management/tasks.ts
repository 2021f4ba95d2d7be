/**
 * Tasks under their tenant's issuer: read by those they concern, ended by those who may, resumed by people who answer for the
 * tenant. Whose a task is has one rule (core/may-end.ts); the roles here say who has any business asking.
 */
import { isManagementRefusal, refuseMembers } from '../../core/management-refusal.ts'
import type { AuthorRole } from '../../use-cases/author.ts'
import { endTask } from '../../use-cases/end-task.ts'
import { listTasks, readTask } from '../../use-cases/read-tasks.ts'
import { resumeTask } from '../../use-cases/resume-task.ts'
import { revokePlace } from '../../use-cases/revoke-place.ts'
import { type Asked, type Route, route } from './route.ts'
import { MOST_ITEMS, nothing } from './schemas.ts'
import { readCursor, writeCursor } from './task-cursor.ts'
import {
  closedTask,
  closing,
  resumedTask,
  resuming,
  revokedTask,
  revoking,
  taskList,
  taskQuery,
  taskTree,
} from './task-schemas.ts'
import { summaryOf, treeView } from './task-view.ts'
import { toInstant } from './tenants.ts'

const TASKS = '/t/{tenant}/tasks'
const TASK = `${TASKS}/{txn}`
const EVERYONE: readonly AuthorRole[] = [
  'operator',
  'admin',
  'helpdesk',
  'reviewer',
  'agent',
  'subject',
]
const DESK: readonly AuthorRole[] = ['operator', 'admin', 'helpdesk']
const SMALL_BODY = 16 * 1024
const DEFAULT_LIMIT = 50
const DONE = 'its work is done'

const event = 'task'

/** What every use case of one task is asked with. */
function requestOf({ author, parameters, record }: Asked<unknown, unknown>) {
  const { tenant = '', txn = '' } = parameters
  return { tenant, author, txn, record }
}

export const TASK_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: TASKS,
    name: 'list_tasks',
    event,
    summary: 'Tasks the author may read, newest first',
    roles: EVERYONE,
    query: taskQuery,
    answers: {
      200: {
        text: 'A page may be short, even empty, and go on: `next_cursor` says so.',
        schema: taskList,
      },
    },
    refusals: ['not_found'],
    handle: async (deps, { author, parameters, query }) => {
      const { tenant = '' } = parameters
      const { state, agent, subject, cursor } = query
      const after = cursor === undefined ? undefined : readCursor(cursor)
      if (cursor !== undefined && after === undefined) {
        return refuseMembers([{ pointer: '?cursor', text: 'is not one of this list' }])
      }
      const limit = Math.min(Number(query.limit ?? DEFAULT_LIMIT), MOST_ITEMS)
      const filters = { state, agent, subject, limit, after }
      const page = await listTasks(deps, { tenant, author, ...filters })
      if (isManagementRefusal(page)) return page
      const { tasks, next } = page
      const now = deps.clock.now()
      const items = tasks.map((task) => summaryOf(task, now))
      const body = next === undefined ? { items } : { items, next_cursor: writeCursor(next) }
      return { status: 200, body }
    },
  }),
  route({
    method: 'GET',
    path: TASK,
    name: 'read_task',
    event,
    summary: 'A task with every place and token in it',
    roles: EVERYONE,
    query: nothing,
    answers: { 200: { text: 'As it is now.', schema: taskTree } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const tree = await readTask(deps, requestOf(asked))
      if (isManagementRefusal(tree)) return tree
      return { status: 200, body: treeView(tree, deps.clock.now()) }
    },
  }),
  route({
    method: 'POST',
    path: `${TASK}/close`,
    name: 'close_task',
    event,
    summary: 'Ends a task whose work is done, with everything in it',
    roles: EVERYONE,
    query: nothing,
    body: { schema: closing, limit: SMALL_BODY },
    answers: { 200: { text: 'Also where it was closed before.', schema: closedTask } },
    refusals: ['not_found', 'task_over'],
    handle: async (deps, asked) => {
      const { reason = DONE } = asked.body
      const ended = await endTask(deps, { ...requestOf(asked), state: 'closed', reason })
      if (isManagementRefusal(ended)) return ended
      const { txn, state, at } = ended
      return { status: 200, body: { txn, state, closed_at: toInstant(at) } }
    },
  }),
  route({
    method: 'POST',
    path: `${TASK}/revoke`,
    name: 'revoke_task',
    event,
    summary: 'Ends a task that went wrong, or takes one place out of it with all beneath',
    roles: EVERYONE,
    query: nothing,
    body: { schema: revoking, limit: SMALL_BODY },
    answers: { 200: { text: 'Also where it was revoked before.', schema: revokedTask } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const { place, reason } = asked.body
      const request = { ...requestOf(asked), reason }
      if (place !== undefined) asked.record.note({ action: 'revoke_place' })
      const done =
        place === undefined
          ? await endTask(deps, { ...request, state: 'revoked' })
          : await revokePlace(deps, { ...request, place })
      if (isManagementRefusal(done)) return done
      const { txn, state, at } = done
      const where = place === undefined ? {} : { place: place.split('/') }
      return { status: 200, body: { txn, state, ...where, revoked_at: toInstant(at) } }
    },
  }),
  route({
    method: 'POST',
    path: `${TASK}/resume`,
    name: 'resume_task',
    event,
    summary: 'Lets a suspended task go on until its deadline',
    roles: DESK,
    query: nothing,
    body: { schema: resuming, limit: SMALL_BODY },
    answers: { 200: { text: 'What was revoked in it stays revoked.', schema: resumedTask } },
    refusals: ['not_found', 'task_over'],
    handle: async (deps, asked) => {
      const { reason } = asked.body
      const resumed = await resumeTask(deps, { ...requestOf(asked), reason })
      if (isManagementRefusal(resumed)) return resumed
      const { txn, at } = resumed
      return { status: 200, body: { txn, state: 'open', resumed_at: toInstant(at) } }
    },
  }),
]
