/** Tasks and their hops over the embedded store. A hop counts only while its record exists. */
import type {
  Clock,
  HopConflict,
  HopLimits,
  HopRecord,
  TaskRecord,
  TaskStore,
} from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { findHop, findTask } from './hops.ts'
import type { Writer } from './writer.ts'

/** Each sweep removes far more records than so many hops bring. */
const HOPS_PER_SWEEP = 32

export class EmbeddedTaskStore implements TaskStore {
  readonly #environment: Environment
  readonly #writer: Writer
  readonly #clock: Clock
  #sinceSweep = 0

  constructor(environment: Environment, writer: Writer, clock: Clock) {
    this.#environment = environment
    this.#writer = writer
    this.#clock = clock
  }

  async openTask(tenant: string, task: TaskRecord, hop: HopRecord): Promise<void> {
    const recordedAt = this.#recordedAt()
    const opened = await this.#writer.write('openTask', { tenant, task, hop, recordedAt })
    if (!opened) throw new Error('the task exists already')
  }

  async recordHop(
    tenant: string,
    txn: string,
    hop: HopRecord,
    limits: HopLimits,
  ): Promise<'recorded' | HopConflict> {
    const recordedAt = this.#recordedAt()
    const recording = { tenant, txn, hop, limits, recordedAt }
    const outcome = await this.#writer.write('recordHop', recording)
    if (outcome === 'hop_exists') throw new Error('a hop of this id exists already')
    return outcome
  }

  async findHop(
    tenant: string,
    txn: string,
    jti: string,
  ): Promise<{ readonly task: TaskRecord; readonly hop: HopRecord } | undefined> {
    this.#environment.refresh() // sees what another process committed a moment ago
    const task = findTask(this.#environment, tenant, txn)
    const hop = findHop(this.#environment, { tenant, txn, jti })
    if (task === undefined || hop === undefined) return undefined
    return { task: task.read(), hop: hop.read() }
  }

  revokeHop(tenant: string, txn: string, jti: string): Promise<boolean> {
    return this.#writer.write('revokeHop', { tenant, txn, jti })
  }

  /** Resolves at once; the marker goes with a later commit. One that is lost is found by recovery. */
  async settleHop(tenant: string, txn: string, jti: string): Promise<void> {
    this.#writer.defer('settleHop', { tenant, txn, jti })
  }

  #recordedAt(): number {
    const now = this.#clock.now()
    this.#sinceSweep += 1
    if (this.#sinceSweep >= HOPS_PER_SWEEP || this.#writer.full) {
      this.#sinceSweep = 0
      this.#writer.defer('sweepTasks', now)
    }
    return now
  }
}
