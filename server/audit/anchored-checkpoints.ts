/**
 * Checkpoints in files: the newest of a log, the same with the signatures of others, and those an anchor keeps: signed notes one
 * after the other with an empty line between, in a file for each log that is only ever appended to.
 */
import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  AuditProofError,
  formatNote,
  parseCheckpoint,
  parseNote,
} from '../../lib/src/audit/index.ts'
import { draftText } from './checkpoint-file.ts'
import { syncFolder } from './durable-files.ts'
import { checkpointPath, logFolder, witnessedPath } from './log-paths.ts'

/** Octets at the end of an anchor's file that are looked at: some notes, with many signatures each. */
const TAIL = 64 * 1024
const BETWEEN = '\n\n'
const SIGNATURE_START = '\u2014 '

/** The log's newest signed checkpoint; undefined: it has none yet. */
export function readNewest(dataFolder: string, log: string): Promise<string | undefined> {
  return readIfThere(checkpointPath(logFolder(dataFolder, log)))
}

/** Puts signature lines under the checkpoint, beside those it has; an older one's go with it. */
export async function keepCosignatures(
  { dataFolder, log }: { readonly dataFolder: string; readonly log: string },
  note: string,
  lines: readonly string[],
): Promise<void> {
  const path = witnessedPath(logFolder(dataFolder, log))
  const found = await readIfThere(path)
  const kept = found !== undefined && isCheckpoint(found) ? found : undefined
  if (kept !== undefined && sizeOf(kept) > sizeOf(note)) return
  const offered = parseNote(note)
  const before = kept === undefined ? offered : parseNote(kept)
  const { text, signatures } = before.text === offered.text ? before : offered
  const added = parseNote(`${text}\n${lines.join('\n')}\n`).signatures
  // Who cosigned it before says so once, with the later time.
  const others = signatures.filter(
    ({ name, keyId }) => !added.some((line) => line.name === name && line.keyId === keyId),
  )
  const draft = await draftText(path, formatNote({ text, signatures: [...others, ...added] }))
  draft.place()
  await syncFolder(dirname(path))
}

export const anchorPath = (folder: string, log: string): string =>
  join(folder, `${log}.checkpoints`)

/** The checkpoint of the most leaves among the last that the anchor's file has. */
export async function readAnchored(folder: string, log: string): Promise<string | undefined> {
  return newestNote((await readTail(anchorPath(folder, log))) ?? '')
}

/** Of a text with signed notes in it: that of the most leaves. What a crash cut short is passed over. */
export function newestNote(text: string): string | undefined {
  const parts = text.split(BETWEEN)
  const notes = parts.flatMap((part, at) => {
    const isSigned = part.startsWith(SIGNATURE_START)
    const note = `${parts[at - 1]?.replace(/^\n+/, '')}${BETWEEN}${part.trimEnd()}\n`
    return isSigned && isCheckpoint(note) ? note : []
  })
  return notes.toSorted((a, b) => sizeOf(a) - sizeOf(b)).at(-1)
}

/** Durable when it resolves. One write: other processes append to the same file. */
export async function appendAnchored(folder: string, log: string, note: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = anchorPath(folder, log)
  const tail = await readTail(path)
  const isWhole = tail === undefined || tail === '' || tail.endsWith(BETWEEN)
  const file = await open(path, 'a', 0o600)
  try {
    await file.appendFile(`${isWhole ? '' : BETWEEN}${note}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  if (tail === undefined) await syncFolder(folder)
}

function sizeOf(note: string): number {
  return parseCheckpoint(parseNote(note).text).size
}

function isCheckpoint(note: string): boolean {
  try {
    return sizeOf(note) >= 0
  } catch (fault) {
    if (fault instanceof AuditProofError) return false
    throw fault
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(noneIfAbsent)
}

/** The last octets of a file as text; undefined where there is no file. */
async function readTail(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(noneIfAbsent)
  if (file === undefined) return undefined
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - TAIL)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

function noneIfAbsent(fault: unknown): undefined {
  if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return undefined
  throw fault
}
