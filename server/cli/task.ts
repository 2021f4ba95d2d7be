/**
 * `actchain task`: what runs for a tenant, who acts in it for whom, and the end of it: of one task, of a place in one, or of
 * every task that an agent, a subject or a task type has.
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type JsonAnswer, textOf } from './admin-answer.ts'
import {
  addConnection,
  type Connection,
  connect,
  connectTasks,
  unknownTenant,
} from './admin-client.ts'
import { listSome } from './admin-list.ts'
import { Failure } from './failure.ts'
import { escaped, print, printJson } from './print.ts'
import { taskLine, taskText } from './task-text.ts'

interface Options extends Connection {
  readonly json?: true
}

const TENANT = ['<tenant>', 'id of the tenant'] as const
const TXN = ['<txn>', 'id of the task, as actchain task list shows it'] as const
const REASON = '--reason <words>'
const WHY = 'why; it goes on record'

export function addTask(program: Command): void {
  const task = program.command('task').description('tasks of a tenant: list, show and end them')
  addList(task)
  addConnection(
    task
      .command('show')
      .description('show a task: who acts in it for whom, with what, and for how long')
      .argument(...TENANT)
      .argument(...TXN),
  )
    .option('--json', 'print the task as JSON')
    .addHelpText('after', '\nExample:\n  actchain task show acme bBSnr0VTFnPzkCVVwdzCFw')
    .action(show)
  addConnection(
    task
      .command('close')
      .description('close a task: its work is done, and nothing is issued in it any more')
      .argument(...TENANT)
      .argument(...TXN),
  )
    .option(REASON, WHY)
    .option('--json', 'print {"txn", "state", ...}')
    .addHelpText('after', '\nExample:\n  actchain task close acme bBSnr0VTFnPzkCVVwdzCFw')
    .action(close)
  addRevoke(task)
  addConnection(
    task
      .command('resume')
      .description('let a suspended task go on')
      .argument(...TENANT)
      .argument(...TXN)
      .requiredOption(REASON, WHY),
  )
    .option('--json', 'print {"txn", "state", ...}')
    .addHelpText(
      'after',
      '\nExample:\n  actchain task resume acme bBSnr0VTFnPzkCVVwdzCFw --reason "it was a test"',
    )
    .action(resume)
}

const STATES = ['open', 'suspended', 'closed', 'revoked', 'expired']
const MOST_LISTED = 10_000

function addList(task: Command): void {
  addConnection(
    task
      .command('list')
      .description('list the tasks of a tenant, newest first')
      .argument(...TENANT),
  )
    .addOption(new Option('--state <state>', 'only tasks in this state').choices(STATES))
    .option('--agent <agent>', 'only tasks this agent opened or acts in')
    .option('--subject <subject>', 'only tasks on behalf of this subject')
    .option('--limit <number>', `at most so many, up to ${MOST_LISTED}`, readLimit, 50)
    .option('--json', 'print one task a line as JSON')
    .addHelpText('after', '\nExample:\n  actchain task list acme --state open --agent researcher')
    .action(list)
}

function readLimit(text: string): number {
  const limit = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : Number.NaN
  if (limit <= MOST_LISTED) return limit
  throw new InvalidArgumentError(`It must be a number from 1 to ${MOST_LISTED}`)
}

interface ListOptions extends Options {
  readonly state?: string
  readonly agent?: string
  readonly subject?: string
  readonly limit: number
}

async function list(tenant: string, options: ListOptions): Promise<void> {
  const { state, agent, subject, limit: most } = options
  const client = await connectTasks(options, tenant)
  const filters = {
    ...(state !== undefined && { state }),
    ...(agent !== undefined && { agent }),
    ...(subject !== undefined && { subject }),
  }
  const listed = await listSome(client, [], { filters, most })
  if (listed === undefined) throw unknownTenant(client, tenant)
  for (const task of listed.items) {
    if (options.json) printJson(task)
    else print(taskLine(task))
  }
  if (options.json) return
  if (listed.items.length === 0) print('No such task.')
  if (listed.isCut) print(`There are more than ${most}; ask for them with --limit.`)
}

async function show(tenant: string, txn: string, options: Options): Promise<void> {
  const client = await connectTasks(options, tenant)
  const { status, body = {} } = await client.request({
    method: 'GET',
    path: [txn],
    expected: [200, 404],
  })
  if (status === 404) throw unknownTask(tenant, txn)
  if (options.json) printJson(body)
  else print(taskText(body, Math.floor(Date.now() / 1000)))
}

interface Ending extends Options {
  readonly reason?: string
}

const close = (tenant: string, txn: string, options: Ending): Promise<void> =>
  change({ tenant, txn, verb: 'close' }, options)

const resume = (tenant: string, txn: string, options: Ending): Promise<void> =>
  change({ tenant, txn, verb: 'resume' }, options)

interface Change {
  readonly tenant: string
  readonly txn: string
  readonly verb: 'close' | 'revoke' | 'resume'
  readonly place?: string | undefined
}

async function change({ tenant, txn, verb, place }: Change, options: Ending): Promise<void> {
  const client = await connectTasks(options, tenant)
  const { reason } = options
  const answer = await client.request({
    method: 'POST',
    path: [txn, verb],
    body: { ...(reason !== undefined && { reason }), ...(place !== undefined && { place }) },
    expected: [200, 404, 409],
  })
  if (answer.status === 404) throw unknownTask(tenant, txn, place)
  if (answer.status === 409) throw notChanged(tenant, txn, verb)
  if (options.json) printJson(answer.body ?? {})
  else print(changedText(txn, answer, place))
}

function changedText(txn: string, { body }: JsonAnswer, place: string | undefined): string {
  return place === undefined
    ? escaped(`${txn} is ${textOf(body, 'state')}.`)
    : escaped(
        `${txn}: ${place} is revoked, with everything beneath; the task is ${textOf(body, 'state')}.`,
      )
}

function notChanged(tenant: string, txn: string, verb: Change['verb']): Failure {
  const why = verb === 'resume' ? 'is not suspended' : 'is over already'
  return new Failure(`${txn} ${why}; see actchain task show ${tenant} ${txn}.`)
}

function unknownTask(tenant: string, txn: string, place?: string): Failure {
  return place === undefined
    ? new Failure(`${tenant} has no task ${txn}; see actchain task list ${tenant}.`)
    : new Failure(
        `${tenant} has no task ${txn} with a place ${place}; see actchain task show ${tenant} ${txn}.`,
      )
}

interface RevokeOptions extends Options {
  readonly reason: string
  readonly place?: string
  readonly agent?: string
  readonly subject?: string
  readonly taskType?: string
}

const REVOKE_HELP = `
Examples:
  actchain task revoke acme bBSnr0VTFnPzkCVVwdzCFw --reason "it looks wrong"
  actchain task revoke acme bBSnr0VTFnPzkCVVwdzCFw --place planner/researcher --reason "misled"
  actchain task revoke acme --agent researcher --reason "its key leaked"
  actchain task revoke acme --subject alice --reason "her laptop was stolen"
  actchain task revoke acme --task-type file-work --reason "the type is too wide"`

function addRevoke(task: Command): void {
  addConnection(
    task
      .command('revoke')
      .description('revoke a task, a place in it, or all that an agent, a subject or a type has')
      .argument(...TENANT)
      .argument('[txn]', TXN[1])
      .option('--place <agents>', 'only this place and all beneath: agent ids joined by /')
      .option('--agent <agent>', 'wherever this agent acts, and the tasks it opened')
      .option('--subject <subject>', 'every task on behalf of this subject')
      .option('--task-type <type>', 'every task of this type')
      .requiredOption(REASON, WHY),
  )
    .option('--json', 'print what the server answers')
    .addHelpText('after', REVOKE_HELP)
    .action(revoke)
}

async function revoke(
  tenant: string,
  txn: string | undefined,
  options: RevokeOptions,
): Promise<void> {
  const { place, agent, subject, taskType: task_type, reason } = options
  const many = Object.entries({ agent, subject, task_type }).filter(([, id]) => id !== undefined)
  if (many.length + (txn === undefined ? 0 : 1) !== 1 || (place !== undefined && !txn)) {
    const rule = 'a task, with --place or without, or one of --agent, --subject and --task-type'
    throw new Failure(`Name one thing to revoke: ${rule}. See --help.`, 2)
  }
  if (txn !== undefined) {
    await change({ tenant, txn, verb: 'revoke', place }, options)
    return
  }
  await revokeMany(tenant, { ...Object.fromEntries(many), reason }, options)
}

function counted(count: unknown, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${Number(count)} ${noun}s`
}

async function revokeMany(
  tenant: string,
  body: Readonly<Record<string, string | undefined>>,
  options: Options,
): Promise<void> {
  const client = await connect(options)
  const { status, body: done = {} } = await client.request({
    method: 'POST',
    path: [tenant, 'revocations'],
    body,
    expected: [200, 404],
  })
  if (status === 404) throw unknownTenant(client, tenant)
  if (options.json) {
    printJson(done)
    return
  }
  const [tasks, places] = [counted(done['tasks'], 'task'), counted(done['places'], 'place')]
  print(`Revoked: ${tasks} and ${places}.`)
  const { agent } = body
  if (agent === undefined) return
  print(escaped(`It may begin anew; actchain agents disable ${tenant} ${agent} prevents that.`))
}
