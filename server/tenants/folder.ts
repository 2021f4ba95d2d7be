/**
 * Folders of tenants on disk. Follows symbolic links, because mounted configuration is made of them. Names that begin with a
 * dot are not looked at.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { quote } from '../core/problem.ts'
import { isId } from './fields.ts'
import { type Report, refuseFile } from './report.ts'

/** Ids of the tenants in a folder, sorted. */
export function loadTenantIds(report: Report, folder: string): readonly string[] {
  const names = readNames(folder)
  if (names === undefined) {
    refuseFile(report, folder, { text: 'no such folder, or it cannot be read' })
    return []
  }
  const ids: string[] = []
  for (const name of names) {
    if (statOf(join(folder, name))?.isDirectory() !== true) continue
    if (isId(name)) ids.push(name)
    else
      refuseFile(report, join(folder, name), { text: `${quote(name)} is not the id of a tenant` })
  }
  if (ids.length === 0 && report.problems.length === 0) {
    refuseFile(report, folder, { text: 'no tenant here; each is a folder' })
  }
  return ids
}

export function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    // A loop of links, or a folder without permission.
    return undefined
  }
}

export function readNames(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .toSorted()
  } catch {
    return undefined
  }
}
