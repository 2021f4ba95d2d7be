/**
 * Files and folders of tenants on disk. Follows symbolic links, because mounted configuration is made of them;
 * reads regular files of at most 1 MB in UTF-8.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { quote } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'
import type { TenantDocuments, TenantFileName } from './entries.ts'
import { isId } from './fields.ts'
import { type Report, refuseFile } from './report.ts'
import { parseYaml, type YamlDocument } from './yaml-document.ts'

const FILES: readonly TenantFileName[] = [
  'tenant.yaml',
  'agents.yaml',
  'resources.yaml',
  'task-types.yaml',
]
/** Not read yet. A rule that is there and not obeyed is worse than none, so they are refused. */
const LATER = ['policies', 'tests']
const LARGEST = 1024 * 1024

/** Ids of the tenants in a folder, sorted. Names that begin with a dot are not looked at. */
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

export function loadDocuments(report: Report, tenantFolder: string): TenantDocuments {
  checkNames(report, tenantFolder)
  const documents: Partial<Record<TenantFileName, YamlDocument>> = {}
  for (const name of FILES) {
    const file = join(tenantFolder, name)
    const text = loadText(report, file)
    if (text === undefined) continue
    const result = parseYaml(file, text)
    if (result.kind === 'parsed') documents[name] = result.document
    else report.problems.push(...result.problems)
  }
  return documents
}

function checkNames(report: Report, tenantFolder: string): void {
  for (const name of readNames(tenantFolder) ?? []) {
    const file = join(tenantFolder, name)
    if (LATER.includes(name) && readNames(file)?.length !== 0) {
      refuseFile(report, file, { text: 'not available yet' })
    }
    if (!/\.ya?ml$/i.test(name) || (FILES as readonly string[]).includes(name)) continue
    refuseFile(report, file, {
      text: `unknown file ${quote(name)}`,
      suggestion: findNearest(name, FILES),
    })
  }
}

function loadText(report: Report, file: string): string | undefined {
  const status = statOf(file)
  if (status === undefined) {
    refuseFile(report, file, { text: 'missing file' })
    return undefined
  }
  // A pipe or a device would block the start, or never end.
  if (!status.isFile()) {
    refuseFile(report, file, { text: 'not a regular file' })
    return undefined
  }
  if (status.size > LARGEST) {
    refuseFile(report, file, { text: 'larger than 1 MB' })
    return undefined
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    const text = error instanceof TypeError ? 'not UTF-8' : 'cannot be read'
    refuseFile(report, file, { text })
    return undefined
  }
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    // A loop of links, or a folder without permission.
    return undefined
  }
}

function readNames(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .toSorted()
  } catch {
    return undefined
  }
}
