/**
 * `actchain agents`: who acts for a tenant now, and taking one out of it. Disabling is by hand: it holds from the next exchange
 * on, in the middle of chains too, and no apply and no rollback lifts it. What of it is used is agents-usage.ts.
 */
import type { Command } from 'commander'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { textOf } from './admin-answer.ts'
import { addConnection, type Connection, connect, unknownTenant } from './admin-client.ts'
import { listAll } from './admin-list.ts'
import { addSecret } from './agents-secret.ts'
import { addUsage } from './agents-usage.ts'
import { Failure } from './failure.ts'
import { escaped, print, printJson } from './print.ts'

interface Options extends Connection {
  readonly json?: true
}

export function addAgents(program: Command): void {
  const agents = program
    .command('agents')
    .description(
      'agents of a tenant as they are live; what they use; disable one, or lift that; make a secret',
    )
    .addHelpText(
      'after',
      '\nExample:\n  actchain agents acme     the same as actchain agents usage acme',
    )
  addUsage(agents)
  addConnection(
    agents
      .command('list')
      .description('list the agents of the live version')
      .argument('<tenant>', 'id of the tenant'),
  )
    .option('--json', 'print one agent a line as JSON')
    .addHelpText('after', '\nExample:\n  actchain agents list acme')
    .action(list)
  addChange(agents, {
    name: 'disable',
    description: 'refuse an agent everywhere, from the next exchange on',
    disabled: true,
  })
  addChange(agents, { name: 'enable', description: 'lift a disabling', disabled: false })
  addSecret(agents)
}

interface Change {
  readonly name: string
  readonly description: string
  readonly disabled: boolean
}

function addChange(agents: Command, { name, description, disabled }: Change): void {
  addConnection(
    agents
      .command(name)
      .description(description)
      .argument('<tenant>', 'id of the tenant')
      .argument('<agent>', 'id of the agent'),
  )
    .option('--json', 'print the agent as JSON')
    .addHelpText('after', `\nExample:\n  actchain agents ${name} acme researcher`)
    .action((tenant: string, agent: string, options: Options) =>
      setDisabled({ tenant, agent, disabled }, options),
    )
}

async function list(tenant: string, options: Options): Promise<void> {
  const client = await connect(options)
  const listed = await listAll(client, [tenant, 'agents'])
  if (listed === undefined) throw unknownTenant(client, tenant)
  for (const agent of listed) {
    if (options.json) printJson(agent)
    else print(agentText(agent))
  }
}

interface Wanted {
  readonly tenant: string
  readonly agent: string
  readonly disabled: boolean
}

async function setDisabled({ tenant, agent, disabled }: Wanted, options: Options): Promise<void> {
  const client = await connect(options)
  const { status, body = {} } = await client.request({
    method: 'PUT',
    path: [tenant, 'agents', agent],
    body: { disabled },
    expected: [200, 404],
  })
  if (status === 404) {
    throw new Failure(
      `${client.server} has no agent ${agent} in ${tenant}; see actchain agents list ${tenant}.`,
    )
  }
  if (options.json) printJson(body)
  else print(agentText(body))
}

function agentText(agent: JsonObject): string {
  const [id = '', kind = '', owner = ''] = [
    textOf(agent, 'id'),
    textOf(agent, 'class'),
    textOf(agent, 'owner'),
  ]
  return escaped(`${id.padEnd(24)} ${stateOf(agent).padEnd(20)} ${kind.padEnd(12)} ${owner}`)
}

function stateOf(agent: JsonObject): string {
  if (agent['disabled_by_hand'] === true) return 'disabled by hand'
  if (agent['disabled'] === true) return 'disabled by version'
  return 'active'
}
