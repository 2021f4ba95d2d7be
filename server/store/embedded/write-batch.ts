/**
 * One commit for all that waits to be written. Every verb that changes state is a function run inside the batch's one
 * transaction, so it reads what the verbs before it wrote and is atomic across processes.
 */
import { type Environment, StoreFull } from './environment.ts'

/** After a commit the next one gathers for so long: commits, not verbs, are what costs. */
const GATHER_MILLISECONDS = 1
/** Deferred work is written at the latest so long after it came, even when nothing else is. */
const DEFER_MILLISECONDS = 1000
/** Commits between two looks at the size bound. */
const COMMITS_PER_SIZE_CHECK = 64

interface Waiting {
  readonly settle: () => void
  readonly reject: (fault: unknown) => void
  readonly run: () => void
  /** Makes the store no larger, so it is done even when the store is full. */
  readonly shrinks: boolean
}

export type Growth = 'grows' | 'shrinks'

export class WriteBatch {
  readonly #environment: Environment
  #waiting: Waiting[] = []
  #deferred: (() => void)[] = []
  #scheduled = false
  #deferTimer: NodeJS.Timeout | undefined
  #lastCommitAt = 0
  #commits = 0
  #full = false
  #syncWaiting: PromiseWithResolvers<void>[] = []
  #syncing = false
  /** A failed sync may have dropped pages a later one would not write again, so it is final. */
  #syncFault: unknown
  #closed = false

  constructor(environment: Environment) {
    this.#environment = environment
    this.#full = environment.isFull()
  }

  /**
   * Runs `work` inside the next commit and resolves with its result when that is visible to every process. `work`
   * must not throw for what is the caller's doing: a throw is a fault and undoes the whole batch.
   */
  write<Result>(growth: Growth, work: () => Result): Promise<Result> {
    if (this.#closed) return Promise.reject(new Error('the store is closed'))
    return new Promise<Result>((resolve, reject) => {
      let settle = (): void => {}
      const run = (): void => {
        const result = work()
        settle = () => resolve(result)
      }
      this.#waiting.push({ run, settle: () => settle(), reject, shrinks: growth === 'shrinks' })
      this.#schedule()
    })
  }

  /** Runs `work` inside some later commit; lost with the process. For what may be done again. */
  defer(work: () => void): void {
    this.#deferred.push(work)
    this.#deferTimer ??= setTimeout(() => this.#commit(), DEFER_MILLISECONDS).unref()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const idle = performance.now() - this.#lastCommitAt > GATHER_MILLISECONDS
    if (idle) setImmediate(() => this.#commit())
    else setTimeout(() => this.#commit(), GATHER_MILLISECONDS)
  }

  #commit(): void {
    this.#scheduled = false
    clearTimeout(this.#deferTimer)
    this.#deferTimer = undefined
    const deferred = this.#deferred
    this.#deferred = []
    const batch = this.#admit()
    if (batch.length === 0 && deferred.length === 0) return
    try {
      this.#environment.transact(() => {
        for (const work of deferred) work()
        for (const waiting of batch) waiting.run()
      })
    } catch (fault) {
      for (const waiting of batch) waiting.reject(fault)
      return
    } finally {
      this.#lastCommitAt = performance.now()
    }
    for (const waiting of batch) waiting.settle()
    this.#commits += 1
    if (this.#full || this.#commits % COMMITS_PER_SIZE_CHECK === 0) {
      this.#full = this.#environment.isFull()
    }
  }

  /** Takes what waits; rejects what would make a full store larger. */
  #admit(): readonly Waiting[] {
    const waiting = this.#waiting
    this.#waiting = []
    if (!this.#full) return waiting
    this.#full = this.#environment.isFull()
    if (!this.#full) return waiting
    for (const one of waiting) {
      if (!one.shrinks) one.reject(new StoreFull('the embedded store is full'))
    }
    return waiting.filter((one) => one.shrinks)
  }

  get full(): boolean {
    return this.#full
  }

  /** Resolves when everything committed before the call is on disk. Any number of callers share one sync. */
  durable(): Promise<void> {
    const waiter = Promise.withResolvers<void>()
    this.#syncWaiting.push(waiter)
    if (!this.#syncing) {
      this.#syncing = true
      setImmediate(() => void this.#syncAll()) // it never rejects: faults go to the waiters
    }
    return waiter.promise
  }

  async #syncAll(): Promise<void> {
    while (this.#syncWaiting.length > 0) {
      const waiters = this.#syncWaiting
      this.#syncWaiting = []
      try {
        if (this.#syncFault === undefined) await this.#environment.sync()
      } catch (fault) {
        this.#syncFault = fault
      }
      for (const waiter of waiters) {
        if (this.#syncFault === undefined) waiter.resolve()
        else waiter.reject(this.#syncFault)
      }
    }
    this.#syncing = false
  }

  /** Writes all that waits, syncs, and refuses everything after. */
  async close(): Promise<void> {
    this.#closed = true
    this.#commit()
    await this.durable()
  }
}
