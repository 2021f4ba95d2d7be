/**
 * Tasks and their hops. Every verb is one function inside one transaction: what it checked still holds when it writes.
 * A hop counts only while its record exists.
 */
import type {
  Clock,
  HopConflict,
  HopLimits,
  HopRecord,
  TaskRecord,
  TaskStore,
} from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { hopKey, hopsOf, pendingKey, placeKey, removalKey, taskKey } from './keys.ts'
import { StoredHop, StoredTask, writeAddress } from './records.ts'
import { REMOVAL_GRACE_SECONDS, sweepTasks } from './task-removal.ts'
import type { WriteBatch } from './write-batch.ts'

const HOPS_PER_SWEEP = 32

export class EmbeddedTaskStore implements TaskStore {
  readonly #environment: Environment
  readonly #batch: WriteBatch
  readonly #clock: Clock
  #sinceSweep = 0

  constructor(environment: Environment, batch: WriteBatch, clock: Clock) {
    this.#environment = environment
    this.#batch = batch
    this.#clock = clock
  }

  async openTask(tenant: string, task: TaskRecord, hop: HopRecord): Promise<void> {
    this.#sweepNowAndThen()
    const key = taskKey(tenant, task.txn)
    const stored = StoredTask.of(task, hop)
    const opened = await this.#batch.write('grows', () => {
      if (this.#environment.has(key)) return false
      this.#environment.put(key, stored.value)
      const removal = removalKey(stored.endsAt + REMOVAL_GRACE_SECONDS, tenant, task.txn)
      this.#environment.put(removal, writeAddress({ tenant, txn: task.txn, jti: '' }))
      this.#putHop(tenant, task.txn, hop)
      this.#putPlace(placeKey(tenant, task.txn, hop.place), 1)
      return true
    })
    if (!opened) throw new Error('the task exists already')
  }

  async recordHop(
    tenant: string,
    txn: string,
    hop: HopRecord,
    limits: HopLimits,
  ): Promise<'recorded' | HopConflict> {
    this.#sweepNowAndThen()
    const outcome = await this.#batch.write('grows', () => this.#record(tenant, txn, hop, limits))
    if (outcome === 'hop_exists') throw new Error('a hop of this id exists already')
    return outcome
  }

  #record(
    tenant: string,
    txn: string,
    hop: HopRecord,
    limits: HopLimits,
  ): 'recorded' | 'hop_exists' | HopConflict {
    const task = this.#findTask(tenant, txn)
    if (task === undefined) return 'task_unknown'
    if (!task.open || limits.now >= task.deadline) return 'task_ended'
    // The root's id has no hop record, so nothing but the first hop can name it as parent.
    const parent = this.#find(tenant, txn, hop.parent)
    if (parent === undefined) return 'parent_unknown'
    if (parent.revoked) return 'parent_revoked'
    if (limits.now >= parent.expiresAt) return 'parent_expired' // no tolerance between hops
    const place = placeKey(tenant, txn, hop.place)
    const held = this.#environment.get(place)?.readUInt32BE() ?? 0
    if (held >= limits.tokensPerPlace) return 'place_full'
    if (task.tokens >= limits.tokensPerTask) return 'task_full'
    if (this.#environment.has(hopKey(tenant, txn, hop.jti))) return 'hop_exists'
    this.#environment.put(taskKey(tenant, txn), task.withToken(hop.expiresAt).value)
    this.#putHop(tenant, txn, hop)
    this.#putPlace(place, held + 1)
    return 'recorded'
  }

  #putHop(tenant: string, txn: string, hop: HopRecord): void {
    const recordedAt = this.#clock.now()
    const address = { tenant, txn, jti: hop.jti }
    this.#environment.put(hopKey(tenant, txn, hop.jti), StoredHop.of(hop, recordedAt).value)
    this.#environment.put(pendingKey(recordedAt, tenant, txn, hop.jti), writeAddress(address))
  }

  #putPlace(key: Buffer, held: number): void {
    const value = Buffer.alloc(4)
    value.writeUInt32BE(held)
    this.#environment.put(key, value)
  }

  #findTask(tenant: string, txn: string): StoredTask | undefined {
    const value = this.#environment.get(taskKey(tenant, txn))
    return value === undefined ? undefined : new StoredTask(value)
  }

  #find(tenant: string, txn: string, jti: string): StoredHop | undefined {
    const value = this.#environment.get(hopKey(tenant, txn, jti))
    return value === undefined ? undefined : new StoredHop(value)
  }

  async findHop(
    tenant: string,
    txn: string,
    jti: string,
  ): Promise<{ readonly task: TaskRecord; readonly hop: HopRecord } | undefined> {
    this.#environment.refresh()
    const task = this.#findTask(tenant, txn)
    const hop = this.#find(tenant, txn, jti)
    if (task === undefined || hop === undefined) return undefined
    return { task: task.read(), hop: hop.read() }
  }

  revokeHop(tenant: string, txn: string, jti: string): Promise<boolean> {
    return this.#batch.write('shrinks', () => this.#revoke(tenant, txn, jti))
  }

  /** The hop and everything whose parents lead to it. Bounded by the tokens a task may have. */
  #revoke(tenant: string, txn: string, jti: string): boolean {
    if (this.#find(tenant, txn, jti) === undefined) return false
    const children = new Map<string, string[]>()
    for (const { value } of this.#environment.range(hopsOf(tenant, txn), Infinity)) {
      const hop = new StoredHop(value).read()
      children.set(hop.parent, [...(children.get(hop.parent) ?? []), hop.jti])
    }
    const reached = new Set([jti])
    // A set grows while it is walked; each hop is reached once, whatever its parent claims to be.
    for (const one of reached) for (const child of children.get(one) ?? []) reached.add(child)
    for (const one of reached) {
      const hop = this.#find(tenant, txn, one)
      if (hop !== undefined && !hop.revoked) {
        this.#environment.put(hopKey(tenant, txn, one), hop.revoke().value)
      }
    }
    return true
  }

  /** Resolves at once; the marker goes with a later commit. One that is lost is found by recovery. */
  async settleHop(tenant: string, txn: string, jti: string): Promise<void> {
    this.#batch.defer(() => {
      const hop = this.#find(tenant, txn, jti)
      if (hop === undefined) return
      this.#environment.remove(pendingKey(hop.recordedAt, tenant, txn, jti))
    })
  }

  durable(): Promise<void> {
    return this.#batch.durable()
  }

  #sweepNowAndThen(): void {
    this.#sinceSweep += 1
    if (this.#sinceSweep < HOPS_PER_SWEEP && !this.#batch.full) return
    this.#sinceSweep = 0
    this.#batch.defer(() => sweepTasks(this.#environment, this.#clock.now()))
  }
}
