/**
 * `actchain keys`: the keys a tenant signs with, and the end of one that was stolen. There is no asking back: whoever types the
 * key's id means it, and an id that was copied yesterday kills nothing today.
 */
import type { Command } from 'commander'
import { textOf } from './admin-answer.ts'
import { addConnection, type Connection, connect, unknownTenant } from './admin-client.ts'
import { listAll } from './admin-list.ts'
import { Failure } from './failure.ts'
import { escaped, print, printJson } from './print.ts'

interface Options extends Connection {
  readonly json?: true
}

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('signing keys of a tenant; kill one that was stolen')
  addConnection(
    keys
      .command('list')
      .description('list the keys that the tokens of a tenant are signed with')
      .argument('<tenant>', 'id of the tenant'),
  )
    .option('--json', 'print one key a line as JSON')
    .addHelpText('after', '\nExample:\n  actchain keys list acme')
    .action(list)
  addConnection(
    keys
      .command('kill')
      .description('end the signing key of a tenant at once and for good, with all it signed')
      .argument('<tenant>', 'id of the tenant')
      .argument('<kid>', 'id of the key, as actchain keys list shows it')
      .requiredOption('--reason <words>', 'why; it goes on record'),
  )
    .option('--json', 'print {"kid", "killed"}')
    .addHelpText('after', KILL_HELP)
    .action(kill)
}

const KILL_HELP = `
Every token of the tenant is refused from then on, by this server at once and by verifiers within
seconds: agents and people have to begin anew. Another key signs from the next request on. For
emergencies: nothing brings the key back.

Example:
  actchain keys kill acme 5hVvbXqy --reason "the backup was stolen"`

async function list(tenant: string, options: Options): Promise<void> {
  const client = await connect(options)
  const listed = await listAll(client, [tenant, 'keys'])
  if (listed === undefined) throw unknownTenant(client, tenant)
  for (const key of listed) {
    if (options.json) printJson(key)
    else print(escaped(['kid', 'alg', 'state'].map((name) => textOf(key, name) ?? '').join('  ')))
  }
}

async function kill(
  tenant: string,
  kid: string,
  options: Options & { readonly reason: string },
): Promise<void> {
  const client = await connect(options)
  const { status, body = {} } = await client.request({
    method: 'POST',
    path: [tenant, 'keys', 'kill'],
    body: { kid, reason: options.reason },
    expected: [200, 404, 412],
  })
  if (status === 404) throw unknownTenant(client, tenant)
  if (status === 412) {
    const see = `nothing was killed; see actchain keys list ${tenant}`
    throw new Failure(`${kid} is not the key ${tenant} signs with now: ${see}.`)
  }
  if (options.json) printJson(body)
  else print(escaped(`${tenant}: key ${kid} is killed; another one signs from now on.`))
}
