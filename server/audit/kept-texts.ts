/**
 * Texts that a tenant keeps, beside its log and no part of it: sealed, and erased in place, so that the log goes on being what it was
 * and what was erased is in no file any more.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { TextSeal } from '../../keys/text-seal.ts'
import type { AuditEntry, AuditRecords, Texts } from '../use-cases/ports.ts'
import { EntryLog, type EntryLogDeps } from './entry-log.ts'
import { logFolder, textsPath } from './log-paths.ts'
import { OpenFiles, type OpenFilesDeps } from './open-files.ts'

/** A log's texts are found under the id of its tenant. */
export interface KeptTexts extends Pick<AuditRecords, 'textsOf' | 'eraseTexts'> {
  /** Resolves when they are on disk. */
  keep(log: string, entry: Pick<AuditEntry, 'tenant' | 'ref'>, texts: Texts): Promise<void>
  close(): Promise<void>
}

export interface KeptTextsDeps
  extends Pick<OpenFilesDeps, 'openFile'>,
    Pick<EntryLogDeps, 'after'> {
  readonly dataFolder: string
  readonly seal: TextSeal
}

/** A kept text, or what is left of one that a crash cut short. All of it is ASCII; what was erased has no sealed character. */
const KEPT = /\{"ref":"([A-Za-z0-9_-]+)","sealed":"([A-Za-z0-9_-]*)/g
const ERASED = '.'
const CHUNK = 64 * 1024

export function createKeptTexts({ dataFolder, seal, openFile, after }: KeptTextsDeps): KeptTexts {
  const files = new OpenFiles({ openFile })
  const writers = new Map<string, EntryLog>()
  const pathOf = (log: string): string => textsPath(logFolder(dataFolder, log))
  const writerOf = (path: string): EntryLog => {
    const known = writers.get(path)
    if (known !== undefined) return known
    const use: EntryLogDeps['use'] = (work) => files.use(path, work)
    const writer = new EntryLog({ use, after, onCommit: () => {} })
    writers.set(path, writer)
    return writer
  }
  return {
    keep: async (log, entry, texts) => {
      const sealed = seal.seal(placeOf(entry), JSON.stringify(texts))
      await writerOf(pathOf(log)).append(JSON.stringify({ ref: entry.ref, sealed }))
    },
    textsOf: async (tenant, refs) => {
      const found = new Map<string, Texts>()
      const wanted = new Set(refs)
      const file = await openThere(pathOf(tenant), 'r')
      if (file === undefined) return found
      try {
        for await (const { ref, sealed } of keptIn(file)) {
          const text = wanted.has(ref) ? seal.open(placeOf({ tenant, ref }), sealed) : undefined
          if (text !== undefined) found.set(ref, JSON.parse(text) as Texts)
        }
        return found
      } finally {
        await file.close()
      }
    },
    eraseTexts: async (tenant, refs) => {
      const wanted = new Set(refs)
      const file = await openThere(pathOf(tenant), 'r+')
      if (file === undefined) return 0
      try {
        const erased = new Set<string>()
        for await (const { ref, sealed, at } of keptIn(file)) {
          if (!wanted.has(ref)) continue
          await file.write(ERASED.repeat(sealed.length), at, 'latin1')
          erased.add(ref)
        }
        await file.datasync()
        return erased.size
      } finally {
        await file.close()
      }
    },
    close: async () => {
      for (const writer of writers.values()) await writer.idle()
      await files.close()
    },
  }
}

const placeOf = ({ tenant, ref }: Pick<AuditEntry, 'tenant' | 'ref'>): string =>
  `audit texts of ${JSON.stringify([tenant, ref])}`

/** Undefined where nothing was ever kept. */
async function openThere(path: string, flags: 'r' | 'r+'): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags)
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return undefined
    throw fault
  }
}

interface Kept {
  readonly ref: string
  readonly sealed: string
  /** Offset of its sealed form in the file. */
  readonly at: number
}

/** Every text that is not erased, in the order of the file, as far as the file reached when it was asked. */
async function* keptIn(file: FileHandle): AsyncGenerator<Kept> {
  const { size } = await file.stat()
  const chunk = Buffer.alloc(CHUNK)
  let rest = ''
  let from = 0
  while (from < size) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK, size - from), from)
    if (bytesRead === 0) break
    const text = rest + chunk.toString('latin1', 0, bytesRead)
    const start = from - rest.length
    from += bytesRead
    const end = from < size ? text.lastIndexOf('\n') + 1 : text.length
    for (const found of text.slice(0, end).matchAll(KEPT)) {
      const [whole, ref = '', sealed = ''] = found
      if (sealed !== '')
        yield { ref, sealed, at: start + found.index + whole.length - sealed.length }
    }
    rest = text.slice(end)
  }
}
