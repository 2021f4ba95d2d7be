/**
 * A file that is only ever appended to, by any number of processes. A line broken by a crash stays where it is and is told
 * apart; it never hides the lines around it.
 */
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from './durable-files.ts'

/** What the log needs of an open file; a fault is injected here. */
export interface AppendFile {
  /** One write at the end of the file; resolves with the bytes written, which may be fewer, once they are on disk. */
  append(bytes: Buffer): Promise<number>
  close(): Promise<void>
}

/** Written and synced by one call: two would cost half as much again. */
const APPEND_SYNCED = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_DSYNC

/** Opens or creates the file, its folder too, and ends a line a crash left open. */
export async function openAppendFile(path: string): Promise<AppendFile> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = await open(path, APPEND_SYNCED, 0o600)
  try {
    const { size } = await file.stat()
    // A new file is only as durable as its name, and the name of its folder, and of the folder around that.
    if (size === 0) for (const each of namesOf(folder)) await syncFolder(each)
    else await endLine(file, size)
  } catch (fault) {
    await file.close()
    throw fault
  }
  return {
    append: async (bytes) => (await file.write(bytes)).bytesWritten,
    close: () => file.close(),
  }
}

const namesOf = (folder: string): readonly string[] => [
  folder,
  dirname(folder),
  dirname(dirname(folder)),
]

async function endLine(file: FileHandle, size: number): Promise<void> {
  const last = Buffer.alloc(1)
  await file.read(last, 0, 1, size - 1)
  if (last.toString('latin1') !== '\n') await file.write('\n')
}
