/**
 * The LMDB environment of one data folder, shared by every server process on the machine. All state is in one tree, told
 * apart by the first byte of the key (keys.ts). Nothing outside this folder sees the engine.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { generationKey, type KeyRange } from './keys.ts'

/** Abortable, committed on return, synced to disk later by `sync` (the engine's overlapping sync). */
const COMMIT_WITHOUT_SYNC = 0x10003

/** What the engine has and its type declarations lack. */
interface Engine extends Omit<RootDatabase<Buffer, Buffer>, 'transactionSync'> {
  transactionSync<Result>(work: () => Result, flags: number): Result
  sync(done: (fault?: Error) => void): void
}

/** The store holds as much as it may: a fault, never a refusal of the caller's request (503). */
export class StoreFull extends Error {
  override readonly name = 'StoreFull'
}

export class Environment {
  readonly generation: number
  readonly #engine: Engine
  readonly #maxBytes: number

  /** Opens or creates `{dataFolder}/store`. `maxBytes` bounds the live pages; the engine alone would grow for ever. */
  constructor(dataFolder: string, maxBytes: number) {
    const folder = join(dataFolder, 'store')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#engine = open<Buffer, Buffer>({
      path: folder,
      noSubdir: false,
      keyEncoding: 'binary',
      encoding: 'binary',
      maxDbs: 1,
    }) as Engine
    this.#maxBytes = maxBytes
    this.generation = this.transact(() => this.#makeGeneration())
  }

  /** Random, so that a store made anew after a loss never serves a lost one's status lists. */
  #makeGeneration(): number {
    const known = this.get(generationKey)
    if (known !== undefined) return known.readUInt32BE()
    const made = randomBytes(4)
    this.put(generationKey, made)
    return made.readUInt32BE()
  }

  /** Runs `work` alone among all processes; all it wrote is committed on return, or nothing when it throws. */
  transact<Result>(work: () => Result): Result {
    return this.#engine.transactionSync(work, COMMIT_WITHOUT_SYNC)
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

  /** Resolves when all that any process committed before the call is on disk. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#engine.sync((fault) => (fault === undefined ? resolve() : reject(fault)))
    })
  }

  /** Whether the live pages are above the bound. */
  isFull(): boolean {
    const stats: Readonly<Record<string, unknown>> = { ...this.#engine.getStats() }
    const count = (name: string): number => Number(stats[name] ?? 0)
    const pages = count('treeBranchPageCount') + count('treeLeafPageCount') + count('overflowPages')
    return pages * count('pageSize') > this.#maxBytes
  }

  close(): Promise<void> {
    return this.#engine.close()
  }
}
