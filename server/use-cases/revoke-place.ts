/**
 * Takes a place out of a task: all its tokens, all beneath it, and the way back in. Its siblings live, and so does what is
 * above it (attack case H04).
 */
import {
  isManagementRefusal,
  type ManagementRefusal,
  refuseManagement,
} from '../core/management-refusal.ts'
import type { EndingDeps } from './end-task.ts'
import { findTask, type TaskRequest } from './find-task.ts'
import { endingOfPlace, tokensBeneath } from './place-endings.ts'
import type { TaskState } from './ports.ts'

export interface RevokePlaceInput extends TaskRequest {
  /** Agent ids from the root, joined by `/`. */
  readonly place: string
  /** The author's own words. */
  readonly reason: string
}

export interface RevokedPlaceOfTask {
  readonly txn: string
  /** Of the task, which goes on if it was open. */
  readonly state: TaskState
  /** Since when the place is out, by itself or with one above it; seconds since the epoch. */
  readonly at: number
}

/** As `endTask`: what a fault leaves behind stands. */
export async function revokePlace(
  deps: EndingDeps,
  input: RevokePlaceInput,
): Promise<RevokedPlaceOfTask | ManagementRefusal> {
  const { txn, place, reason, author, record } = input
  const found = await findTask(deps, input, 'revoke_place', place)
  if (isManagementRefusal(found)) return found
  const { tenant } = found
  const now = deps.clock.now()
  const ending = { at: now, by: author.name, reason }
  const outcome = await deps.tasks.revokePlace(tenant.id, txn, place, ending)
  const tree = await deps.tasks.readTask(tenant.id, txn)
  if (outcome === 'unknown' || tree === undefined) {
    return refuseManagement('not_found', 'place_unknown')
  }
  const stands = endingOfPlace(tree, place) ?? ending
  if (outcome === 'revoked') record.noteText('because', reason)
  await deps.audit.appendRevocation(record.permitted(now))
  const jtis = tokensBeneath(tree, [place])
  await deps.securityEvents.emit(tenant, {
    kind: 'tokens_revoked',
    task: tree.task,
    ending: stands,
    jtis,
  })
  return { txn, state: tree.task.state, at: stands.at }
}
