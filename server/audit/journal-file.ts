/** A file written in place, each write synced: what the journal needs of the disk. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** A fault is injected here. */
export interface JournalFile {
  read(): Promise<Buffer>
  /** One write; resolves with the bytes written, which may be fewer, once they are on disk. */
  write(bytes: Buffer, position: number): Promise<number>
  close(): Promise<void>
}

const IN_PLACE_SYNCED = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC

/** Opens or creates it. */
export async function openJournalFile(path: string): Promise<JournalFile> {
  const file = await open(path, IN_PLACE_SYNCED, 0o600)
  return {
    read: () => file.readFile(),
    write: async (bytes, position) =>
      (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
    close: () => file.close(),
  }
}
