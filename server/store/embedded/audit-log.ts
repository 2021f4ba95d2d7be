/**
 * The audit log: every entry that waits goes into one append and one sync, and only then is any of them answered for. A
 * failed write fails all its entries, and so does every later one until a write succeeds.
 */
import type { AuditEntry, AuditLog } from '../../use-cases/ports.ts'
import { type AppendFile, type AuditLine, readAuditFile } from './audit-file.ts'

/** UTF-16 units kept of a string, and members kept of a list: callers choose some of these texts. */
const MAX_TEXT = 1024
const MAX_MEMBERS = 64
const LINE_ENDS = /[\u2028\u2029]/g

interface Waiting {
  readonly line: string
  readonly settled: PromiseWithResolvers<void>
}

function bounded(value: unknown): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map(bounded)
  return value
}

/** One line without its end. `time` is always first: a reader finds an entry behind a torn line by it. */
function formatEntry(entry: AuditEntry): string {
  const line: Record<string, unknown> = { time: entry.time }
  for (const [name, value] of Object.entries(entry)) line[name] = bounded(value)
  return JSON.stringify(line).replace(LINE_ENDS, (end) =>
    end === '\u2028' ? '\\u2028' : '\\u2029',
  )
}

export class EmbeddedAuditLog implements AuditLog {
  readonly #file: AppendFile
  readonly #path: string
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  /** A failed write may have left part of a line: the next one ends it first. */
  #torn = false
  #closed = false

  constructor(file: AppendFile, path: string) {
    this.#file = file
    this.#path = path
  }

  async append(entry: AuditEntry): Promise<void> {
    if (this.#closed) throw new Error('the audit log is closed')
    const settled = Promise.withResolvers<void>()
    this.#waiting.push({ line: formatEntry(entry), settled })
    this.#writing ??= this.#writeAll()
    await settled.promise
  }

  /** Never rejects: each entry's own promise does. */
  async #writeAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)) // gathers the entries of this turn
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

  /** All lines in the order of the file, other processes' included. */
  readEntries(): AsyncIterable<AuditLine> {
    return readAuditFile(this.#path)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
    await this.#file.close()
  }
}
