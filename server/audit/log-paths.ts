/**
 * Where things are: `{data}/audit/{log}/`, a folder for each tenant's log and one for the platform's. A log is the tenant's id or
 * `_platform`, so no text of a caller ever names a folder.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** `_platform`, and ids of tenants (server/core/tenant.ts). */
const LOG_NAME = /^(?:_platform|[a-z][a-z0-9-]{0,62})$/

/** No log: a folder whose name no tenant can have. */
const INDEX = '.index'
const JOURNALS = '.journal'

export const auditFolder = (dataFolder: string): string => join(dataFolder, 'audit')

/** Throws on what is no name of a log. */
export function logFolder(dataFolder: string, log: string): string {
  if (!LOG_NAME.test(log)) throw new TypeError('not the name of a log')
  return join(auditFolder(dataFolder), log)
}

/** The entries, a JSON line each: the truth, everything beside it can be made again from it. */
export const entriesPath = (folder: string): string => join(folder, 'entries.jsonl')

/** 40 octets for each entry: where its line ends, and its leaf hash. */
export const leavesPath = (folder: string): string => join(folder, 'leaves')

/** 32 octets for each full subtree of 256^level leaves. */
export const subtreesPath = (folder: string, level: number): string =>
  join(folder, `subtrees-${level}`)

/** The newest signed checkpoint, and the newest that others signed too. */
export const checkpointPath = (folder: string): string => join(folder, 'checkpoint')
export const witnessedPath = (folder: string): string => join(folder, 'checkpoint.witnessed')

/** The key that signs the checkpoints, as text (C2SP signed-note): so that a copy of the folder can be read by itself. */
export const keyPath = (folder: string): string => join(folder, 'key')

/** Leaves and subtrees of entries that do not fit what was signed: so that those of the folder stay as evidence. */
export const damagedFolder = (folder: string): string => join(folder, 'damaged')

/** Texts that a tenant keeps: sealed, and blanked where they were erased. */
export const textsPath = (folder: string): string => join(folder, 'texts.jsonl')

export const indexFolder = (dataFolder: string): string => join(auditFolder(dataFolder), INDEX)
export const journalFolder = (dataFolder: string): string => join(auditFolder(dataFolder), JOURNALS)

/** Names of the logs there are, the platform's first. */
export function logsUnder(dataFolder: string): readonly string[] {
  try {
    return readdirSync(auditFolder(dataFolder))
      .filter((name) => LOG_NAME.test(name))
      .sort()
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return []
    throw fault
  }
}
