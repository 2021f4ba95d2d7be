/**
 * A tenant's folder as texts by path, from disk or from an upload: everything after works on these. From disk symbolic links
 * are followed; only regular files in UTF-8 are read.
 */
import { readFileSync } from 'node:fs'
import { quote } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'
import { readNames, statOf } from './folder.ts'
import { type Report, refuseFile } from './report.ts'
import { findPathFault, TENANT_FOLDERS } from './source-paths.ts'
import { withoutSlash } from './uri.ts'

/** Path in the folder, with `/`, to text. */
export type Sources = ReadonlyMap<string, string>

const MEGABYTE = 1024 * 1024
/** Bytes: 10,000 agents with their keys are 5 MB. */
const LARGEST_FILE = 8 * MEGABYTE
const LARGEST_FOLDER = 16 * MEGABYTE
const MOST_FILES = 200

/**
 * What a tenant's folder says. With a problem in the report it is not all of it: good for finding further problems, and for
 * nothing else. Undefined where there is no such folder.
 */
export function readSources(report: Report, folder: string): Sources | undefined {
  const tenantFolder = withoutSlash(folder)
  const names = readNames(tenantFolder)
  if (names === undefined) {
    refuseFile(report, tenantFolder, { text: 'no such folder, or it cannot be read' })
    return undefined
  }
  const sources = new Map<string, string>()
  for (const name of names) {
    const place = `${tenantFolder}/${name}`
    if (TENANT_FOLDERS.has(name)) readFolder(report, tenantFolder, name, sources)
    else if (isOurs(name, place)) readFile(report, tenantFolder, name, sources)
  }
  return sources
}

/**
 * A rule that is there and not obeyed is worse than none, so a file or folder that may have been meant is not passed over.
 * Others may lie beside them: a README, a licence.
 */
function isOurs(name: string, place: string): boolean {
  return /\.(?:ya?ml|cedar)$/i.test(name) || statOf(place)?.isDirectory() === true
}

function readFolder(
  report: Report,
  tenantFolder: string,
  folder: string,
  sources: Map<string, string>,
): void {
  const names = readNames(`${tenantFolder}/${folder}`)
  if (names === undefined) {
    refuseFile(report, `${tenantFolder}/${folder}`, { text: 'not a folder that can be read' })
    return
  }
  for (const name of names) readFile(report, tenantFolder, `${folder}/${name}`, sources)
}

function readFile(
  report: Report,
  tenantFolder: string,
  path: string,
  sources: Map<string, string>,
): void {
  const file = `${tenantFolder}/${path}`
  const fault = findPathFault(path)
  const text = fault === undefined ? loadText(report, file) : undefined
  if (fault !== undefined) refuseFile(report, file, nearFolder(path, file) ?? fault)
  if (text !== undefined) sources.set(path, text)
}

function nearFolder(name: string, place: string) {
  if (name.includes('/') || statOf(place)?.isDirectory() !== true) return undefined
  return {
    text: `unknown folder ${quote(name)}`,
    suggestion: findNearest(name, TENANT_FOLDERS.keys()),
  }
}

function loadText(report: Report, file: string): string | undefined {
  const status = statOf(file)
  // A pipe or a device would block the start, or never end.
  if (status?.isFile() !== true) {
    refuseFile(report, file, { text: 'not a regular file' })
    return undefined
  }
  if (status.size > LARGEST_FILE) {
    refuseFile(report, file, { text: 'larger than 8 MB' })
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

/** Names and sizes, before anything is parsed. @param label what problems call the folder */
export function checkSources(report: Report, label: string, sources: Sources): void {
  if (sources.size > MOST_FILES) {
    return refuseFile(report, label, { text: `more than ${MOST_FILES} files` })
  }
  let total = 0
  for (const [path, text] of sources) {
    const fault = findPathFault(path) ?? findTextFault(text)
    // A path that is none is not repeated as one.
    if (fault !== undefined) refuseFile(report, isPath(path) ? `${label}/${path}` : label, fault)
    total += Buffer.byteLength(text)
  }
  if (total > LARGEST_FOLDER) refuseFile(report, label, { text: 'larger than 16 MB' })
}

function isPath(path: string): boolean {
  return /^[\w-]+(?:\.[\w-]+)*(?:\/[\w-]+(?:\.[\w-]+)*)?$/.test(path)
}

function findTextFault(text: string): { readonly text: string } | undefined {
  if (text.length > LARGEST_FILE || Buffer.byteLength(text) > LARGEST_FILE) {
    return { text: 'larger than 8 MB' }
  }
  // A lone surrogate has no UTF-8 form, so what is stored would differ from what was checked.
  return text.isWellFormed() ? undefined : { text: 'not UTF-8' }
}

/** The files of one of a tenant's folders, by path in order. */
export function sourcesIn(
  sources: Sources,
  folder: string,
): readonly (readonly [string, string])[] {
  return [...sources]
    .filter(([path]) => path.startsWith(`${folder}/`) && findPathFault(path) === undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}
