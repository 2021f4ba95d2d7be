/**
 * `actchain agents acme`: when each agent was last used, what of a tenant's facts nobody uses, what will end, and the smaller
 * fact that would do. It changes nothing.
 */
import { type Command, InvalidArgumentError } from 'commander'
import { isJsonObject, type JsonObject } from '../../lib/src/strict-json.ts'
import type { FindingKind } from '../core/sprawl.ts'
import { textOf, textsOf } from './admin-answer.ts'
import { addConnection, type Connection, connect, unknownTenant } from './admin-client.ts'
import { listSome } from './admin-list.ts'
import { escaped, print, printJson } from './print.ts'

interface Options extends Connection {
  readonly days: number
  readonly json?: true
}

const DEFAULT_DAYS = 90
const DAY_MILLISECONDS = 86_400_000

/** As the command that is meant where only a tenant is named. */
export function addUsage(agents: Command): void {
  addConnection(
    agents
      .command('usage', { isDefault: true })
      .description('last use of each agent, what is granted and not used, and what would do')
      .argument('<tenant>', 'id of the tenant'),
  )
    .option('--days <n>', 'what was not used for so many days', readDays, DEFAULT_DAYS)
    .option('--json', 'print one agent, task type, rule, role or authority a line')
    .addHelpText('after', '\nExample:\n  actchain agents acme --days 30')
    .action(usage)
}

function readDays(text: string): number {
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number of days from 1 to 9999')
}

async function usage(tenant: string, { days, json, ...connection }: Options): Promise<void> {
  const client = await connect(connection)
  const filters = { days: String(days) }
  const listed = await listSome(client, [tenant, 'usage'], {
    filters,
    most: Number.POSITIVE_INFINITY,
  })
  if (listed === undefined) throw unknownTenant(client, tenant)
  for (const item of listed.items) {
    if (json) printJson(item)
    else for (const line of usageLines(item)) print(line)
  }
  const young = latestStart(listed.items)
  if (json || young === undefined || Date.parse(young) <= Date.now() - days * DAY_MILLISECONDS)
    return
  print(escaped(`Observed since ${young}: nothing is called unused before ${days} days.`))
}

/** An item and what there is to say of it. */
export function usageLines(item: JsonObject): readonly string[] {
  const kind = textOf(item, 'kind') ?? ''
  const file = textOf(item, 'file') ?? ''
  const findings = item['findings']
  const lines = [
    headline(item, kind, file),
    ...(Array.isArray(findings) ? findings.filter(isJsonObject) : []).map(findingText),
    ...textsOf(item, 'suggestion').map((member) => `would do: ${member}`),
  ]
  return lines.map((line, at) => escaped(at === 0 ? line : `    ${line}`))
}

function headline(item: JsonObject, kind: string, file: string): string {
  const id = (textOf(item, 'id') ?? '').padEnd(24)
  if (kind !== 'agent') return `${id} ${kind.replace('_', ' ')} in ${file}`
  const last = textOf(item, 'last_used') ?? 'never'
  return `${id} ${last.padEnd(24)} ${textOf(item, 'owner') ?? ''}`
}

const SENTENCES: Readonly<Record<FindingKind, string>> = {
  unused: 'not used',
  scope_unused: 'scopes not used:',
  place_unused: 'places not used:',
  opener_unused: 'openers that open none:',
  key_unused: 'keys not used:',
  no_expiry: 'no expiry',
  expired: 'expired',
  expires_soon: 'expires',
  owner_gone: 'its owner is disabled',
  certificate_expired: 'a certificate expired',
  certificate_expires_soon: 'a certificate expires',
}

function findingText(finding: JsonObject): string {
  const kind = textOf(finding, 'finding') ?? ''
  const words = isKnown(kind) ? SENTENCES[kind] : kind
  const at = textOf(finding, 'at')
  const names = textsOf(finding, 'names').join(', ')
  return [words, names, at].filter((part) => part !== undefined && part !== '').join(' ')
}

function isKnown(kind: string): kind is FindingKind {
  return Object.hasOwn(SENTENCES, kind)
}

/** Since when the item is observed that was seen last; RFC 3339 in UTC, so texts compare as times. */
function latestStart(items: readonly JsonObject[]): string | undefined {
  return items
    .flatMap((item) => textOf(item, 'observed_since') ?? [])
    .toSorted()
    .at(-1)
}
