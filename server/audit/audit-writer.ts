/**
 * Entries into the logs they belong to, durable before they are answered for. What ended something goes into the journal where
 * its log cannot be written, and from there into the log, before any later entry of this process.
 */
import type { AuditEntry, AuditLog } from '../use-cases/ports.ts'
import type { AppendFile } from './append-file.ts'
import { formatLine } from './entry-line.ts'
import { type Commit, EntryLog } from './entry-log.ts'
import { JOURNAL_BYTES } from './journal.ts'
import type { JournalFile } from './journal-file.ts'
import { Journals } from './journals.ts'
import { entriesPath, journalFolder, logFolder } from './log-paths.ts'
import { OpenFiles } from './open-files.ts'
import { type DigestText, toStored } from './stored-entry.ts'

/** How long after a failed write nobody else tries one, and how often what waits in the journal does. */
const RETRY_MILLISECONDS = 1000

export interface AuditWriterDeps {
  readonly dataFolder: string
  /** The log of a tenant's entry: its own, or the platform's where there is no such tenant. */
  readonly logOf: (entry: AuditEntry) => string
  readonly digest: DigestText
  readonly openFile: (path: string) => Promise<AppendFile>
  readonly openJournalFile: (path: string) => Promise<JournalFile>
  /** Milliseconds; never goes back. */
  readonly elapsed: () => number
  /** Runs `work` once after so many milliseconds unless cancelled. */
  readonly after: (milliseconds: number, work: () => void) => () => void
  /** Told of each write of a log, once it is on disk or has failed. */
  readonly onCommit?: (commit: Commit) => void
}

export interface AuditWriter extends AuditLog {
  /** Octets that wait in the journal. */
  octets(): number
  /** Throws nothing for what cannot be written: it stays in the journal. */
  close(): Promise<void>
}

/** Takes the journal's room; what processes left in theirs goes into the logs first. Throws where there is no room for one. */
export async function openAuditWriter(deps: AuditWriterDeps): Promise<AuditWriter> {
  const folder = journalFolder(deps.dataFolder)
  const journals = await Journals.open({ folder, openFile: deps.openJournalFile })
  const writer = new LogsWriter(deps, journals)
  await writer.drainAll()
  return writer
}

interface Log {
  readonly entries: EntryLog
  failedAt: number
  draining: Promise<void> | undefined
}

class LogsWriter implements AuditWriter {
  readonly #deps: AuditWriterDeps
  readonly #journals: Journals
  readonly #files: OpenFiles
  readonly #logs = new Map<string, Log>()
  #failedAt = Number.NEGATIVE_INFINITY
  #cancelRetry: (() => void) | undefined
  #isClosed = false

  constructor(deps: AuditWriterDeps, journals: Journals) {
    this.#deps = deps
    this.#journals = journals
    this.#files = new OpenFiles({ openFile: deps.openFile })
  }

  get isFailing(): boolean {
    return this.#isRecent(this.#failedAt)
  }

  octets(): number {
    return this.#journals.octets
  }

  async append(entry: AuditEntry): Promise<void> {
    const line = formatLine(toStored(entry, this.#deps.digest))
    await this.#write(this.#deps.logOf(entry), line)
  }

  async appendRevocation(entry: AuditEntry): Promise<void> {
    const line = formatLine(toStored(entry, this.#deps.digest))
    const log = this.#deps.logOf(entry)
    try {
      if (this.#isRecent(this.#log(log).failedAt)) throw new Error(WAITS)
      await this.#write(log, line)
    } catch (fault) {
      if (this.#isClosed || (isSignIn(entry) && this.octets() > SIGN_INS_BYTES)) throw fault
      await this.#journals.append({ log, line })
      this.#retryLater()
    }
  }

  /** What waits in the journals goes where it belongs, as far as that can be written. */
  async drainAll(): Promise<void> {
    for (const name of this.#journals.logs()) await this.#drain(name).catch(ignore)
    await this.#journals.drained([])
    if (!this.#journals.isEmpty) this.#retryLater()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry?.()
    for (const name of this.#journals.logs()) await this.#drain(name).catch(ignore)
    for (const { entries } of this.#logs.values()) await entries.idle()
    await this.#files.close()
    await this.#journals.close()
  }

  async #write(name: string, line: string): Promise<void> {
    if (this.#isClosed) throw new Error('the audit log is closed')
    const log = this.#log(name)
    while (this.#journals.holds(name)) {
      if (this.#isRecent(log.failedAt)) throw new Error(WAITS)
      await this.#drain(name)
    }
    await log.entries.append(line)
  }

  /** Rejects where the log cannot be written; what waits for it goes on waiting then. */
  #drain(name: string): Promise<void> {
    const log = this.#log(name)
    log.draining ??= this.#drainOnce(name, log).finally(() => {
      log.draining = undefined
    })
    return log.draining
  }

  async #drainOnce(name: string, { entries }: Log): Promise<void> {
    const records = this.#journals.recordsOf(name)
    await Promise.all(records.map(({ line }) => entries.append(line)))
    await this.#journals.drained(records)
  }

  #retryLater(): void {
    if (this.#isClosed) return
    this.#cancelRetry ??= this.#deps.after(RETRY_MILLISECONDS, () => {
      this.#cancelRetry = undefined
      void this.drainAll()
    })
  }

  #log(name: string): Log {
    const known = this.#logs.get(name)
    if (known !== undefined) return known
    const path = entriesPath(logFolder(this.#deps.dataFolder, name))
    const log: Log = {
      failedAt: Number.NEGATIVE_INFINITY,
      draining: undefined,
      entries: new EntryLog({
        use: (work) => this.#files.use(path, work),
        after: this.#deps.after,
        onCommit: (commit) => {
          if (commit.failed) log.failedAt = this.#failedAt = this.#deps.elapsed()
          this.#deps.onCommit?.(commit)
        },
      }),
    }
    this.#logs.set(name, log)
    return log
  }

  #isRecent(failedAt: number): boolean {
    return this.#deps.elapsed() - failedAt < RETRY_MILLISECONDS
  }
}

/** Who signs in to end something may fill so much of the journal: the rest is for what ends. */
const SIGN_INS_BYTES = JOURNAL_BYTES / 2

const isSignIn = ({ event, outcome }: AuditEntry): boolean =>
  event === 'token' && outcome === 'permit'

const WAITS = 'the audit log failed a moment ago'

/** It is tried again. */
function ignore(): void {}
