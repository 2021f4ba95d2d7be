/** The names files of a tenant's folder have, and no others: a path of an upload is never anything but such a name. */
import { quote } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'
import type { Finding } from './report.ts'

export const TENANT_FILES = [
  'tenant.yaml',
  'agents.yaml',
  'resources.yaml',
  'task-types.yaml',
] as const
export type TenantFileName = (typeof TENANT_FILES)[number]

/** Folders of a tenant, and how names in them end. */
export const TENANT_FOLDERS: ReadonlyMap<string, string> = new Map([
  ['policies', '.cedar'],
  ['tests', '.yaml'],
])
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/

/** What is wrong with a path in the folder; undefined if nothing is. */
export function findPathFault(path: string): Finding | undefined {
  if ((TENANT_FILES as readonly string[]).includes(path)) return undefined
  const [folder = '', name, ...deeper] = path.split('/')
  const ending = TENANT_FOLDERS.get(folder)
  if (name === undefined || ending === undefined || deeper.length > 0) {
    return { text: `unknown file ${quote(path)}`, suggestion: findNearest(path, TENANT_FILES) }
  }
  if (!name.endsWith(ending))
    return { text: `unknown file ${quote(path)}: it must end in "${ending}"` }
  if (NAME.test(name.slice(0, -ending.length))) return undefined
  return {
    text: `not a file name here: a letter or digit, then up to 62 of a-z 0-9 _ -, then "${ending}"`,
  }
}
