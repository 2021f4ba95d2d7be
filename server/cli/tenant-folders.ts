/** Which tenant folders a command line means. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { quote } from '../core/problem.ts'
import { isId } from '../tenants/fields.ts'
import { Failure } from './failure.ts'

export interface TenantFolder {
  readonly id: string
  /** As its reader was given it; problems name files under it. */
  readonly path: string
}

/** Any of them makes a folder one tenant, so that a missing one is told and not taken for another folder. */
const FILES = ['tenant.yaml', 'agents.yaml', 'resources.yaml', 'task-types.yaml']

/** Every tenant that is meant: a folder of one, or all in a folder. Throws a `Failure` where there is none. */
export function findTenantFolders(given: string): readonly TenantFolder[] {
  const path = shortPath(given)
  if (isTenant(path)) return [tenantFolder(path)]
  const names = readdirOrFail(path)
  if (names.length === 0) {
    throw new Failure(`${path} has no tenant; write one with actchain init ${join(path, 'NAME')}.`)
  }
  return names.map((name) => tenantFolder(join(path, name)))
}

/** The one tenant in this folder. */
export function tenantFolderOrFail(given: string): TenantFolder {
  const path = shortPath(given)
  if (isTenant(path)) return tenantFolder(path)
  throw new Failure(
    `${path} is no tenant folder: it has no tenant.yaml; name one such as tenants/acme.`,
  )
}

function tenantFolder(path: string): TenantFolder {
  const id = basename(resolve(path))
  if (isId(id)) return { id, path }
  throw new Failure(`${path}: ${quote(id)} is not the id of a tenant; rename the folder.`)
}

function isTenant(path: string): boolean {
  return FILES.some((name) => existsSync(join(path, name)))
}

function readdirOrFail(path: string): readonly string[] {
  try {
    return readdirSync(path)
      .filter((name) => !name.startsWith('.'))
      .filter((name) => statSync(join(path, name)).isDirectory())
      .toSorted()
  } catch {
    throw new Failure(
      `${path} is no folder that can be read; name a folder of tenants, or one tenant.`,
    )
  }
}

/** As given, without a slash at the end; below the working directory as one would write it there. */
function shortPath(given: string): string {
  const path = given.replace(/(?<=.)\/+$/, '')
  return path.startsWith(`${process.cwd()}${sep}`) ? relative('', path) : path
}
