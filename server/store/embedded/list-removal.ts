/**
 * Removes status lists no token refers to any more. Bounded per run; a list is found by the time of its removal, never by a
 * scan. From the moment it is touched it is not served: a list with a part of its statuses would call the rest valid.
 */
import type { Environment } from './environment.ts'
import { indexKey, listRemovalKey, listRemovalRange, minuteOf, statusesOf } from './keys.ts'
import { findList, LIST_GRACE_SECONDS } from './list-heads.ts'

const LISTS_PER_SWEEP = 8
const CHUNKS_PER_SWEEP = 256

/** Runs inside a transaction. */
export function sweepLists(environment: Environment, now: number): void {
  const due = environment.range(listRemovalRange(minuteOf(now)), LISTS_PER_SWEEP)
  let left = CHUNKS_PER_SWEEP
  for (const { key, value } of due) {
    const [tenant, list] = JSON.parse(value.toString('utf8')) as readonly [string, string]
    const removeAt = (findList(environment, { tenant, list })?.until ?? 0) + LIST_GRACE_SECONDS
    if (minuteOf(removeAt) >= minuteOf(now)) {
      environment.remove(key)
      environment.put(listRemovalKey(removeAt, tenant, list), value)
      continue
    }
    environment.remove(indexKey(tenant, list))
    const chunks = environment.keys(statusesOf(tenant, list), left)
    for (const chunk of chunks) environment.remove(chunk)
    left -= chunks.length
    if (left <= 0) return // it stays listed: the next run goes on
    environment.remove(key)
  }
}
