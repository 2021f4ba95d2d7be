/**
 * The journal of this process, and those that processes left which run no more: adopted at the start, one by each process at
 * most once, since a name is changed whole or not at all. The first that is adopted becomes this process's own, so that a
 * start on a full disk needs no room.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder } from './durable-files.ts'
import { Journal, type JournalRecord } from './journal.ts'
import type { JournalFile } from './journal-file.ts'
import { isOfDead, markOf } from './process-mark.ts'

export interface JournalsDeps {
  readonly folder: string
  readonly openFile: (path: string) => Promise<JournalFile>
}

export class Journals {
  readonly #own: Journal
  /** With their paths: their files go once they are empty. */
  readonly #adopted: Map<Journal, string>

  private constructor(own: Journal, adopted: Map<Journal, string>) {
    this.#own = own
    this.#adopted = adopted
  }

  /** Throws where there is no room for a journal. */
  static async open({ folder, openFile }: JournalsDeps): Promise<Journals> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const opened = new Map<Journal, string>()
    const open = async (path: string): Promise<Journal> => Journal.open(await openFile(path))
    for (const path of await adopt(folder)) opened.set(await open(path), path)
    const [first] = opened
    if (first !== undefined) {
      opened.delete(first[0])
      return new Journals(first[0], opened)
    }
    const own = await open(newPath(folder))
    for (const name of [folder, dirname(folder), dirname(dirname(folder))]) await syncFolder(name)
    return new Journals(own, opened)
  }

  /** Octets of what waits in them. */
  get octets(): number {
    return this.#all().reduce((sum, { octets }) => sum + octets, 0)
  }

  /** Whether anything waits for the log. Costs nothing while nothing waits. */
  holds(log: string): boolean {
    if (this.isEmpty) return false
    return this.#all().some(({ records }) => records.some((record) => record.log === log))
  }

  /** Names of the logs whose entries wait. */
  logs(): ReadonlySet<string> {
    return new Set(this.#all().flatMap(({ records }) => records.map(({ log }) => log)))
  }

  /** What waits for a log, oldest first. */
  recordsOf(log: string): readonly JournalRecord[] {
    return this.#all().flatMap(({ records }) => records.filter((record) => record.log === log))
  }

  get isEmpty(): boolean {
    return this.#own.records.length === 0 && this.#adopted.size === 0
  }

  append(record: JournalRecord): Promise<void> {
    return this.#own.append(record)
  }

  /** These are in their log now. */
  async drained(records: readonly JournalRecord[]): Promise<void> {
    const done = new Set(records)
    for (const journal of this.#all()) await journal.drained(done)
    for (const [journal, path] of this.#adopted) {
      if (journal.records.length > 0) continue
      this.#adopted.delete(journal)
      await journal.close()
      await rm(path, { force: true })
    }
  }

  async close(): Promise<void> {
    for (const journal of this.#all()) await journal.close()
  }

  #all(): readonly Journal[] {
    return [...this.#adopted.keys(), this.#own]
  }
}

const newPath = (folder: string): string => join(folder, `${markOf(process.pid)}-${randomUUID()}`)

/** Paths of what is this process's now; that of another adopter is gone when it is looked for. */
async function adopt(folder: string): Promise<readonly string[]> {
  const adopted: string[] = []
  for (const name of (await readdir(folder)).filter(isOfDead).sort()) {
    const path = newPath(folder)
    try {
      await rename(join(folder, name), path)
      adopted.push(path)
    } catch (fault) {
      if (!(fault instanceof Error && 'code' in fault && fault.code === 'ENOENT')) throw fault
    }
  }
  return adopted
}
