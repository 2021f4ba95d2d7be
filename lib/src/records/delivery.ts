/**
 * What waits is sent: in order, in batches, once a second or as soon as many wait, and again for as long as it takes. A record
 * leaves when the issuer has it on record, or refused it for good.
 */
import { wordsOf } from '../fault.ts'
import { startTimer } from '../status/timer.ts'
import type { JsonValue } from '../strict-json.ts'
import type { WaitingRecord } from './action.ts'
import { type IssuerClient, reasonOf } from './issuer-client.ts'
import type { RecordsFault, RecordsFaultListener } from './options.ts'
import type { Posted } from './post.ts'
import type { WaitingRecords } from './waiting-records.ts'

const PATH = '/audit/records'
const LARGEST_BATCH = 100
/** Seconds between batches while few wait. */
const INTERVAL = 1
const FIRST_PAUSE = 0.25
const LONGEST_PAUSE = 30
/** What the issuer says of a body it will never take. */
const UNTAKEN: ReadonlySet<unknown> = new Set(['request_malformed', 'request_too_large'])

export interface DeliveryDeps {
  readonly waiting: WaitingRecords
  readonly client: IssuerClient
  readonly onFault: RecordsFaultListener
}

interface Waiter {
  /** Resolves once nothing up to this place waits. */
  readonly until: number
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

export class Delivery {
  readonly #deps: DeliveryDeps
  #running: Promise<void> | undefined
  #callOff: (() => void) | undefined
  #isEnding = false
  #isEnded = false
  /** In a row. */
  #failures = 0
  /** Halved while the issuer does not take a batch, until what it does not take is found. */
  #most = LARGEST_BATCH
  #told = ''
  #waiters: readonly Waiter[] = []

  constructor(deps: DeliveryDeps) {
    this.#deps = deps
  }

  /** Something waits. While the issuer is away it is not asked more often for that. */
  wake(): void {
    if (this.#failures === 0 && this.#deps.waiting.size >= LARGEST_BATCH) void this.#start()
    else this.#startIn(INTERVAL)
  }

  /** Resolves when all that waits now is on record or refused; tries at once. Rejects where delivery ends before. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      const until = this.#deps.waiting.newest
      this.#waiters = [...this.#waiters, { until, resolve, reject }]
      if (this.#isEnded) this.#end()
      else void this.#start()
    })
  }

  /** Sends all that waits, up to the first failure; afterwards nothing any more. */
  async finish(): Promise<void> {
    this.#isEnding = true
    await this.#running
    if (this.#deps.waiting.size > 0) await this.#start()
    this.#end()
  }

  #end(): void {
    this.#isEnded = true
    this.#callOff?.()
    const waiters = this.#waiters
    this.#waiters = []
    for (const { reject } of waiters) reject(new Error('recording has ended'))
  }

  #startIn(seconds: number): void {
    if (this.#running !== undefined || this.#callOff !== undefined || this.#isEnding) return
    this.#callOff = startTimer(() => void this.#start(), seconds)
  }

  #start(): Promise<void> {
    this.#callOff?.()
    this.#callOff = undefined
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#failures > 0) this.#startIn(this.#pause())
      else if (this.#waiters.length > 0) void this.#start()
      else if (this.#deps.waiting.size > 0) this.#startIn(INTERVAL)
    })
    return this.#running
  }

  #pause(): number {
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures)
    // Resource servers that lost the same issuer must not all come back at the same moment.
    return longest * (0.5 + Math.random() / 2)
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    let kind: RecordsFault['kind'] = 'records_unread'
    try {
      await this.#deps.waiting.load()
      kind = 'records_unsent'
      do await this.#sendBatch()
      while (this.#deps.waiting.size >= this.#worthSending())
      this.#failures = 0
      this.#told = ''
    } catch (error) {
      this.#failures += 1
      this.#tell({ kind, detail: wordsOf(error) })
    }
  }

  /** How many have to wait for another batch at once. */
  #worthSending(): number {
    return this.#isEnding || this.#waiters.length > 0 ? 1 : LARGEST_BATCH
  }

  /** Throws where the same has to be sent again. */
  async #sendBatch(): Promise<void> {
    const { waiting, client } = this.#deps
    const records = waiting.first(this.#most)
    if (records.length > 0) this.#take(records, await client.post(PATH, { records }))
    const isOver = ({ until }: Waiter): boolean => waiting.oldest > until
    const over = this.#waiters.filter(isOver)
    this.#waiters = this.#waiters.filter((waiter) => !isOver(waiter))
    for (const { resolve } of over) resolve()
  }

  #take(records: readonly WaitingRecord[], { status, body }: Posted): void {
    if (status === 200) {
      const refused = new Map(listOf(body?.['refused']).flatMap(readRefusal))
      this.#settle(records, new Set(listOf(body?.['accepted'])), refused)
      return
    }
    const reason = reasonOf(status, body)
    if (!UNTAKEN.has(body?.['reason'])) throw new Error(reason)
    if (records.length > 1) this.#most = Math.ceil(records.length / 2)
    else this.#settle(records, new Set(), new Map(records.map(({ id }) => [id, reason])))
  }

  #settle(
    records: readonly WaitingRecord[],
    accepted: ReadonlySet<unknown>,
    refused: ReadonlyMap<string, string>,
  ): void {
    const settled = records.filter(({ id }) => accepted.has(id) || refused.has(id))
    if (settled.length === 0) throw new Error('the answer names none of the records')
    this.#most = LARGEST_BATCH
    this.#deps.waiting.remove(records.length, new Set(settled.map(({ id }) => id)))
    for (const { id } of settled) {
      const reason = refused.get(id)
      if (reason !== undefined)
        this.#deps.onFault({ kind: 'record_refused', detail: `${reason}: ${id}` })
    }
  }

  /** The same words once, until all is well again. */
  #tell(fault: RecordsFault): void {
    const words = `${fault.kind}: ${fault.detail}`
    if (this.#told === words) return
    this.#told = words
    this.#deps.onFault(fault)
  }
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : []
}

function readRefusal(value: JsonValue): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null || !('id' in value)) return []
  const { id, reason } = value
  if (typeof id !== 'string') return []
  // Nothing of an answer is repeated but a name.
  const isName = typeof reason === 'string' && /^[a-z_]{1,64}$/.test(reason)
  return [[id, isName ? reason : 'refused']]
}
