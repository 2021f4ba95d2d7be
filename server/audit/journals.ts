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
  /** Their files go once they are empty. */
  readonly #adopted: Set<Journal>
  readonly #paths: ReadonlyMap<Journal, string>

  private constructor(paths: ReadonlyMap<Journal, string>) {
    const [own, ...adopted] = paths.keys()
    if (own === undefined) throw new TypeError('no journal of its own')
    this.#own = own
    this.#adopted = new Set(adopted)
    this.#paths = paths
  }

  /** Throws where there is no room for a journal. */
  static async open({ folder, openFile }: JournalsDeps): Promise<Journals> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const adopted = await adopt(folder)
    const paths = new Map<Journal, string>()
    for (const path of adopted.length > 0 ? adopted : [newPath(folder)]) {
      paths.set(await Journal.open(await openFile(path)), path)
    }
    for (const name of [folder, dirname(folder), dirname(dirname(folder))]) await syncFolder(name)
    return new Journals(paths)
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
    for (const journal of this.#adopted) {
      if (journal.records.length > 0) continue
      this.#adopted.delete(journal)
      await journal.close()
      await rm(this.#paths.get(journal) ?? '', { force: true })
    }
  }

  /** Leaves them, with what is in them, to whoever starts next. */
  async close(): Promise<void> {
    for (const journal of this.#all()) {
      await journal.close()
      const path = this.#paths.get(journal) ?? ''
      await rename(path, join(dirname(path), `${LEFT}${randomUUID()}`)).catch(ignore)
    }
  }

  #all(): readonly Journal[] {
    return [...this.#adopted, this.#own]
  }
}

/** Begins the name of one that nobody has. */
const LEFT = 'left-'

/** Under its name it is found as well, once this process is no more. */
function ignore(): void {}

const isLeft = (name: string): boolean => name.startsWith(LEFT) || isOfDead(name)

const newPath = (folder: string): string => join(folder, `${markOf(process.pid)}-${randomUUID()}`)

/** Paths of what is this process's now; that of another adopter is gone when it is looked for. */
async function adopt(folder: string): Promise<readonly string[]> {
  const adopted: string[] = []
  for (const name of (await readdir(folder)).filter(isLeft).sort()) {
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
