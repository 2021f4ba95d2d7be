/** Copies of the starter tenant, any file of them changed. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const STARTER = join(import.meta.dirname, '../../server/cli/starter')

/** A file's text, or a function of the one that is there; undefined: no such file. */
export type Changes = Readonly<Record<string, string | ((text: string) => string) | undefined>>

/** A new folder of tenants with one in it; both paths. */
export function starterTenant(
  id: string,
  changes: Changes = {},
): { readonly tenants: string; readonly folder: string } {
  const tenants = mkdtempSync(join(tmpdir(), 'actchain-cli-'))
  return { tenants, folder: addStarter(tenants, id, changes) }
}

export function addStarter(tenants: string, id: string, changes: Changes = {}): string {
  const folder = join(tenants, id)
  cpSync(STARTER, folder, { recursive: true })
  changeFiles(folder, changes)
  return folder
}

export function changeFiles(folder: string, changes: Changes): void {
  for (const [name, change] of Object.entries(changes)) {
    const file = join(folder, name)
    if (change === undefined) rmSync(file)
    else
      writeFileSync(file, typeof change === 'string' ? change : change(readFileSync(file, 'utf8')))
  }
}

/** Replaces one text that is there exactly as given. */
export function replacing(from: string, to: string): (text: string) => string {
  return (text) => {
    if (!text.includes(from)) throw new Error(`not in the starter: ${from}`)
    return text.replace(from, to)
  }
}
