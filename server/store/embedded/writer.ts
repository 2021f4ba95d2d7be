/**
 * One commit for all that waits to be written in a turn of the event loop. A commit is in memory every process of the
 * machine shares: it survives a killed process, takes some ten microseconds and waits for no disk (boot-mark.ts tells what
 * becomes of it when the machine itself goes down).
 */
import { type Environment, StoreFull } from './environment.ts'
import { type Room, suffices } from './reserve.ts'
import {
  type Order,
  obey,
  roomNeeded,
  type Verb,
  type VerbInput,
  type VerbResult,
} from './verbs.ts'

/** Deferred orders are written at the latest so long after they came, even when nothing else is. */
const DEFER_MILLISECONDS = 1000
/** Commits between two looks at the size bound. */
const COMMITS_PER_SIZE_CHECK = 16

interface Waiting {
  readonly order: Order
  readonly resolve: (result: never) => void
  readonly reject: (fault: unknown) => void
}

/** `full` stands for an order that would have made a full store larger. */
type Outcome = { readonly result: unknown } | 'full'

export class Writer {
  readonly #environment: Environment
  #waiting: Waiting[] = []
  #deferred: Order[] = []
  #deferTimer: NodeJS.Timeout | undefined
  #isScheduled = false
  #isClosed = false
  #room: Room
  #commits = 0

  constructor(environment: Environment) {
    this.#environment = environment
    this.#room = environment.room()
  }

  /** Whether the store was full when it was last looked at. */
  get full(): boolean {
    return this.#room !== 'growth'
  }

  /** Resolves with the verb's result once it is visible to every process; rejects with a fault. */
  write<Name extends Verb>(verb: Name, input: VerbInput<Name>): Promise<VerbResult<Name>> {
    if (this.#isClosed) return Promise.reject(new Error('the store is closed'))
    return new Promise<VerbResult<Name>>((resolve, reject) => {
      this.#waiting.push({ order: { verb, input } as Order, resolve, reject })
      if (this.#isScheduled) return
      this.#isScheduled = true
      setImmediate(() => this.#commit())
    })
  }

  /** Writes with some later commit; lost with the process. For what may be done again. */
  defer<Name extends Verb>(verb: Name, input: VerbInput<Name>): void {
    this.#deferred.push({ verb, input } as Order)
    this.#deferTimer ??= setTimeout(() => this.#commit(), DEFER_MILLISECONDS).unref()
  }

  #commit(): void {
    this.#isScheduled = false
    clearTimeout(this.#deferTimer)
    this.#deferTimer = undefined
    const batch = this.#waiting
    const orders = [...batch.map(({ order }) => order), ...this.#deferred]
    this.#waiting = []
    this.#deferred = []
    if (orders.length === 0) return
    this.#commits += 1
    try {
      if (this.full || this.#commits % COMMITS_PER_SIZE_CHECK === 0) {
        this.#room = this.#environment.room()
      }
      const outcomes = this.#environment.transact(() => orders.map((order) => this.#run(order)))
      for (const [at, waiting] of batch.entries()) answer(waiting, outcomes[at])
    } catch (fault) {
      this.#room = 'endings' // it may have lacked room: looked at before the next
      for (const waiting of batch) waiting.reject(fault)
    }
  }

  #run(order: Order): Outcome {
    if (!suffices(this.#room, roomNeeded(order))) return 'full'
    return { result: obey(this.#environment, order) }
  }

  /** Writes all that waits and refuses everything after. */
  close(): void {
    this.#isClosed = true
    this.#commit()
  }
}

function answer(waiting: Waiting, outcome: Outcome | undefined): void {
  if (outcome === undefined || outcome === 'full') waiting.reject(new StoreFull())
  else waiting.resolve(outcome.result as never)
}
