/** `actchain audit task` and `actchain audit search`: the log as reviewers read it. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import { listSome } from './admin-list.ts'
import { type AuditClient, addPerson, connectAudit, type PersonConnection } from './audit-client.ts'
import { entryText } from './audit-entry-text.ts'
import { storyText } from './audit-story-text.ts'
import { Failure } from './failure.ts'
import { print, printJson } from './print.ts'

interface Options extends PersonConnection {
  readonly json?: true
}

export const TXN = ['<txn>', 'id of the task, as a search shows it'] as const

const TASK_HELP = `
Examples:
  actchain audit task bBSnr0VTFnPzkCVVwdzCFw
  actchain audit task bBSnr0VTFnPzkCVVwdzCFw --tenant acme --id-token token.txt --json`

export function addAuditTask(audit: Command): void {
  addPerson(
    audit
      .command('task')
      .description('tell the story of a task: who acted in it, what they were given, what ended it')
      .argument(...TXN),
  )
    .option('--json', 'print the story as JSON')
    .addHelpText('after', TASK_HELP)
    .action(task)
}

async function task(txn: string, options: Options): Promise<void> {
  const client = await connectAudit(options)
  const { status, body = {} } = await client.request({
    method: 'GET',
    path: ['tasks', txn],
    expected: [200, 404],
  })
  if (status === 404) throw unknownTask(client, txn)
  if (options.json) printJson(body)
  else print(storyText(body))
}

export function unknownTask({ tenant }: Pick<AuditClient, 'tenant'>, txn: string): Failure {
  return new Failure(`The log of ${tenant} has no task ${txn}; see actchain audit search.`)
}

export interface Filters {
  readonly txn?: string
  readonly agent?: string
  readonly subject?: string
  readonly resource?: string
  readonly outcome?: string
  readonly reason?: string
  readonly code?: string
  readonly from?: string
  readonly to?: string
}

const FILTERS = [
  'txn',
  'agent',
  'subject',
  'resource',
  'outcome',
  'reason',
  'code',
  'from',
  'to',
] as const

/** What entries can be found by; all that is given has to fit. */
export function addFilters(command: Command): Command {
  return command
    .option('--txn <id>', 'of this task')
    .option('--agent <agent>', 'that asked, was changed, or acts in the chain')
    .option('--subject <subject>', 'on behalf of this subject')
    .option('--resource <uri>', 'at this resource')
    .addOption(new Option('--outcome <outcome>', 'decided so').choices(['permit', 'refuse', 'ask']))
    .option('--reason <reason>', 'refused for this reason')
    .option('--code <code>', 'of this event code')
    .option('--from <time>', 'not before this RFC 3339 time')
    .option('--to <time>', 'before this RFC 3339 time')
}

export function filtersOf(options: Filters): Readonly<Record<string, string>> {
  return Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = options[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

const MOST_LISTED = 10_000

const SEARCH_HELP = `
Examples:
  actchain audit search --agent researcher --outcome refuse
  actchain audit search --subject alice --from 2026-11-01T00:00:00Z --json`

export function addAuditSearch(audit: Command): void {
  addFilters(
    addPerson(audit.command('search').description('find entries of the log, newest first')),
  )
    .option('--limit <number>', `at most so many, up to ${MOST_LISTED}`, readLimit, 20)
    .option('--json', 'print one entry a line as JSON')
    .addHelpText('after', SEARCH_HELP)
    .action(search)
}

function readLimit(given: string): number {
  const limit = /^[1-9][0-9]{0,4}$/.test(given) ? Number(given) : Number.NaN
  if (limit <= MOST_LISTED) return limit
  throw new InvalidArgumentError(`It must be a number from 1 to ${MOST_LISTED}`)
}

async function search(options: Options & Filters & { readonly limit: number }): Promise<void> {
  const { limit: most, json } = options
  const client = await connectAudit(options)
  const listed = await listSome(client, ['entries'], { filters: filtersOf(options), most })
  const items = (listed?.items ?? []).filter(isJsonObject)
  for (const item of items) printEntry(item, json)
  if (json) return
  if (items.length === 0) print('No such entry.')
  if (listed?.isCut) print(`There may be more than ${most}; ask for them with --limit.`)
}

function printEntry(entry: JsonObject, json: true | undefined): void {
  if (json) printJson(entry)
  else for (const line of entryText(entry)) print(line)
}
