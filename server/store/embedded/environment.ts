/**
 * An LMDB environment, shared by every server process on the machine. All of it is in one tree, told apart by the first
 * byte of the key (keys.ts). Nothing outside this folder sees the engine.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import type { KeyRange } from './keys.ts'
import { needsReserve, type Room, reserveLockFile, takeReserve } from './reserve.ts'

/** What a commit outlives once it has returned: the death of this process, or that of the machine too. */
export type Outlives = 'process' | 'machine'

/** Abortable; committed on return, for every process to see. */
const COMMIT = { process: 0x10003, machine: 0x3 } as const satisfies Record<Outlives, number>

/** What the engine has and its type declarations lack. */
interface Engine extends Omit<RootDatabase<Buffer, Buffer>, 'transactionSync'> {
  transactionSync<Result>(work: () => Result, flags: number): Result
  sync(done: (fault?: Error | null) => void): void
}

interface PageStats {
  readonly lastPageNumber: number
  readonly pageSize: number
}

/** What is claimed for some minutes may go so far beyond the bound: who signs in to end something has to claim. */
const CLAIMS_BYTES = 4 * 1024 ** 2

/** The store holds as much as it may: a fault, never a refusal of the caller's request (503). */
export class StoreFull extends Error {
  override readonly name = 'StoreFull'

  constructor() {
    super('the embedded store is full')
  }
}

export class Environment {
  readonly #engine: Engine
  readonly #commit: number
  readonly #file: string
  readonly #maxBytes: number

  /**
   * Opens or creates the store in `folder`, which is there. `maxBytes` bounds the live pages. A commit that outlives the
   * machine waits for the disk on the event loop, some milliseconds: for what is written rarely.
   */
  constructor(folder: string, outlives: Outlives, maxBytes: number) {
    if (!existsSync(join(folder, 'lock.mdb'))) reserveLockFile(folder)
    this.#file = join(folder, 'data.mdb')
    this.#engine = open<Buffer, Buffer>({
      path: folder,
      noSubdir: false,
      keyEncoding: 'binary',
      encoding: 'binary',
      maxDbs: 1,
      // Its way of syncing after each commit would hold the event loop for as long as the disk takes.
      overlappingSync: false,
      noSync: outlives === 'process',
    }) as Engine
    this.#commit = COMMIT[outlives]
    this.#maxBytes = maxBytes
  }

  /** Runs `work` alone among all processes; all it wrote is visible to them on return, or nothing when it throws. */
  transact<Result>(work: () => Result): Result {
    return this.#engine.transactionSync(work, this.#commit)
  }

  /** Later reads outside `transact` see all that any process has committed until now. */
  refresh(): void {
    this.#engine.resetReadTxn()
  }

  get(key: Buffer): Buffer | undefined {
    return this.#engine.getBinary(key)
  }

  has(key: Buffer): boolean {
    return this.#engine.doesExist(key)
  }

  /** Only inside `transact`. */
  put(key: Buffer, value: Buffer): void {
    this.#engine.putSync(key, value)
  }

  /** Only inside `transact`. */
  remove(key: Buffer): void {
    this.#engine.removeSync(key)
  }

  /** At most `limit` entries in key order, copied: they may be written to while they are walked. */
  range(
    range: KeyRange,
    limit: number,
  ): readonly { readonly key: Buffer; readonly value: Buffer }[] {
    return [...this.#engine.getRange({ ...range, limit })]
  }

  keys(range: KeyRange, limit: number): readonly Buffer[] {
    return [...this.#engine.getKeys({ ...range, limit })]
  }

  /** What there is room for, in the bound and on the disk, of which it takes some in advance. */
  room(): Room {
    const stats: Readonly<Record<string, unknown>> = { ...this.#engine.getStats() }
    const count = (name: string): number => Number(stats[name] ?? 0)
    const pages = count('treeBranchPageCount') + count('treeLeafPageCount') + count('overflowPages')
    const live = pages * count('pageSize')
    if (live > this.#maxBytes + CLAIMS_BYTES) return 'endings'
    const used = (count('lastPageNumber') + 1) * count('pageSize')
    const onDisk = needsReserve(this.#file, used) ? this.#takeReserve() : 'growth'
    return onDisk === 'growth' && live > this.#maxBytes ? 'claims' : onDisk
  }

  /** Alone among all processes: the last page is where it was when the engine was asked, or further. */
  #takeReserve(): Room {
    return this.transact(() => {
      const { lastPageNumber, pageSize } = this.#engine.getStats() as PageStats
      return takeReserve(this.#file, (lastPageNumber + 1) * pageSize)
    })
  }

  /** Whether nothing may grow any more. */
  isFull(): boolean {
    return this.room() !== 'growth'
  }

  /** Resolves when all that was committed is on disk and the files are closed. */
  async close(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#engine.sync((fault) =>
        fault === undefined || fault === null ? resolve() : reject(fault),
      )
    })
    await this.#engine.close()
  }
}
