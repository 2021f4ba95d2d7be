/**
 * Lets a suspended task go on, what was revoked in it excepted. What looked wrong in it is judged by people who answer for the
 * tenant, never by whoever it is for or works in it (attack case D07).
 */
import {
  isManagementRefusal,
  type ManagementRefusal,
  refuseManagement,
} from '../core/management-refusal.ts'
import type { EndingDeps } from './end-task.ts'
import { findTask, type TaskRequest } from './find-task.ts'

export interface ResumeTaskInput extends TaskRequest {
  /** The author's own words. */
  readonly reason: string
}

/** Its deadline stays what it was: nothing moves that. */
export async function resumeTask(
  deps: EndingDeps,
  input: ResumeTaskInput,
): Promise<{ readonly txn: string; readonly at: number } | ManagementRefusal> {
  const { txn, reason, author, record } = input
  const found = await findTask(deps, input, 'resume')
  if (isManagementRefusal(found)) return found
  const { tenant, tree } = found
  const { task } = tree
  const now = deps.clock.now()
  if (now >= task.deadline) return refuseManagement('task_over')
  const ending = { at: now, by: author.name, reason }
  const outcome = await deps.tasks.resumeTask(tenant.id, txn, ending)
  if (outcome === 'unknown') return refuseManagement('not_found', 'task_unknown')
  if (outcome === 'not_suspended') return refuseManagement('task_over', 'not_suspended')
  record.noteText('because', reason)
  await deps.audit.append(record.permitted(now))
  const { scope } = task
  await deps.securityEvents.emit(tenant, { kind: 'task_resumed', task, ending, scope })
  return { txn, at: now }
}
