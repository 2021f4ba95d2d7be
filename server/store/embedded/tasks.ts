/** Tasks and their hops over the embedded store. A hop counts only while its record exists. */
import type {
  Clock,
  Ending,
  HopConflict,
  HopLimits,
  HopRecord,
  Reached,
  Revocation,
  TaskPage,
  TaskQuery,
  TaskRecord,
  TaskState,
  TaskStore,
  TaskTree,
} from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { findHop, findTask } from './hops.ts'
import { type PendingRevocation, readRevocations } from './revocations.ts'
import { listTasks, liveTasks, readTask } from './task-queries.ts'
import type { Writer } from './writer.ts'

/** Each sweep removes far more records than so many writes bring. */
const WRITES_PER_SWEEP = 32

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

  async openTask(
    tenant: string,
    task: TaskRecord,
    hop: HopRecord,
  ): Promise<'opened' | 'subject_token_spent'> {
    const recordedAt = this.#writing()
    const outcome = await this.#writer.write('openTask', { tenant, task, hop, recordedAt })
    if (outcome === 'task_exists') throw new Error('the task exists already')
    return outcome
  }

  async recordHop(
    tenant: string,
    txn: string,
    hop: HopRecord,
    limits: HopLimits,
  ): Promise<'recorded' | HopConflict> {
    const recordedAt = this.#writing()
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

  /** Resolves at once; the marker goes with a later commit. One that is lost is found by recovery. */
  async settleHop(tenant: string, txn: string, jti: string): Promise<void> {
    this.#writer.defer('settleHop', { tenant, txn, jti })
  }

  async readTask(tenant: string, txn: string): Promise<TaskTree | undefined> {
    return readTask(this.#environment, tenant, txn)
  }

  listTasks(tenant: string, query: TaskQuery): Promise<TaskPage> {
    return listTasks(this.#environment, tenant, query)
  }

  revokeHop(tenant: string, txn: string, jti: string): Promise<boolean> {
    this.#writing()
    return this.#writer.write('revokeHop', { tenant, txn, jti })
  }

  revokePlace(
    tenant: string,
    txn: string,
    place: string,
    ending: Ending,
  ): Promise<'revoked' | 'already' | 'unknown'> {
    this.#writing()
    return this.#writer.write('revokePlace', { tenant, txn, place, ending })
  }

  endTask(
    tenant: string,
    txn: string,
    state: Exclude<TaskState, 'open'>,
    ending: Ending,
  ): Promise<'ended' | 'already' | 'unknown'> {
    this.#writing()
    return this.#writer.write('endTask', { tenant, txn, state, ending })
  }

  resumeTask(
    tenant: string,
    txn: string,
    ending: Ending,
  ): Promise<'resumed' | 'not_suspended' | 'unknown'> {
    this.#writing()
    return this.#writer.write('resumeTask', { tenant, txn, ending })
  }

  beginRevocation(tenant: string, revocation: Revocation): Promise<void> {
    return this.#writer.write('beginRevocation', { tenant, revocation })
  }

  revokeIn(tenant: string, txn: string, revocation: Revocation): Promise<Reached> {
    this.#writing()
    return this.#writer.write('revokeIn', { tenant, txn, revocation })
  }

  finishRevocation(tenant: string, id: string): Promise<void> {
    return this.#writer.write('finishRevocation', { tenant, id })
  }

  async pendingRevocations(): Promise<readonly PendingRevocation[]> {
    this.#environment.refresh()
    return readRevocations(this.#environment)
  }

  liveTasks(
    tenant: string,
    walk: { readonly now: number; readonly after: string | undefined; readonly limit: number },
  ): Promise<readonly string[]> {
    return liveTasks(this.#environment, tenant, walk)
  }

  /** Counts what is about to be written, and sweeps with some of it. Returns the time. */
  #writing(): number {
    const now = this.#clock.now()
    this.#sinceSweep += 1
    if (this.#sinceSweep >= WRITES_PER_SWEEP || this.#writer.full) {
      this.#sinceSweep = 0
      this.#writer.defer('sweepTasks', now)
      this.#writer.defer('sweepLists', now)
    }
    return now
  }
}
