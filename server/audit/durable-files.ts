/** What makes a file last: its name on disk as well as its bytes. */
import { open } from 'node:fs/promises'

/** The names in a folder, on disk. */
export async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r')
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}
