/**
 * The LMDB environment of one data folder, shared by every server process on the machine. All state is in one tree, told
 * apart by the first byte of the key (keys.ts). Nothing outside this folder sees the engine.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { generationKey, type KeyRange } from './keys.ts'

/** Abortable; visible to all and unlocked before it is synced, synced on return (the engine's overlapping sync). */
const COMMIT_THEN_SYNC = 0x10003

/** What the engine has and its type declarations lack. */
interface Engine extends Omit<RootDatabase<Buffer, Buffer>, 'transactionSync'> {
  transactionSync<Result>(work: () => Result, flags: number): Result
}

/** The store holds as much as it may: a fault, never a refusal of the caller's request (503). */
export class StoreFull extends Error {
  override readonly name = 'StoreFull'

  constructor() {
    super('the embedded store is full')
  }
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

  /**
   * Runs `work` alone among all processes; on return all it wrote is on disk, or nothing of it when it throws. Blocks
   * for a sync: on the main thread only while the store opens.
   */
  transact<Result>(work: () => Result): Result {
    return this.#engine.transactionSync(work, COMMIT_THEN_SYNC)
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
