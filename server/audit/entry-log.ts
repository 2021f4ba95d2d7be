/**
 * One log's entries: every line that waits goes into one synced append, and only then is any of them answered for. Where lines
 * come at once, some wait a moment for each other: a sync costs half an exchange, however many share it. A lone one waits for
 * nothing. A failed write fails all its lines.
 */
import type { AppendFile } from './append-file.ts'

/** Milliseconds the first of some lines waits for as many as there were before. */
const GATHER_MILLISECONDS = 5
/** Lines after which there is nothing left to gain. */
const ENOUGH_LINES = 64
/** Milliseconds after which a disk that has not answered is one that fails. */
const PATIENCE_MILLISECONDS = 2000

const HANGS = 'the disk of the audit log does not answer'

interface Waiting {
  readonly line: string
  readonly settled: PromiseWithResolvers<void>
}

export interface EntryLogDeps {
  /** Runs `work` with the open file; closes it when the work throws. */
  readonly use: (work: (file: AppendFile) => Promise<void>) => Promise<void>
  /** Runs `work` after so many milliseconds unless cancelled. */
  readonly after: (milliseconds: number, work: () => void) => () => void
  /** Told of each batch once it is on disk, or cannot be. */
  readonly onCommit: (commit: Commit) => void
}

/** What one write did. */
export interface Commit {
  readonly entries: number
  readonly ms: number
  readonly failed: boolean
}

export class EntryLog {
  readonly #deps: EntryLogDeps
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  /** Lines that were there together when a write was done: those of it, and those that came meanwhile. */
  #together = 1
  /** Ends the gathering of lines; undefined while nobody gathers. */
  #enough: (() => void) | undefined
  /** A write the disk has not answered in time is still under way. */
  #hangs = false

  constructor(deps: EntryLogDeps) {
    this.#deps = deps
  }

  /** Resolves when the line is on disk. */
  append(line: string): Promise<void> {
    if (this.#hangs) {
      this.#deps.onCommit({ entries: 1, ms: 0, failed: true })
      return Promise.reject(new Error(HANGS))
    }
    const settled = Promise.withResolvers<void>()
    this.#waiting.push({ line, settled })
    if (this.#waiting.length >= Math.min(this.#together, ENOUGH_LINES)) this.#enough?.()
    this.#writing ??= this.#writeAll()
    return settled.promise
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing
  }

  /** Never rejects: each line's own promise does. */
  async #writeAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)) // gathers the lines of this turn
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < Math.min(this.#together, ENOUGH_LINES)) await this.#gather()
      const batch = this.#waiting
      this.#waiting = []
      await this.#settle(batch)
    }
    this.#writing = undefined
  }

  async #gather(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#enough = resolve
    const cancel = this.#deps.after(GATHER_MILLISECONDS, resolve)
    await promise
    cancel()
    this.#enough = undefined
  }

  async #settle(batch: readonly Waiting[]): Promise<void> {
    const began = performance.now()
    const tell = (failed: boolean): void =>
      this.#deps.onCommit({ entries: batch.length, ms: performance.now() - began, failed })
    const cancel = this.#deps.after(PATIENCE_MILLISECONDS, () => {
      this.#hangs = true
      tell(true)
      for (const { settled } of [...batch, ...this.#waiting.splice(0)]) {
        settled.reject(new Error(HANGS))
      }
    })
    try {
      await this.#deps.use((file) => write(file, batch))
      this.#together = batch.length + this.#waiting.length // before those of the batch come again
      tell(false)
      for (const { settled } of batch) settled.resolve()
    } catch (fault) {
      tell(true)
      for (const { settled } of batch) settled.reject(fault)
    } finally {
      cancel()
      this.#hangs = false
    }
  }
}

async function write(file: AppendFile, batch: readonly Waiting[]): Promise<void> {
  let lines = ''
  for (const { line } of batch) lines += `${line}\n`
  const bytes = Buffer.from(lines)
  // The rest is not written after it: another process may have appended in between.
  if ((await file.append(bytes)) !== bytes.length) {
    throw new Error('the audit file took only part of a write')
  }
}
