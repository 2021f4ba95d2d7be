/**
 * A file of one process whose room on disk is taken at the start: entries of what was ended stand here while their logs cannot
 * be written. Records come one after the other from the beginning; the first that is not whole is where they end.
 *
 *   length  u32 BE, octets of the content; 0: no record, no more of them
 *   check   u32 BE, CRC-32 of the content
 *   content the name of the log, '\n', the line without its end
 *
 * What a failed write left behind is never taken for a record: a content is text, which has no octet below 0x0A, and a
 * length begins with one.
 */
import { crc32 } from 'node:zlib'
import type { JournalFile } from './journal-file.ts'

export const JOURNAL_BYTES = 1024 ** 2
const HEAD_BYTES = 8

export interface JournalRecord {
  readonly log: string
  readonly line: string
}

export class Journal {
  readonly #file: JournalFile
  #records: JournalRecord[]
  #end: number
  /** Clearing failed half-way: what is written behind the end might not be found again. */
  #isUnclear = false
  #last: Promise<void> = Promise.resolve()

  private constructor(file: JournalFile, content: Buffer) {
    this.#file = file
    const { records, end } = readRecords(content)
    this.#records = [...records]
    this.#end = end
  }

  /** Takes the room the file still lacks. Throws where the disk has none. */
  static async open(file: JournalFile): Promise<Journal> {
    try {
      const content = await file.read()
      const missing = JOURNAL_BYTES - content.length
      if (missing > 0) await writeWhole(file, Buffer.alloc(missing), content.length)
      return new Journal(file, content)
    } catch (fault) {
      await file.close()
      throw fault
    }
  }

  /** Of entries that are in no log yet, oldest first. */
  get records(): readonly JournalRecord[] {
    return this.#records
  }

  /** Octets its records take. */
  get octets(): number {
    return this.#records.length === 0 ? 0 : this.#end
  }

  /** Resolves when the record is on disk. Throws where it is full, or fails. */
  append(record: JournalRecord): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#isUnclear) await this.#clear()
      const bytes = formatRecord(record)
      if (this.#end + bytes.length > JOURNAL_BYTES) throw new Error('the audit journal is full')
      await writeWhole(this.#file, bytes, this.#end)
      this.#end += bytes.length
      this.#records.push(record)
    })
  }

  /** These are in their logs now. Where clearing fails they will be there twice after a crash. */
  async drained(records: ReadonlySet<JournalRecord>): Promise<void> {
    this.#records = this.#records.filter((record) => !records.has(record))
    await this.#inOrder(async () => {
      if (this.#records.length === 0 && this.#end > 0) await this.#clear().catch(ignore)
    })
  }

  async #clear(): Promise<void> {
    this.#isUnclear = true
    await writeWhole(this.#file, Buffer.alloc(this.#end), 0)
    this.#isUnclear = false
    this.#end = 0
  }

  /** One write at a time. */
  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(ignore)
    return done
  }

  async close(): Promise<void> {
    await this.#last
    await this.#file.close()
  }
}

/** Whoever waits for it is told. */
function ignore(): void {}

async function writeWhole(file: JournalFile, bytes: Buffer, position: number): Promise<void> {
  if ((await file.write(bytes, position)) !== bytes.length) {
    throw new Error('the audit journal took only part of a write')
  }
}

function formatRecord({ log, line }: JournalRecord): Buffer {
  const content = Buffer.from(`${log}\n${line}`)
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32BE(content.length, 0)
  head.writeUInt32BE(crc32(content), 4)
  return Buffer.concat([head, content])
}

function readRecords(bytes: Buffer): {
  readonly records: readonly JournalRecord[]
  readonly end: number
} {
  const records: JournalRecord[] = []
  let end = 0
  while (end + HEAD_BYTES <= bytes.length) {
    const from = end + HEAD_BYTES
    const content = bytes.subarray(from, from + bytes.readUInt32BE(end))
    if (content.length === 0 || content.length !== bytes.readUInt32BE(end)) break
    if (crc32(content) !== bytes.readUInt32BE(end + 4)) break
    const text = content.toString('utf8')
    const at = text.indexOf('\n')
    records.push({ log: text.slice(0, at), line: text.slice(at + 1) })
    end = from + content.length
  }
  return { records, end }
}
