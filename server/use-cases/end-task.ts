/**
 * Closes a task, or revokes it. Closed, its work is done; revoked, it went wrong, and the token that opened it opens no other.
 * Either way everything in it is over, and nothing is issued in it again (attack case D07: there is no way back).
 */
import {
  isManagementRefusal,
  type ManagementRefusal,
  refuseManagement,
} from '../core/management-refusal.ts'
import { findTask, type TaskRequest } from './find-task.ts'
import type { AuditLog, Clock, Ending, TaskRecord, TaskStore, Tenants } from './ports.ts'
import type { SecurityEvents } from './security-events.ts'

export interface EndingDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly tasks: TaskStore
  readonly audit: AuditLog
  readonly securityEvents: SecurityEvents
}

export interface EndTaskInput extends TaskRequest {
  readonly state: 'closed' | 'revoked'
  /** The author's own words. */
  readonly reason: string
}

/** What became of it, whoever ended it first. */
export interface EndedTask {
  readonly txn: string
  readonly state: 'closed' | 'revoked'
  /** Seconds since the epoch. */
  readonly at: number
}

/**
 * Resolves when every process and every list shows it, its entry is durable, and receivers will be told. If the entry cannot
 * be written it throws, and the task is over all the same: to ask again is harmless.
 */
export async function endTask(
  deps: EndingDeps,
  input: EndTaskInput,
): Promise<EndedTask | ManagementRefusal> {
  const { txn, state, reason, author, record } = input
  const found = await findTask(deps, input, state === 'closed' ? 'close' : 'revoke_task')
  if (isManagementRefusal(found)) return found
  const { tenant, tree } = found
  const now = deps.clock.now()
  // Past its deadline there is nothing left to close; to revoke it still spends its subject token.
  const isPast = now >= tree.task.deadline && tree.task.state !== 'closed'
  if (state === 'closed' && isPast) return refuseManagement('task_over')
  const ending = { at: now, by: author.name, reason }
  const outcome = await deps.tasks.endTask(tenant.id, txn, state, ending)
  if (outcome === 'unknown') return refuseManagement('not_found', 'task_unknown')
  const stands = outcome === 'ended' ? ending : await endingOf(deps, tenant.id, txn, state)
  if (stands === undefined) return refuseManagement('task_over')
  if (outcome === 'ended') record.noteText('because', reason)
  await deps.audit.appendRevocation(record.permitted(now))
  const task = { ...tree.task, state }
  await deps.securityEvents.emit(tenant, { kind: 'task_ended', task, ending: stands })
  return { txn, state, at: stands.at }
}

/** Of a task that was in that state before; undefined where it is in another. */
async function endingOf(
  { tasks }: EndingDeps,
  tenant: string,
  txn: string,
  state: TaskRecord['state'],
): Promise<Ending | undefined> {
  const tree = await tasks.readTask(tenant, txn)
  return tree?.task.state === state ? tree.task.ending : undefined
}
