/** Pieces of files, opened for each: with many logs no file stays open. Synchronous; a piece is small. */
import { closeSync, constants, openSync, readSync, statSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

const MADE_WHEN_MISSING = constants.O_RDWR | constants.O_CREAT

/** Fewer octets where the file ends, none where it is missing. */
export function readRange(path: string, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const file = openSyncIfThere(path)
  if (file === undefined) return bytes.subarray(0, 0)
  try {
    let filled = 0
    for (let more = -1; more !== 0 && filled < length; filled += more) {
      more = readSync(file, bytes, filled, length - filled, at + filled)
    }
    return bytes.subarray(0, filled)
  } finally {
    closeSync(file)
  }
}

export function writeRange(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, MADE_WHEN_MISSING, 0o600)
  try {
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(file, bytes, written, bytes.length - written, at + written)
    }
  } finally {
    closeSync(file)
  }
}

/** 0 where the file is missing. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** What was written is on disk; nothing to do where the file is missing. */
export async function syncFile(path: string): Promise<void> {
  const file = await openIfThere(path)
  try {
    await file?.datasync()
  } finally {
    await file?.close()
  }
}

/** To read from; undefined where the file is missing. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (fault) {
    if (isMissing(fault)) return undefined
    throw fault
  }
}

function openSyncIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (fault) {
    if (isMissing(fault)) return undefined
    throw fault
  }
}

export const isMissing = (fault: unknown): boolean =>
  fault instanceof Error && 'code' in fault && fault.code === 'ENOENT'
