/** What was recorded and is not acknowledged yet: in order, bounded, and kept elsewhere too where the resource server says so. */
import { wordsOf } from '../fault.ts'
import type { WaitingRecord } from './action.ts'
import type { RecordsFaultListener } from './options.ts'

/** As many records wait as may: this one is not recorded. To record less, or not to act, is the caller's to decide. */
export class RecordsFull extends Error {
  override readonly name: string = 'RecordsFull'

  constructor() {
    super('as many records wait as may')
  }
}

/** Where records outlive the process: one writer at a time. */
export interface RecordStorage {
  /** Called before the first is sent, again only where it failed; an empty list where there are none. */
  load(): Promise<readonly WaitingRecord[]>
  /** All that wait, oldest first, in place of what was saved before. Never called again before it is done. */
  save(records: readonly WaitingRecord[]): Promise<void>
}

interface Entry {
  readonly place: number
  readonly record: WaitingRecord
}

export interface WaitingRecordsDeps {
  readonly limit: number
  readonly storage: RecordStorage | undefined
  readonly onFault: RecordsFaultListener
}

export class WaitingRecords {
  readonly #deps: WaitingRecordsDeps
  #entries: Entry[] = []
  #places = 0
  #isLoaded: boolean
  /** Storage has other records than wait here. */
  #isStale = false
  #saving: Promise<void> | undefined

  constructor(deps: WaitingRecordsDeps) {
    this.#deps = deps
    this.#isLoaded = deps.storage === undefined
  }

  get size(): number {
    return this.#entries.length
  }

  /** Places grow in the order of recording. Of the newest record; of the oldest that waits, `Infinity` where none does. */
  get newest(): number {
    return this.#places
  }

  get oldest(): number {
    return this.#entries[0]?.place ?? Number.POSITIVE_INFINITY
  }

  /** Storage has all that waits. */
  get isKept(): boolean {
    return this.#deps.storage !== undefined && !this.#isStale
  }

  /** Throws RecordsFull. */
  add(record: WaitingRecord): void {
    if (this.#entries.length >= this.#deps.limit) throw new RecordsFull()
    this.#places += 1
    this.#entries.push({ place: this.#places, record })
    this.#changed()
  }

  /** The oldest, at most so many. */
  first(most: number): readonly WaitingRecord[] {
    return this.#entries.slice(0, most).map(({ record }) => record)
  }

  /** Takes those out of the oldest `count` that are named. */
  remove(count: number, ids: ReadonlySet<string>): void {
    const left = this.#entries.splice(0, count).filter(({ record }) => !ids.has(record.id))
    this.#entries.unshift(...left)
    this.#changed()
  }

  /** What waited when the process before this one ended comes before all that was recorded since. Throws what storage throws. */
  async load(): Promise<void> {
    const { storage } = this.#deps
    if (this.#isLoaded || storage === undefined) return
    const records = await storage.load()
    // Whatever was written there by somebody else: a list of anything is for the issuer to refuse.
    if (!Array.isArray(records as unknown)) throw new Error('storage gave no list of records')
    this.#entries.unshift(...records.map((record) => ({ place: 0, record })))
    this.#isLoaded = true
    if (this.#isStale) this.#changed()
  }

  /** Resolves when storage has what waits, or could not be written. */
  async saved(): Promise<void> {
    await this.#saving
  }

  #changed(): void {
    this.#isStale = true
    // Before it was read, what is stored is not known, and would be lost.
    if (this.#isLoaded && this.#deps.storage !== undefined)
      this.#saving ??= this.#save(this.#deps.storage)
  }

  /** Again, until nothing changed meanwhile: any number of records cost one save. */
  async #save(storage: RecordStorage): Promise<void> {
    try {
      // What is recorded in one go is saved in one.
      await Promise.resolve()
      while (this.#isStale) {
        this.#isStale = false
        await storage.save(this.first(this.size))
      }
    } catch (error) {
      this.#isStale = true
      this.#deps.onFault({ kind: 'records_unsaved', detail: wordsOf(error) })
    } finally {
      this.#saving = undefined
    }
  }
}
