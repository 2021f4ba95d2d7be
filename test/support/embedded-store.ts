/** The store and the record of one data folder, as the server opens both. */
import { readFileSync } from 'node:fs'
import { type AppendFile, openAppendFile } from '../../server/audit/append-file.ts'
import {
  type AuditWriter,
  type AuditWriterDeps,
  openAuditWriter,
} from '../../server/audit/audit-writer.ts'
import { parseLine } from '../../server/audit/entry-line.ts'
import { createFindIssued } from '../../server/audit/issued-tokens.ts'
import { openJournalFile } from '../../server/audit/journal-file.ts'
import { entriesPath, logFolder, logsUnder } from '../../server/audit/log-paths.ts'
import { createTextDigests } from '../../server/audit/text-digests.ts'
import {
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  openEmbeddedStore as openStore,
} from '../../server/store/embedded/store.ts'
import type { AuditEntry, AuditLog, StoredEntry } from '../../server/use-cases/ports.ts'

export type { EmbeddedStoreOptions } from '../../server/store/embedded/store.ts'

export interface StoreOptions extends Omit<EmbeddedStoreOptions, 'findIssued'> {
  readonly findIssued?: EmbeddedStoreOptions['findIssued']
  readonly openFile?: (path: string) => Promise<AppendFile>
  /** Milliseconds. */
  readonly elapsed?: () => number
}

/** Both, closed together. Every entry goes to the log of the tenant it names. */
export interface RecordedStore extends EmbeddedStore {
  readonly audit: AuditWriter
}

export async function openEmbeddedStore(options: StoreOptions): Promise<RecordedStore> {
  const { dataFolder, openFile = openAppendFile, elapsed = () => performance.now() } = options
  const store = openStore({ findIssued: createFindIssued({ dataFolder }), ...options })
  const audit = await openTestWriter(dataFolder, { openFile, elapsed })
  await store.recover(async () => {})
  return {
    ...store,
    audit,
    close: async () => {
      await audit.close()
      await store.close()
    },
  }
}

/** As the server does, with what a test puts in its place. */
export function openTestWriter(
  dataFolder: string,
  changes: Partial<AuditWriterDeps> = {},
): Promise<AuditWriter> {
  return openAuditWriter({
    dataFolder,
    logOf: ({ tenant }) => tenant,
    digest: createTextDigests('a secret of tests').digest,
    openFile: openAppendFile,
    openJournalFile,
    elapsed: () => performance.now(),
    after: (milliseconds, work) => {
      const timer = setTimeout(work, milliseconds)
      return () => clearTimeout(timer)
    },
    ...changes,
  })
}

/** A log of nothing but this verb. */
export function auditLogOf(append: (entry: AuditEntry) => Promise<void>): AuditLog {
  return { append, appendRevocation: append, isFailing: false }
}

/** Whole lines of every log of a data folder, one log after the other. */
export function readLogs(dataFolder: string): readonly string[] {
  return logsUnder(dataFolder).flatMap((log) => readLog(dataFolder, log))
}

export function readLog(dataFolder: string, log: string): readonly string[] {
  try {
    const text = readFileSync(entriesPath(logFolder(dataFolder, log)), 'utf8')
    return text.split('\n').filter((line) => line !== '')
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return []
    throw fault
  }
}

/** Every entry that can be read. */
export function readEntries(dataFolder: string): readonly StoredEntry[] {
  return readLogs(dataFolder).flatMap((line) => parseLine(line) ?? [])
}
