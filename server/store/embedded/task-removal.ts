/**
 * Removes tasks that nothing can use any more: the deadline has passed and no token of theirs can be alive. Bounded per
 * run; a task is found by the time of its removal, never by a scan.
 */
import type { Environment } from './environment.ts'
import {
  ageKey,
  hopsOf,
  type KeyRange,
  minuteOf,
  pendingKey,
  placesOf,
  removalKey,
  removalRange,
  taskKey,
} from './keys.ts'
import { readAddress, StoredHop, StoredTask } from './records.ts'

/** After the last token's expiry: skew between clocks, with room. */
export const REMOVAL_GRACE_SECONDS = 120
const TASKS_PER_SWEEP = 64
const RECORDS_PER_SWEEP = 256

/** Runs inside a transaction. */
export function sweepTasks(environment: Environment, now: number): void {
  let left = RECORDS_PER_SWEEP
  for (const { key, value } of environment.range(removalRange(minuteOf(now)), TASKS_PER_SWEEP)) {
    const { tenant, txn } = readAddress(value)
    const found = environment.get(taskKey(tenant, txn))
    const task = found === undefined ? undefined : new StoredTask(found)
    const endsAt = task === undefined ? 0 : task.endsAt + REMOVAL_GRACE_SECONDS
    if (minuteOf(endsAt) >= minuteOf(now)) {
      environment.remove(key)
      environment.put(removalKey(endsAt, tenant, txn), value)
      continue
    }
    left -= removeHops(environment, { tenant, txn, limit: left })
    left -= removeAll(environment, placesOf(tenant, txn), left)
    if (left <= 0) return // the task stays listed: the next run goes on
    if (task !== undefined) environment.remove(ageKey(tenant, task.read().openedAt, txn))
    environment.remove(taskKey(tenant, txn))
    environment.remove(key)
  }
}

/** Hops with their pending markers. */
function removeHops(
  environment: Environment,
  task: { readonly tenant: string; readonly txn: string; readonly limit: number },
): number {
  const hops = environment.range(hopsOf(task.tenant, task.txn), task.limit)
  for (const { key, value } of hops) {
    const hop = new StoredHop(value)
    environment.remove(pendingKey(hop.recordedAt, task.tenant, task.txn, hop.read().jti))
    environment.remove(key)
  }
  return hops.length
}

function removeAll(environment: Environment, range: KeyRange, limit: number): number {
  if (limit <= 0) return 0
  const keys = environment.keys(range, limit)
  for (const key of keys) environment.remove(key)
  return keys.length
}
