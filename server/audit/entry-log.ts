/**
 * One log's entries: every line that waits goes into one append and one sync, and only then is any of them answered for. A
 * failed write fails all its lines, and so does every later one until a write succeeds.
 */
import type { AppendFile } from './append-file.ts'

interface Waiting {
  readonly line: string
  readonly settled: PromiseWithResolvers<void>
}

export class EntryLog {
  readonly #file: AppendFile
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  /** A failed write may have left part of a line: the next one ends it first. */
  #torn = false
  #closed = false

  constructor(file: AppendFile) {
    this.#file = file
  }

  /** Resolves when the line is on disk. */
  async append(line: string): Promise<void> {
    if (this.#closed) throw new Error('the audit log is closed')
    const settled = Promise.withResolvers<void>()
    this.#waiting.push({ line, settled })
    this.#writing ??= this.#writeAll()
    await settled.promise
  }

  /** Never rejects: each line's own promise does. */
  async #writeAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)) // gathers the lines of this turn
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#write(batch)
        for (const { settled } of batch) settled.resolve()
      } catch (fault) {
        for (const { settled } of batch) settled.reject(fault)
      }
    }
    this.#writing = undefined
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const lines = batch.map(({ line }) => `${line}\n`).join('')
    const bytes = Buffer.from(this.#torn ? `\n${lines}` : lines)
    this.#torn = true
    const written = await this.#file.append(bytes)
    // The rest is not written after it: another process may have appended in between.
    if (written !== bytes.length) throw new Error('the audit file took only part of a write')
    this.#torn = false
    await this.#file.sync()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
    await this.#file.close()
  }
}
