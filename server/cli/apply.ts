/** `actchain apply`: a tenant's folder becomes a version and goes live, if nobody was faster. */
import type { Command } from 'commander'
import { textOf } from './admin-answer.ts'
import { type AdminClient, addConnection, type Connection, connect } from './admin-client.ts'
import type { ValidTenant } from './checked-folder.ts'
import { Failure } from './failure.ts'
import { activate, findLive, shortVersion } from './live-version.ts'
import { escaped, print, printJson } from './print.ts'
import { commandConfigOrFail } from './settings-or-fail.ts'

export function addApply(program: Command): void {
  addConnection(
    program
      .command('apply')
      .description("make a tenant's folder a version and make it live")
      .argument('<folder>', 'folder of the tenant; its name is the id')
      .option('--note <text>', 'why, for whoever reads the versions'),
  )
    .option('--json', 'print {"tenant", "version", "previous", "changes"}')
    .addHelpText(
      'after',
      '\nExample:\n  actchain apply tenants/acme --note "the researcher may read the ledger"',
    )
    .action(apply)
}

interface Options extends Connection {
  readonly note?: string
  readonly json?: true
}

async function apply(folder: string, options: Options): Promise<void> {
  const { id, valid } = await checkFirst(folder, options)
  const client = await connect(options)
  const live = await findLive(client, id)
  if (live?.version === valid.checked.version) {
    report(options, { tenant: id, version: live.version, previous: live.version, changes: [] })
    return
  }
  const version = await addVersion(client, id, { valid, note: options.note })
  const { changes } = await activate(client, id, { version, seen: live?.version })
  report(options, { tenant: id, version, previous: live?.version, changes })
}

/** Nothing is sent that is known to be refused, or that its own test cases speak against. */
async function checkFirst(
  folder: string,
  { server, json }: Options,
): Promise<{ readonly id: string; readonly valid: ValidTenant }> {
  const { publicUrl } = commandConfigOrFail({ publicUrl: server })
  const { tenantFolderOrFail } = await import('./tenant-folders.ts')
  const { checkFolder } = await import('./checked-folder.ts')
  const { isGood, printFaults, printWarnings } = await import('./check-report.ts')
  const checked = checkFolder(tenantFolderOrFail(folder), publicUrl)
  if (checked.valid !== undefined && isGood(checked)) {
    if (!json) printWarnings(checked)
    return { id: checked.folder.id, valid: checked.valid }
  }
  printFaults(checked)
  throw new Failure('Nothing was sent: the folder has problems, or test cases of it fail.')
}

async function addVersion(
  client: AdminClient,
  tenant: string,
  { valid, note }: { readonly valid: ValidTenant; readonly note: string | undefined },
): Promise<string> {
  const answer = await client.request({
    method: 'POST',
    path: [tenant, 'versions'],
    body: { files: Object.fromEntries(valid.sources), ...(note !== undefined && { note }) },
    expected: [200, 201],
  })
  const version = textOf(answer.body, 'version')
  if (version === undefined) throw new Failure('The answer of the server names no version.')
  return version
}

interface Applied {
  readonly tenant: string
  readonly version: string
  /** Undefined: the tenant is new. */
  readonly previous: string | undefined
  readonly changes: readonly string[]
}

function report({ json }: Options, applied: Applied): void {
  const { tenant, version, previous, changes } = applied
  if (json) {
    printJson(applied)
    return
  }
  const short = shortVersion(version)
  if (version === previous) print(escaped(`${tenant}: version ${short} is live already.`))
  else
    print(
      escaped(
        `${tenant}: version ${short} is live${previous === undefined ? ', a new tenant' : ''}.`,
      ),
    )
  for (const change of changes) print(`  ${escaped(change)}`)
}
