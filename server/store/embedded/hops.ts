/** What every exchange does to a task's records in one transaction: opened, added to, settled. */
import type { HopConflict, HopLimits, HopRecord, TaskRecord } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { ageKey, hopKey, pendingKey, placeKey, removalKey, taskKey } from './keys.ts'
import { keepList } from './list-heads.ts'
import { findPlace, isTakenOut } from './places.ts'
import { type HopAddress, StoredHop, StoredPlace, StoredTask, writeAddress } from './records.ts'
import { isSpent } from './spent-tokens.ts'
import { REMOVAL_GRACE_SECONDS } from './task-removal.ts'

export interface TaskOpening {
  readonly tenant: string
  readonly task: TaskRecord
  readonly hop: HopRecord
  readonly recordedAt: number
}

export interface HopRecording {
  readonly tenant: string
  readonly txn: string
  readonly hop: HopRecord
  readonly limits: HopLimits
  readonly recordedAt: number
}

/** Unless it is `opened` nothing was written. */
export function openTask(
  environment: Environment,
  opening: TaskOpening,
): 'opened' | 'task_exists' | 'subject_token_spent' {
  const { tenant, task, hop } = opening
  const { txn, list, openedAt } = task
  const key = taskKey(tenant, txn)
  if (environment.has(key)) return 'task_exists'
  if (isSpent(environment, tenant, task.subjectToken)) return 'subject_token_spent'
  const stored = StoredTask.of(task, hop)
  environment.put(key, stored.value)
  const address = putHop(environment, { ...opening, txn })
  environment.put(removalKey(stored.endsAt + REMOVAL_GRACE_SECONDS, tenant, txn), address)
  environment.put(ageKey(tenant, openedAt, txn), Buffer.from(JSON.stringify([openedAt, txn])))
  keepList(environment, { tenant, list }, stored.endsAt)
  environment.put(placeKey(tenant, txn, hop.place), StoredPlace.of(hop.place, 1).value)
  return 'opened'
}

export function recordHop(
  environment: Environment,
  recording: HopRecording,
): 'recorded' | 'hop_exists' | HopConflict {
  const { tenant, txn, hop, limits } = recording
  const task = findTask(environment, tenant, txn)
  if (task === undefined) return 'task_unknown'
  if (task.isOver(limits.now)) return 'task_ended'
  if (task.state === 'suspended') return 'task_suspended'
  // The root's id has no hop record, so nothing but the first hop can name it as parent.
  const parent = findHop(environment, { tenant, txn, jti: hop.parent })
  if (parent === undefined) return 'parent_unknown'
  if (parent.revoked) return 'parent_revoked'
  if (limits.now >= parent.expiresAt) return 'parent_expired' // no tolerance between hops
  if (task.withoutPlaces && isTakenOut(environment, { tenant, txn }, hop.place)) {
    return 'place_revoked'
  }
  const place = findPlace(environment, { tenant, txn }, hop.place)
  if ((place?.tokens ?? 0) >= limits.tokensPerPlace) return 'place_full'
  if (task.tokens >= limits.tokensPerTask) return 'task_full'
  if (environment.has(hopKey(tenant, txn, hop.jti))) return 'hop_exists'
  const added = task.withToken(hop.expiresAt)
  if (added.endsAt > task.endsAt) {
    keepList(environment, { tenant, list: task.read().list }, added.endsAt)
  }
  environment.put(taskKey(tenant, txn), added.value)
  putHop(environment, recording)
  const counted = place?.withToken() ?? StoredPlace.of(hop.place, 1)
  environment.put(placeKey(tenant, txn, hop.place), counted.value)
  return 'recorded'
}

/** Returns its address as stored. */
function putHop(environment: Environment, hop: Omit<HopRecording, 'limits'>): Buffer {
  const { tenant, txn, recordedAt } = hop
  const { jti } = hop.hop
  const address = writeAddress({ tenant, txn, jti })
  environment.put(hopKey(tenant, txn, jti), StoredHop.of(hop.hop, recordedAt).value)
  environment.put(pendingKey(recordedAt, tenant, txn, jti), address)
  return address
}

export function findTask(
  environment: Environment,
  tenant: string,
  txn: string,
): StoredTask | undefined {
  const value = environment.get(taskKey(tenant, txn))
  return value === undefined ? undefined : new StoredTask(value)
}

export function findHop(environment: Environment, at: HopAddress): StoredHop | undefined {
  const value = environment.get(hopKey(at.tenant, at.txn, at.jti))
  return value === undefined ? undefined : new StoredHop(value)
}

export function settleHop(environment: Environment, at: HopAddress): void {
  const hop = findHop(environment, at)
  if (hop === undefined) return
  environment.remove(pendingKey(hop.recordedAt, at.tenant, at.txn, at.jti))
}
