/**
 * The audit file of a data folder: JSON lines, only ever appended to, by any number of processes. A line broken by a
 * crash is told apart and counted; it never hides the entries around it.
 */
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditEntry } from '../../use-cases/ports.ts'

/** What the log needs of an open file; a fault is injected here. */
export interface AppendFile {
  /** One write at the end of the file; resolves with the bytes written, which may be fewer. */
  append(bytes: Buffer): Promise<number>
  sync(): Promise<void>
  close(): Promise<void>
}

export const auditPath = (dataFolder: string): string => join(dataFolder, 'audit', 'audit.jsonl')

/** Opens or creates the file and ends a line a crash left open. */
export async function openAuditFile(path: string): Promise<AppendFile> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
  const file = await open(path, 'a+', 0o600)
  const { size } = await file.stat()
  const last = Buffer.alloc(1)
  if (size > 0) await file.read(last, 0, 1, size - 1)
  if (size > 0 && last.toString('latin1') !== '\n') await file.write('\n')
  return {
    append: async (bytes) => (await file.write(bytes)).bytesWritten,
    sync: () => file.datasync(),
    close: () => file.close(),
  }
}

export type AuditLine =
  | { readonly kind: 'entry'; readonly entry: AuditEntry }
  | { readonly kind: 'broken' }

/** Every line begins so, and within a JSON string these quotes would be escaped. */
export const LINE_START = '{"time":'

function parseEntry(text: string): AuditEntry | undefined {
  if (!text.startsWith(LINE_START)) return undefined
  try {
    return JSON.parse(text) as AuditEntry
  } catch {
    return undefined
  }
}

/** Another process may have appended a whole line behind a torn one before anyone ended it. */
function* readLine(line: string): Generator<AuditLine> {
  const whole = parseEntry(line)
  if (whole !== undefined) {
    yield { kind: 'entry', entry: whole }
    return
  }
  const last = line.lastIndexOf(LINE_START)
  const rest = last > 0 ? parseEntry(line.slice(last)) : undefined
  yield { kind: 'broken' }
  if (rest !== undefined) yield { kind: 'entry', entry: rest }
}

/** Reads all lines in file order; none where there is no file yet. */
export async function* readAuditFile(path: string): AsyncGenerator<AuditLine> {
  const file = await open(path).catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT') return undefined
    throw fault
  })
  if (file === undefined) return
  for await (const line of file.readLines()) if (line !== '') yield* readLine(line)
}
