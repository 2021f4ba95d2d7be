/** What happens to a task's records in one transaction: opened, added to, revoked, settled. */
import type { HopConflict, HopLimits, HopRecord, TaskRecord } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { hopKey, hopsOf, pendingKey, placeKey, removalKey, taskKey } from './keys.ts'
import { type HopAddress, StoredHop, StoredTask, writeAddress } from './records.ts'
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

/** False where the task exists; nothing is written then. */
export function openTask(environment: Environment, opening: TaskOpening): boolean {
  const { tenant, task, hop } = opening
  const key = taskKey(tenant, task.txn)
  if (environment.has(key)) return false
  const stored = StoredTask.of(task, hop)
  environment.put(key, stored.value)
  const removal = removalKey(stored.endsAt + REMOVAL_GRACE_SECONDS, tenant, task.txn)
  environment.put(removal, writeAddress({ tenant, txn: task.txn, jti: hop.jti }))
  putHop(environment, { ...opening, txn: task.txn })
  putPlace(environment, placeKey(tenant, task.txn, hop.place), 1)
  return true
}

export function recordHop(
  environment: Environment,
  recording: HopRecording,
): 'recorded' | 'hop_exists' | HopConflict {
  const { tenant, txn, hop, limits } = recording
  const task = findTask(environment, tenant, txn)
  if (task === undefined) return 'task_unknown'
  if (!task.open || limits.now >= task.deadline) return 'task_ended'
  // The root's id has no hop record, so nothing but the first hop can name it as parent.
  const parent = findHop(environment, { tenant, txn, jti: hop.parent })
  if (parent === undefined) return 'parent_unknown'
  if (parent.revoked) return 'parent_revoked'
  if (limits.now >= parent.expiresAt) return 'parent_expired' // no tolerance between hops
  const place = placeKey(tenant, txn, hop.place)
  const held = environment.get(place)?.readUInt32BE() ?? 0
  if (held >= limits.tokensPerPlace) return 'place_full'
  if (task.tokens >= limits.tokensPerTask) return 'task_full'
  if (environment.has(hopKey(tenant, txn, hop.jti))) return 'hop_exists'
  environment.put(taskKey(tenant, txn), task.withToken(hop.expiresAt).value)
  putHop(environment, recording)
  putPlace(environment, place, held + 1)
  return 'recorded'
}

function putHop(environment: Environment, hop: Omit<HopRecording, 'limits'>): void {
  const { tenant, txn, recordedAt } = hop
  const { jti } = hop.hop
  environment.put(hopKey(tenant, txn, jti), StoredHop.of(hop.hop, recordedAt).value)
  environment.put(pendingKey(recordedAt, tenant, txn, jti), writeAddress({ tenant, txn, jti }))
}

function putPlace(environment: Environment, key: Buffer, held: number): void {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(held)
  environment.put(key, value)
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

/** The hop and everything whose parents lead to it; false if it is not recorded. Bounded by the tokens of a task. */
export function revokeHop(environment: Environment, { tenant, txn, jti }: HopAddress): boolean {
  if (findHop(environment, { tenant, txn, jti }) === undefined) return false
  const hops = new Map<string, StoredHop>()
  const children = new Map<string, string[]>()
  for (const { value } of environment.range(hopsOf(tenant, txn), Infinity)) {
    const stored = new StoredHop(value)
    const hop = stored.read()
    hops.set(hop.jti, stored)
    const siblings = children.get(hop.parent)
    if (siblings === undefined) children.set(hop.parent, [hop.jti])
    else siblings.push(hop.jti)
  }
  const reached = new Set([jti])
  // A set grows while it is walked; each hop is reached once, whatever its parent claims to be.
  for (const one of reached) for (const child of children.get(one) ?? []) reached.add(child)
  for (const one of reached) {
    const hop = hops.get(one)
    if (hop === undefined || hop.revoked) continue
    environment.put(hopKey(tenant, txn, one), hop.revoke().value)
  }
  return true
}

export function settleHop(environment: Environment, at: HopAddress): void {
  const hop = findHop(environment, at)
  if (hop === undefined) return
  environment.remove(pendingKey(hop.recordedAt, at.tenant, at.txn, at.jti))
}
