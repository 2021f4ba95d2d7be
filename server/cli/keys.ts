/**
 * `actchain keys`: the keys a tenant signs with, the next one, and the end of one that was stolen. There is no asking back: whoever
 * types a key's id means it, and an id that was copied yesterday kills nothing today.
 */
import { readFileSync, statSync } from 'node:fs'
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
import { escaped, print, printJson } from './print.ts'

interface Options extends Connection {
  readonly json?: true
}

/** Characters of a file that could be a private key. */
const LARGEST_KEY = 16 * 1024

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('signing keys of a tenant: list, rotate or import one, kill one that was stolen')
  addTenant(keys.command('list'), 'list the keys of a tenant: what signs, what will, what did')
    .option('--json', 'print one key a line as JSON')
    .addHelpText('after', '\nExample:\n  actchain keys list acme')
    .action(list)
  addTenant(keys.command('rotate'), 'make the next signing key of a tenant and plan when it begins')
    .option('--json', 'print the new key as JSON')
    .addHelpText('after', ROTATE_HELP)
    .action((tenant: string, options: Options) => add(tenant, {}, options))
  addTenant(keys.command('import'), 'rotate to a private key that was made elsewhere')
    .argument('<file>', 'PEM (PKCS #8, SEC 1, PKCS #1) or a JSON Web Key')
    .option('--json', 'print the new key as JSON')
    .addHelpText('after', IMPORT_HELP)
    .action((tenant: string, file: string, options: Options) =>
      add(tenant, { private_key: readKeyFile(file) }, options),
    )
  addTenant(
    keys.command('kill'),
    'end a signing key of a tenant at once and for good, with all it signed',
  )
    .argument('<kid>', 'id of the key, as actchain keys list shows it')
    .requiredOption('--reason <words>', 'why; it goes on record')
    .option('--json', 'print {"kid", "killed"}')
    .addHelpText('after', KILL_HELP)
    .action(kill)
}

function addTenant(command: Command, description: string): Command {
  return addConnection(command.description(description).argument('<tenant>', 'id of the tenant'))
}

const ROTATE_HELP = `
The new key is published at once and signs two cache periods later (signing_keys: cache_period in
tenant.yaml; 10 minutes where it is not stated), so no verifier meets a token it has no key for. The
key before it stays published until the last token it signed has ended. Nothing fails on the way.

Example:
  actchain keys rotate acme`

const IMPORT_HELP = `
As actchain keys rotate, with your own key: of the algorithm the tenant signs with, RSA of 2048 bits
or more. It is sent to the server, which keeps it encrypted; remove the file afterwards.

Example:
  actchain keys import acme signing-key.pem`

const KILL_HELP = `
Every token it signed is refused from then on, by this server at once and by verifiers within
seconds. Of the key in use that is every token of the tenant: agents and people have to begin anew,
and the next key, or a new one, signs from the next request on. For emergencies: nothing brings the
key back.

Example:
  actchain keys kill acme 5hVvbXqy --reason "the backup was stolen"`

async function list(tenant: string, options: Options): Promise<void> {
  const client = await connect(options)
  for (const key of await keysOf(client, tenant)) {
    if (options.json) printJson(key)
    else print(escaped(lineOf(key)))
  }
}

async function keysOf(client: AdminClient, tenant: string): Promise<readonly JsonObject[]> {
  const listed = await listAll(client, [tenant, 'keys'])
  if (listed === undefined) throw unknownTenant(client, tenant)
  return listed
}

function lineOf(key: JsonObject): string {
  const [kid = '', alg = '', state = ''] = ['kid', 'alg', 'state'].map((name) => textOf(key, name))
  const from = textOf(key, 'signs_from') ?? ''
  const until = textOf(key, 'published_until')
  const when = state === 'next' ? `signs from ${from}` : `since ${from}`
  const end = until === undefined ? [] : [`published until ${until}`]
  return [kid, alg.padEnd(5), state.padEnd(7), when, ...end].join('  ')
}

async function add(tenant: string, body: object, options: Options): Promise<void> {
  const client = await connect(options)
  const { status, body: answer = {} } = await client.request({
    method: 'POST',
    path: [tenant, 'keys'],
    body,
    expected: [201, 404, 409],
  })
  if (status === 404) throw unknownTenant(client, tenant)
  if (status === 409) throw notYet(tenant, answer)
  if (options.json) {
    printJson(answer)
    return
  }
  const [kid, from] = [textOf(answer, 'kid'), textOf(answer, 'signs_from')]
  const active =
    (await keysOf(client, tenant)).find((key) => textOf(key, 'state') === 'active') ?? {}
  const [before, until] = [textOf(active, 'kid'), textOf(active, 'published_until')]
  print(escaped(`${tenant}: key ${kid} is published, and signs from ${from} on.`))
  print(escaped(`Key ${before} signs until then, and stays published until ${until}.`))
}

/** Either one waits or there is no room; the server says until when. */
function notYet(tenant: string, answer: JsonObject): Failure {
  const when = textOf(answer, 'retry_from')
  return new Failure(
    textOf(answer, 'reason') === 'key_waiting'
      ? `${tenant} has a key that waits to sign, from ${when} on: nothing was made; rotate again after that.`
      : `${tenant} has as many published keys as verifiers take, until ${when}: nothing was made.`,
  )
}

/** Never repeats what is in the file. */
function readKeyFile(file: string): string {
  try {
    if (statSync(file).size <= LARGEST_KEY) return readFileSync(file, 'utf8')
  } catch {
    throw new Failure(`${file} cannot be read.`, 2)
  }
  throw new Failure(`${file} is larger than any private key.`, 2)
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
    throw new Failure(`${kid} is no key of ${tenant} now: ${see}.`)
  }
  if (options.json) {
    printJson(body)
    return
  }
  const active =
    (await keysOf(client, tenant)).find((key) => textOf(key, 'state') === 'active') ?? {}
  print(escaped(`${tenant}: key ${kid} is killed; key ${textOf(active, 'kid')} signs.`))
}
