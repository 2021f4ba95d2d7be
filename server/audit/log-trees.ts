/** The Merkle trees of the logs (RFC 9162 §2), kept beside their entries, and the checkpoints that sign them. */
import type { SearchIndex } from './search-index.ts'

/** One log as far as its tree reaches: every leaf below `size`. */
export interface LogTree {
  readonly size: number
  /** The lines of leaves `from` to `to`, without their ends; `to` excluded. */
  readLines(from: number, to: number): Promise<readonly Uint8Array[]>
  /** RFC 9162 §2.1.1: the root of the first `size` leaves. */
  root(size: number): Uint8Array
  /** RFC 9162 §2.1.3.1 and §2.1.4.1. Throw RangeError beyond the tree. */
  inclusionProof(index: number, size: number): readonly Uint8Array[]
  consistencyProof(from: number, to: number): readonly Uint8Array[]
}

export interface LogTrees {
  /** Takes in every entry that any process has appended until now, the search index too. */
  catchUp(log: string): Promise<LogTree>
  /** Catches up, and signs where the newest checkpoint is of fewer entries. Undefined: there is no entry. */
  checkpoint(log: string): Promise<string | undefined>
  /** Does the same for every log with news, from now on once a second. */
  start(): void
  close(): Promise<void>
}

export interface LogTreesDeps {
  readonly dataFolder: string
  readonly index: SearchIndex
  /** First line of the log's checkpoints: its issuer without the scheme, and `/audit`. */
  readonly originOf: (log: string) => string
  /** Signs a note's text with the log key; resolves to the Ed25519 signature, 64 octets. */
  readonly sign: (text: Uint8Array) => Uint8Array
  /** Raw Ed25519 public key, 32 octets. */
  readonly publicKey: Uint8Array
  /** Told of each new checkpoint, once it is on disk. */
  readonly onCheckpoint: (log: string, signedNote: string) => void
  /** What is on disk does not fit its last checkpoint: nothing is signed for the log until it does. */
  readonly onDamage: (log: string, what: string) => void
  readonly onFault: (fault: unknown, log: string) => void
}

export declare function openLogTrees(deps: LogTreesDeps): LogTrees
