/** The Merkle trees of the logs (RFC 9162 §2), kept beside their entries, and the checkpoints that sign them. */
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { OctetSigner } from '../../keys/octet-signer.ts'
import { sizeOf } from './file-range.ts'
import { entriesPath, logFolder, logsUnder } from './log-paths.ts'
import { LogDamaged, OpenLog } from './open-log.ts'
import type { SearchIndex } from './search-index.ts'

/** Logs kept open at a time: a few kilobytes each, and some reads to open one again. */
const MOST_OPEN = 500
const CHECKPOINT_MILLISECONDS = 1000

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
  /**
   * As `catchUp`, but the search index may stay behind; and signs where the newest checkpoint is of fewer entries. Undefined:
   * there is no entry.
   */
  checkpoint(log: string): Promise<string | undefined>
  /** The log's key, as a text to verify its checkpoints with (C2SP signed-note). */
  keyOf(log: string): Promise<string>
  /** Does the same for every log with news, from now on once a second. */
  start(): void
  close(): Promise<void>
}

export interface LogTreesDeps {
  readonly dataFolder: string
  readonly index: SearchIndex
  /** First line of the log's checkpoints: its issuer without the scheme, and `/audit`. */
  readonly originOf: (log: string) => string
  readonly key: OctetSigner
  /** Told of each new checkpoint, once it is on disk. */
  readonly onCheckpoint: (log: string, signedNote: string) => void
  /** What is on disk does not fit its last checkpoint: nothing is signed for the log until it does. */
  readonly onDamage: (log: string, what: string) => void
  /** Of one log, or of all. */
  readonly onFault: (fault: unknown, log?: string) => void
}

export function openLogTrees(deps: LogTreesDeps): LogTrees {
  const opened = new LRUCache<string, OpenLog>({ max: MOST_OPEN })
  const logOf = (log: string): OpenLog => {
    const known = opened.get(log) ?? new OpenLog(log, deps)
    opened.set(log, known)
    return known
  }
  /** How long the entries of each log were when all of them were signed. */
  const signed = new Map<string, number>()
  const failing = new Set<string>()
  let round: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function signNews(log: string): Promise<void> {
    const size = sizeOf(entriesPath(logFolder(deps.dataFolder, log)))
    if (signed.get(log) === size) return
    try {
      await logOf(log).checkpoint()
      signed.set(log, size)
      failing.delete(log)
    } catch (fault) {
      // Told once, and tried on; of damage was told when it was found.
      if (!failing.has(log) && !(fault instanceof LogDamaged)) deps.onFault(fault, log)
      failing.add(log)
    }
  }

  async function signAll(): Promise<void> {
    for (const log of logsUnder(deps.dataFolder)) {
      await signNews(log)
      await setImmediate()
    }
  }

  /** Never two at once; what a round cannot do, the next one tries again. */
  const runRound = (): Promise<void> => {
    round ??= signAll().finally(() => (round = undefined))
    return round
  }

  const startTimer = (): void => {
    timer = setTimeout(() => {
      runRound()
        .catch((fault: unknown) => deps.onFault(fault))
        .finally(() => timer && startTimer())
    }, CHECKPOINT_MILLISECONDS)
  }

  return {
    catchUp: (log) => logOf(log).catchUp(),
    checkpoint: (log) => logOf(log).checkpoint(),
    keyOf: (log) => logOf(log).vkey(),
    start: startTimer,
    close: async () => {
      clearTimeout(timer)
      timer = undefined
      await round
      await runRound()
    },
  }
}
