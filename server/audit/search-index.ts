/**
 * What finds entries again: postings of every log in one LMDB environment. Made from the entries, so it can be made again:
 * where the machine went down while it was in use, it is.
 */
import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { enterStore, leaveStore } from '../store/embedded/boot-mark.ts'
import { Environment } from '../store/embedded/environment.ts'
import type { StoredEntry } from '../use-cases/ports.ts'
import { findIndexes } from './find-indexes.ts'
import { countKey, digestOf, logKey, logsKey } from './index-keys.ts'
import { indexFolder } from './log-paths.ts'
import { PostingBatch } from './posting-batch.ts'
import { type SearchQuery, wantedTerms } from './search-terms.ts'

export interface SearchIndex {
  /** Runs `work` alone among all processes of the data folder. */
  transact<Result>(work: () => Result): Result
  /** How many entries of the log it has. */
  known(log: string): number
  /** Inside `transact`; entries come in the order of their index, without a gap. */
  add(log: string, index: number, entry: StoredEntry | undefined): void
  /** Inside `transact`: the log is begun anew. What it had is out of reach, and goes when the index is made again. */
  forget(log: string): void
  /**
   * Indexes of entries that may fit, and of every one that does: newest first below `before`, or oldest first at or above
   * `after`. Bounded work: `next` is the `before` or `after` to go on with.
   */
  find(log: string, query: SearchQuery, page: IndexPage): IndexesFound
  close(): Promise<void>
}

export type IndexPage = { readonly limit: number } & (
  | { readonly before: number | undefined }
  | { readonly after: number }
)

export interface IndexesFound {
  readonly indexes: readonly number[]
  readonly next: number | undefined
}

/** Postings of a transaction that wait in memory; beyond that they are written before its end. */
const MOST_WAITING = 200_000
/** Of one search: twenty milliseconds of the event loop. */
const MOST_LOOKS = 10_000

/** @param boot name of this run of the machine's system, for tests */
export function openSearchIndex(dataFolder: string, boot?: string): SearchIndex {
  const folder = indexFolder(dataFolder)
  enterStore(folder, boot)
  removeLost(folder)
  return new LmdbSearchIndex(folder)
}

/** What was set aside of it is of no use to anyone. */
function removeLost(folder: string): void {
  const lost = `${basename(folder)}.lost-`
  for (const name of readdirSync(dirname(folder))) {
    if (name.startsWith(lost)) rmSync(join(dirname(folder), name), { recursive: true, force: true })
  }
}

class LmdbSearchIndex implements SearchIndex {
  readonly #folder: string
  readonly #environment: Environment
  /** What the transaction that runs adds, by log. */
  readonly #batches = new Map<string, PostingBatch>()

  constructor(folder: string) {
    this.#folder = folder
    this.#environment = new Environment(folder, 'process', Infinity)
  }

  transact<Result>(work: () => Result): Result {
    try {
      return this.#environment.transact(() => {
        const result = work()
        for (const batch of this.#batches.values()) batch.write(this.#environment)
        return result
      })
    } finally {
      this.#batches.clear()
    }
  }

  known(log: string): number {
    const batch = this.#batches.get(log)
    if (batch !== undefined) return batch.known
    this.#environment.refresh()
    return this.#countOf(this.#numberOf(log))
  }

  add(log: string, index: number, entry: StoredEntry | undefined): void {
    const batch = this.#batches.get(log) ?? this.#begin(log)
    batch.add(index, entry)
    if (batch.waiting > MOST_WAITING) batch.write(this.#environment)
  }

  #begin(log: string): PostingBatch {
    const number = this.#numberOf(log) ?? this.#newNumber(log)
    const batch = new PostingBatch(number, this.#countOf(number))
    this.#batches.set(log, batch)
    return batch
  }

  forget(log: string): void {
    this.#batches.set(log, new PostingBatch(this.#newNumber(log), 0))
  }

  find(log: string, query: SearchQuery, page: IndexPage): IndexesFound {
    this.#environment.refresh()
    const number = this.#numberOf(log)
    if (number === undefined) return { indexes: [], next: undefined }
    const known = this.#countOf(number)
    const isNewestFirst = 'before' in page
    const { from, to } = query
    const { indexes, at } = findIndexes(this.#environment, {
      log: number,
      known,
      terms: wantedTerms(query).map(digestOf),
      period: from === undefined && to === undefined ? undefined : { from, to },
      limit: page.limit,
      mostLooks: MOST_LOOKS,
      isNewestFirst,
      at: isNewestFirst ? Math.min(page.before ?? known, known) - 1 : page.after,
    })
    return { indexes, next: at !== undefined && isNewestFirst ? at + 1 : at }
  }

  #numberOf(log: string): number | undefined {
    return this.#environment.get(logKey(log))?.readUInt32BE()
  }

  #newNumber(log: string): number {
    const number = Buffer.alloc(4)
    number.writeUInt32BE((this.#environment.get(logsKey)?.readUInt32BE() ?? 0) + 1)
    this.#environment.put(logsKey, number)
    this.#environment.put(logKey(log), number)
    return number.readUInt32BE()
  }

  #countOf(number: number | undefined): number {
    const count = number === undefined ? undefined : this.#environment.get(countKey(number))
    return count?.readDoubleBE() ?? 0
  }

  async close(): Promise<void> {
    await this.#environment.close()
    leaveStore(this.#folder)
  }
}
