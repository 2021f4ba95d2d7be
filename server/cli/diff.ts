/** `actchain diff`: what a tenant's folder would change of what is live, in facts and in decisions. */
import type { Command } from 'commander'
import { addConnection, type Connection, connect } from './admin-client.ts'
import type { ValidTenant } from './checked-folder.ts'
import { diffJson, diffText } from './diff-text.ts'
import { Failure } from './failure.ts'
import { findLive, shortVersion } from './live-version.ts'
import { print, printJson } from './print.ts'
import { commandConfigOrFail } from './settings-or-fail.ts'
import type { TenantFolder } from './tenant-folders.ts'

export function addDiff(program: Command): void {
  addConnection(
    program
      .command('diff')
      .description('say which facts and which decisions a folder would change of what is live')
      .argument('<folder>', 'folder of the tenant; its name is the id')
      .option('--against <folder>', 'compare with another folder, without a server'),
  )
    .option('--json', 'print the difference as JSON, every changed decision in it')
    .addHelpText(
      'after',
      '\nExamples:\n  actchain diff tenants/acme\n' +
        '  actchain diff tenants/acme --against ../main/tenants/acme',
    )
    .action(diff)
}

interface Options extends Connection {
  readonly against?: string
  readonly json?: true
}

async function diff(folder: string, options: Options): Promise<void> {
  const { publicUrl } = commandConfigOrFail({ publicUrl: options.server })
  const { tenantFolderOrFail } = await import('./tenant-folders.ts')
  const { checkFolder, validOrFail } = await import('./checked-folder.ts')
  const place = tenantFolderOrFail(folder)
  const after = validOrFail(checkFolder(place, publicUrl))
  const before =
    options.against === undefined
      ? await readLive(place, { publicUrl, options })
      : validOrFail(
          checkFolder({ ...tenantFolderOrFail(options.against), id: place.id }, publicUrl),
        )
  const { compareTenants } = await import('./compared-tenants.ts')
  const difference = compareTenants({ id: place.id, before, after }, createProgress())
  if (options.json) printJson(diffJson(difference))
  else print(diffText(difference))
}

/** What is live at the server, by this program's own reading of its files; undefined: the tenant is new. */
async function readLive(
  place: TenantFolder,
  { publicUrl, options }: { readonly publicUrl: string; readonly options: Options },
): Promise<ValidTenant | undefined> {
  const { checkSources } = await import('./checked-folder.ts')
  const { emptyReport } = await import('../tenants/report.ts')
  const live = await findLive(await connect(options), place.id)
  if (live === undefined) return undefined
  const folder = { id: place.id, path: `version ${shortVersion(live.version)}` }
  const report = emptyReport()
  const { valid } = checkSources(folder, { sources: live.files, report, publicUrl })
  if (valid !== undefined) return valid
  throw new Failure(
    `The live version of ${place.id} cannot be read by this program; use the one the server is.`,
  )
}

const PROGRESS_EVERY = 1000

/** On a terminal only, and on stderr: what is printed stays the same. */
function createProgress(): (compared: number, of: number) => void {
  if (!process.stderr.isTTY) return () => {}
  return (compared, of) => {
    if (compared % PROGRESS_EVERY === 0) process.stderr.write(`\rcompared ${compared} of ${of}`)
    if (compared === of && of >= PROGRESS_EVERY) process.stderr.write('\r\u001b[K')
  }
}
