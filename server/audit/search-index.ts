/** What finds entries again: postings of every log in one LMDB environment. Made from the entries, so it can be made again. */
import type { AuditQuery, StoredEntry } from '../use-cases/ports.ts'

export interface SearchIndex {
  /** Runs `work` alone among all processes of the data folder. */
  transact<Result>(work: () => Result): Result
  /** How many entries of the log it has. */
  known(log: string): number
  /** Inside `transact`; entries come in the order of their index, without a gap. */
  add(log: string, index: number, entry: StoredEntry | undefined): void
  /** Inside `transact`: the log is begun anew. */
  forget(log: string): void
  /** Indexes of entries that fit, newest first below `before`, or oldest first at or above `after`. Bounded work: `next` goes on. */
  find(log: string, query: AuditQuery, page: IndexPage): IndexesFound
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

export declare function openSearchIndex(dataFolder: string): SearchIndex
