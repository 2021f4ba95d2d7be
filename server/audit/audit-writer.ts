/** Entries into the logs they belong to. A log is opened at its first entry. */
import type { AuditEntry, AuditLog } from '../use-cases/ports.ts'
import type { AppendFile } from './append-file.ts'
import { formatLine } from './entry-line.ts'
import { EntryLog } from './entry-log.ts'
import { entriesPath, logFolder } from './log-paths.ts'
import { type DigestText, toStored } from './stored-entry.ts'

export interface AuditWriterDeps {
  readonly dataFolder: string
  /** The log of a tenant's entry: its own, or the platform's where there is no such tenant. */
  readonly logOf: (entry: AuditEntry) => string
  readonly digest: DigestText
  readonly openFile: (path: string) => Promise<AppendFile>
}

export interface AuditWriter extends AuditLog {
  close(): Promise<void>
}

export function createAuditWriter(deps: AuditWriterDeps): AuditWriter {
  const opened = new Map<string, Promise<EntryLog>>()
  let isClosed = false
  const open = (log: string): Promise<EntryLog> => {
    const path = entriesPath(logFolder(deps.dataFolder, log))
    const opening = opened.get(log) ?? deps.openFile(path).then((file) => new EntryLog(file))
    opened.set(log, opening)
    opening.catch(() => opened.delete(log))
    return opening
  }
  const append = async (entry: AuditEntry): Promise<void> => {
    const line = formatLine(toStored(entry, deps.digest))
    if (isClosed) throw new Error('the audit log is closed')
    const log = await open(deps.logOf(entry))
    await log.append(line)
  }
  return {
    append,
    appendRevocation: append,
    isFailing: false,
    close: async () => {
      isClosed = true
      for (const log of opened.values()) await (await log).close()
    },
  }
}
