/** `actchain init`: a tenant folder to start from, commented, valid, with test cases that pass. */
import { constants, copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { quote } from '../core/problem.ts'
import { Failure } from './failure.ts'
import { escaped, print, printJson } from './print.ts'

const STARTER = fileURLToPath(new URL('./starter', import.meta.url))

export function addInit(program: Command): void {
  program
    .command('init')
    .description('write a commented, valid tenant folder to start from')
    .argument('<folder>', 'where to write it; its name becomes the id of the tenant')
    .option('--json', 'print {"tenant", "folder", "files"}')
    .addHelpText('after', '\nExample:\n  actchain init tenants/globex')
    .action(init)
}

async function init(folder: string, options: { readonly json?: true }): Promise<void> {
  // Loaded when needed, as other commands do without the schema.
  const { isId } = await import('../tenants/fields.ts')
  const tenant = basename(resolve(folder))
  if (!isId(tenant)) {
    const rule = 'a lower-case letter, then up to 62 of a-z 0-9 -'
    throw new Failure(`${quote(tenant)} cannot be the id of a tenant; an id is ${rule}.`, 2)
  }
  if (namesIn(folder).length > 0) {
    throw new Failure(`${folder} is not empty; name a folder that is new or empty.`)
  }
  const files = namesIn(STARTER, true)
  copyStarter(files, folder)
  if (options.json) printJson({ tenant, folder, files })
  else print(nextText(folder, files))
}

/** Existing files are never replaced: whoever wrote one meanwhile keeps it. */
function copyStarter(files: readonly string[], folder: string): void {
  try {
    for (const file of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      copyFileSync(join(STARTER, file), join(folder, file), constants.COPYFILE_EXCL)
    }
  } catch {
    throw new Failure(`${folder} cannot be written; check the path and its permissions.`)
  }
}

/** Names in a folder, or of every file below it; none where there is no such folder. */
function namesIn(folder: string, recursive = false): readonly string[] {
  try {
    return readdirSync(folder, { recursive, withFileTypes: true })
      .filter((entry) => !recursive || entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
      .toSorted()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw new Failure(
      `${folder} is no folder that can be read; name a folder that is new or empty.`,
    )
  }
}

function nextText(folder: string, files: readonly string[]): string {
  const shown = escaped(folder)
  return [
    `Wrote ${shown}:`,
    ...files.map((file) => `  ${file}`),
    '',
    'Next: read the files, they say what each member is for; change one thing at a time, and after each',
    `  actchain check ${shown}`,
    `  actchain diff ${shown}      what would change at the server`,
    `  actchain apply ${shown}     makes it live`,
  ].join('\n')
}
