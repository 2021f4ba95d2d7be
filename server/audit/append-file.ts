/**
 * A file that is only ever appended to, by any number of processes. A line broken by a crash stays where it is and is told
 * apart; it never hides the lines around it.
 */
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What the log needs of an open file; a fault is injected here. */
export interface AppendFile {
  /** One write at the end of the file; resolves with the bytes written, which may be fewer. */
  append(bytes: Buffer): Promise<number>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Opens or creates the file, its folder too, and ends a line a crash left open. */
export async function openAppendFile(path: string): Promise<AppendFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
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
