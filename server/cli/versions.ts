/** `actchain versions` and `actchain rollback`: what was ever stored of a tenant, and the way back to it. */
import type { Command } from 'commander'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { textOf } from './admin-answer.ts'
import {
  type AdminClient,
  addConnection,
  type Connection,
  connect,
  unknownTenant,
} from './admin-client.ts'
import { listAll } from './admin-list.ts'
import { Failure } from './failure.ts'
import { activate, findLive, shortVersion } from './live-version.ts'
import { escaped, print, printJson } from './print.ts'

interface Options extends Connection {
  readonly json?: true
}

export function addVersions(program: Command): void {
  addConnection(
    program
      .command('versions')
      .description('list the stored versions of a tenant, newest first')
      .argument('<tenant>', 'id of the tenant'),
  )
    .option('--json', 'print one version a line as JSON')
    .addHelpText('after', '\nExample:\n  actchain versions acme')
    .action(versions)
}

export function addRollback(program: Command): void {
  addConnection(
    program
      .command('rollback')
      .description('make a stored version live again')
      .argument('<tenant>', 'id of the tenant')
      .argument('<version>', 'its id, or the first 6 characters or more of it'),
  )
    .option('--json', 'print {"tenant", "version", "previous", "changes"}')
    .addHelpText('after', '\nExample:\n  actchain rollback acme 1a2b3c4d')
    .action(rollback)
}

async function versions(tenant: string, options: Options): Promise<void> {
  const listed = await listVersions(await connect(options), tenant)
  if (options.json) {
    for (const version of listed) printJson(version)
    return
  }
  if (listed.length === 0) {
    print(`${escaped(tenant)} is live from the server's folder; no version is stored yet.`)
  }
  for (const version of listed) print(versionText(version))
}

async function listVersions(client: AdminClient, tenant: string): Promise<readonly JsonObject[]> {
  const listed = await listAll(client, [tenant, 'versions'])
  if (listed === undefined) throw unknownTenant(client, tenant)
  return listed
}

function versionText(version: JsonObject): string {
  const { live } = version
  const [id = '', author = '', created = '', note = ''] = [
    textOf(version, 'version'),
    textOf(version, 'author'),
    textOf(version, 'created_at'),
    textOf(version, 'note'),
  ]
  const mark = live === true ? '* live' : '      '
  return escaped(`${mark}  ${shortVersion(id)}  ${created}  ${author}  ${note}`.trimEnd())
}

const LEAST_PREFIX = 6

async function rollback(tenant: string, prefix: string, options: Options): Promise<void> {
  if (!/^[0-9a-f]{6,64}$/.test(prefix)) {
    const rule = `at least its first ${LEAST_PREFIX} characters, as actchain versions shows them`
    throw new Failure(`Name a version by ${rule}.`, 2)
  }
  const client = await connect(options)
  const live = await findLive(client, tenant)
  if (live === undefined) throw unknownTenant(client, tenant)
  const version = await findVersion(client, tenant, prefix)
  const { changes } = await activate(client, tenant, { version, seen: live.version })
  if (options.json) {
    printJson({ tenant, version, previous: live.version, changes })
    return
  }
  print(escaped(`${tenant}: version ${shortVersion(version)} is live.`))
  for (const change of changes) print(`  ${escaped(change)}`)
}

async function findVersion(client: AdminClient, tenant: string, prefix: string): Promise<string> {
  const known = (await listVersions(client, tenant)).flatMap(
    (version) => textOf(version, 'version') ?? [],
  )
  const [only, ...others] = known.filter((version) => version.startsWith(prefix))
  if (only !== undefined && others.length === 0) return only
  const see = `see actchain versions ${tenant}`
  throw new Failure(
    only === undefined
      ? `${tenant} has no version ${prefix}; ${see}.`
      : `Several versions begin with ${prefix}; give more of it, ${see}.`,
  )
}
