/**
 * One commit for all that waits to be written, made and synced to disk by a thread of its own: no sync ever stalls a
 * request. What is acknowledged is on disk, and so is all that was committed before it, by any process.
 */
import { Worker } from 'node:worker_threads'
import { StoreFull } from './environment.ts'
import type { Order, Verb, VerbInput, VerbResult } from './verbs.ts'

/** After a commit the next one gathers for so long: commits, not verbs, are what costs. */
const GATHER_MILLISECONDS = 1
/** Deferred orders are written at the latest so long after they came, even when nothing else is. */
const DEFER_MILLISECONDS = 1000

export interface WriterStart {
  readonly dataFolder: string
  readonly maxBytes: number
}

/** `full` stands for an order that would have made a full store larger. */
export type Outcome = { readonly result: unknown } | 'full'

/** What the thread answers, one for each message it gets. */
export type WriterReply =
  | { readonly kind: 'committed'; readonly outcomes: readonly Outcome[]; readonly full: boolean }
  | { readonly kind: 'fault'; readonly message: string }

interface Waiting {
  readonly order: Order
  readonly resolve: (result: never) => void
  readonly reject: (fault: unknown) => void
}

export class Writer {
  readonly #thread: Worker
  #waiting: Waiting[] = []
  #inFlight: readonly Waiting[] | undefined
  #deferred: Order[] = []
  #deferTimer: NodeJS.Timeout | undefined
  #scheduled = false
  #sentAt = 0
  #full = false
  #closed = false
  #gone: Error | undefined
  #idle: PromiseWithResolvers<void> | undefined

  constructor(start: WriterStart) {
    this.#thread = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: start })
    this.#thread.unref()
    this.#thread.on('message', (reply: WriterReply) => this.#settle(reply))
    this.#thread.on('error', (fault) =>
      this.#fail(fault instanceof Error ? fault : new Error('the store writer failed')),
    )
    this.#thread.on('exit', () => this.#fail(new Error('the store writer has ended')))
  }

  /** Whether the store was full when it was last written to. */
  get full(): boolean {
    return this.#full
  }

  /** Resolves with the verb's result once it is on disk and visible to every process; rejects with a fault. */
  write<Name extends Verb>(verb: Name, input: VerbInput<Name>): Promise<VerbResult<Name>> {
    if (this.#closed) return Promise.reject(new Error('the store is closed'))
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    return new Promise<VerbResult<Name>>((resolve, reject) => {
      this.#waiting.push({ order: { verb, input } as Order, resolve, reject })
      this.#schedule()
    })
  }

  /** Writes with some later commit; lost with the process. For what may be done again. */
  defer<Name extends Verb>(verb: Name, input: VerbInput<Name>): void {
    this.#deferred.push({ verb, input } as Order)
    this.#deferTimer ??= setTimeout(() => this.#schedule(), DEFER_MILLISECONDS).unref()
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight !== undefined) return
    this.#scheduled = true
    const rested = performance.now() - this.#sentAt > GATHER_MILLISECONDS
    if (rested) setImmediate(() => this.#send())
    else setTimeout(() => this.#send(), GATHER_MILLISECONDS)
  }

  #send(): void {
    this.#scheduled = false
    if (this.#inFlight !== undefined || this.#gone !== undefined) return
    if (this.#waiting.length + this.#deferred.length === 0) return
    clearTimeout(this.#deferTimer)
    this.#deferTimer = undefined
    const deferred = this.#deferred
    this.#deferred = []
    this.#inFlight = this.#waiting
    this.#waiting = []
    this.#sentAt = performance.now()
    this.#thread.ref() // a process does not end while a write is in flight
    const orders = [...this.#inFlight.map(({ order }) => order), ...deferred]
    this.#thread.postMessage(orders)
  }

  #settle(reply: WriterReply): void {
    const batch = this.#inFlight ?? []
    this.#inFlight = undefined
    this.#thread.unref()
    if (reply.kind === 'fault') {
      const fault = new Error(`the store could not be written: ${reply.message}`)
      for (const waiting of batch) waiting.reject(fault)
    } else {
      this.#full = reply.full
      for (const [at, waiting] of batch.entries()) {
        const outcome = reply.outcomes[at]
        if (outcome === undefined || outcome === 'full') waiting.reject(new StoreFull())
        else waiting.resolve(outcome.result as never)
      }
    }
    if (this.#waiting.length > 0 || this.#closed) this.#schedule()
    if (this.#waiting.length + this.#deferred.length === 0) this.#idle?.resolve()
  }

  /** The thread is gone: everything fails from now on. */
  #fail(fault: Error): void {
    this.#gone ??= fault
    for (const waiting of [...(this.#inFlight ?? []), ...this.#waiting]) waiting.reject(this.#gone)
    this.#inFlight = undefined
    this.#waiting = []
    this.#idle?.resolve()
  }

  /** Writes all that waits, refuses everything after, and ends the thread. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#idle = Promise.withResolvers()
    if (this.#inFlight === undefined && this.#waiting.length + this.#deferred.length === 0) {
      this.#idle.resolve()
    } else this.#schedule()
    if (this.#gone !== undefined) return
    await this.#idle.promise
    const ended = new Promise((resolve) => this.#thread.once('exit', resolve))
    this.#thread.ref()
    this.#thread.postMessage('close')
    await ended
  }
}
