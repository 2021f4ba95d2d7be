/**
 * Texts that a tenant keeps, beside its log and no part of it: sealed, and erased in place, so that the log goes on being what it was
 * and what was erased is in no file any more.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { TextSeal } from '../../keys/text-seal.ts'
import type { AuditEntry, TextName } from '../use-cases/ports.ts'
import type { EntryLog } from './entry-log.ts'
import { logFolder, textsPath } from './log-paths.ts'

export type Texts = Readonly<Partial<Record<TextName, string>>>

export interface KeptTexts {
  /** Resolves when they are on disk. */
  keep(log: string, entry: Pick<AuditEntry, 'tenant' | 'ref'>, texts: Texts): Promise<void>
  /** Of one entry; nothing where none was kept, or all were erased. */
  read(log: string, entry: Pick<AuditEntry, 'tenant' | 'ref'>): Promise<Texts>
  /** Of these entries. Resolves with how many entries had some, once none of them is on disk. */
  erase(log: string, refs: ReadonlySet<string>): Promise<number>
}

export interface KeptTextsDeps {
  readonly dataFolder: string
  readonly seal: TextSeal
  /** The one of this path. */
  readonly entryLog: (path: string) => Pick<EntryLog, 'append'>
}

/** A kept text, or what is left of one that a crash cut short. All of it is ASCII; what was erased has no sealed character. */
const KEPT = /\{"ref":"([A-Za-z0-9_-]+)","sealed":"([A-Za-z0-9_-]*)/g
const ERASED = '.'
const CHUNK = 64 * 1024

export function createKeptTexts({ dataFolder, seal, entryLog }: KeptTextsDeps): KeptTexts {
  const pathOf = (log: string): string => textsPath(logFolder(dataFolder, log))
  return {
    keep: async (log, entry, texts) => {
      const sealed = seal.seal(placeOf(entry), JSON.stringify(texts))
      await entryLog(pathOf(log)).append(JSON.stringify({ ref: entry.ref, sealed }))
    },
    read: async (log, entry) => {
      const file = await openThere(pathOf(log), 'r')
      if (file === undefined) return {}
      try {
        for await (const { ref, sealed } of keptIn(file)) {
          const text = ref === entry.ref ? seal.open(placeOf(entry), sealed) : undefined
          if (text !== undefined) return JSON.parse(text) as Texts
        }
        return {}
      } finally {
        await file.close()
      }
    },
    erase: async (log, refs) => {
      const file = await openThere(pathOf(log), 'r+')
      if (file === undefined) return 0
      try {
        const erased = new Set<string>()
        for await (const { ref, sealed, at } of keptIn(file)) {
          if (!refs.has(ref)) continue
          await file.write(ERASED.repeat(sealed.length), at, 'latin1')
          erased.add(ref)
        }
        await file.datasync()
        return erased.size
      } finally {
        await file.close()
      }
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
