/** Logs in a copy of the data: one log's folder, the folder of all of them, or the whole data folder. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { auditFolder, checkpointPath, entriesPath, leavesPath } from '../audit/log-paths.ts'
import { Failure } from './failure.ts'

export interface LogFolder {
  /** What the folder is called: a tenant's id, or `_platform`. */
  readonly log: string
  readonly path: string
}

/** Throws Failure where there is none. */
export function findLogFolders(path: string): readonly LogFolder[] {
  if (isLog(path)) return [{ log: basename(resolve(path)), path }]
  const found = [auditFolder(path), path].map(logsIn).find((logs) => logs.length > 0)
  if (found !== undefined) return found
  throw new Failure(
    `${path} has no log in it; give a log's folder, the audit folder or the data folder.`,
    2,
  )
}

const isLog = (folder: string): boolean =>
  [entriesPath, leavesPath, checkpointPath].some((path) => existsSync(path(folder)))

function logsIn(folder: string): readonly LogFolder[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return []
  return readdirSync(folder)
    .sort()
    .map((log) => ({ log, path: join(folder, log) }))
    .filter(({ path }) => isLog(path))
}
