/** Folders that are gone when the bench is, however it ended. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = new Set<string>()

process.once('exit', () => {
  for (const folder of folders) removeScratchFolder(folder)
})
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(code))
}

/** In the system's folder for temporary files, which TMPDIR names: the store's syncs go to that disk. */
export function makeScratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-bench-'))
  folders.add(folder)
  return folder
}

export function removeScratchFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  folders.delete(folder)
}
