/** A copy of one log, to be verified: its files as octets, wherever they are. Nothing is written. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { readText } from './checkpoint-file.ts'
import { isMissing } from './file-range.ts'
import {
  checkpointPath,
  entriesPath,
  keyPath,
  leavesPath,
  subtreesPath,
  witnessedPath,
} from './log-paths.ts'

export interface ByteSource {
  readonly size: number
  /** Returns how many octets there were from `at` on, as far as there is room. */
  read(into: Buffer, at: number): number
}

export interface LogCopy {
  readonly entries: ByteSource
  readonly leaves: ByteSource
  subtrees(file: number): ByteSource
  /** Undefined where there is none. */
  readonly checkpoint: string | undefined
  readonly witnessed: string | undefined
  readonly key: string | undefined
}

export interface OpenedCopy extends LogCopy {
  close(): void
}

/** The files of a log's folder; those that are missing are empty. */
export function openCopy(folder: string): OpenedCopy {
  const opened: number[] = []
  const source = (path: string): ByteSource => {
    const file = openFile(path)
    if (file === undefined) return sourceOf(Buffer.alloc(0))
    opened.push(file)
    const { size } = fstatSync(file)
    return { size, read: (into, at) => readSync(file, into, 0, into.length, at) }
  }
  return {
    entries: source(entriesPath(folder)),
    leaves: source(leavesPath(folder)),
    subtrees: (file) => source(subtreesPath(folder, file)),
    checkpoint: readText(checkpointPath(folder)),
    witnessed: readText(witnessedPath(folder)),
    key: readText(keyPath(folder)),
    close: () => {
      for (const file of opened.splice(0)) closeSync(file)
    },
  }
}

export function sourceOf(bytes: Buffer): ByteSource {
  return { size: bytes.length, read: (into, at) => bytes.copy(into, 0, at) }
}

function openFile(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (fault) {
    if (isMissing(fault)) return undefined
    throw fault
  }
}
