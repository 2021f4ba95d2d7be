/** What is taken away from a log: an export, evidence of a task, a checkpoint. */

import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Command, Option } from 'commander'
import { jsonLine } from '../core/json-line.ts'
import { addPerson, connectAudit, type PersonConnection } from './audit-client.ts'
import { entriesText } from './audit-entry-text.ts'
import { addFilters, type Filters, filtersOf, TXN, unknownTask } from './audit-task.ts'
import { Failure } from './failure.ts'
import { escaped, print, printJson } from './print.ts'

interface Options extends PersonConnection {
  readonly output?: string
  readonly json?: true
}

const OUTPUT = ['-o, --output <file>', 'write it to this new file'] as const

const EXPORT_HELP = `
Examples:
  actchain audit export > acme.jsonl
  actchain audit export --format ocsf --from 2026-11-01T00:00:00Z -o november.jsonl`

export function addAuditExport(audit: Command): void {
  addFilters(
    addPerson(audit.command('export').description('print entries, oldest first, a line each')),
  )
    .addOption(
      new Option('--format <format>', 'entries as they are, or events of OCSF or OpenTelemetry')
        .choices(['jsonl', 'ocsf', 'otlp'])
        .default('jsonl'),
    )
    .option(...OUTPUT)
    .option('--json', 'as it is: every format is lines of JSON')
    .addHelpText('after', EXPORT_HELP)
    .action(exportLog)
}

async function exportLog(options: Options & Filters & { readonly format: string }): Promise<void> {
  const client = await connectAudit(options)
  const query = { format: options.format, ...filtersOf(options) }
  await take(await client.read(['export'], query), options.output)
}

const EVIDENCE_HELP = `
Examples:
  actchain audit evidence bBSnr0VTFnPzkCVVwdzCFw -o evidence.json
  actchain audit verify evidence.json`

export function addAuditEvidence(audit: Command): void {
  addPerson(
    audit
      .command('evidence')
      .description('write what proves the entries of a task to whoever has no access here')
      .argument(...TXN),
  )
    .option(...OUTPUT)
    .option('--json', 'print {"file", "entries", "missing_versions"} of what was written')
    .addHelpText('after', EVIDENCE_HELP)
    .action(evidence)
}

async function evidence(txn: string, options: Options): Promise<void> {
  const client = await connectAudit(options)
  const { status, body } = await client.request({
    method: 'GET',
    path: ['tasks', txn, 'evidence'],
    expected: [200, 404],
  })
  if (status === 404 || body === undefined) throw unknownTask(client, txn)
  const { output: file } = options
  await take(new Response(`${jsonLine(body)}\n`), file)
  if (file === undefined) return
  const { entries, missing_versions: missing } = body
  const count = Array.isArray(entries) ? entries.length : 0
  if (options.json) printJson({ file, entries: count, missing_versions: missing })
  else print(escaped(`${file} has ${entriesText(count)}; actchain audit verify ${file} checks it.`))
}

export function addAuditCheckpoint(audit: Command): void {
  addPerson(
    audit
      .command('checkpoint')
      .description('print a signed checkpoint of the whole log: keep it elsewhere'),
  )
    .option(...OUTPUT)
    .option('--json', 'print {"checkpoint"}')
    .addHelpText('after', '\nExample:\n  actchain audit checkpoint -o acme.checkpoint')
    .action(checkpoint)
}

async function checkpoint(options: Options): Promise<void> {
  const client = await connectAudit(options)
  const response = await client.read(['checkpoint'])
  if (options.json) printJson({ checkpoint: await response.text() })
  else await take(response, options.output)
}

export function addAuditKey(audit: Command): void {
  addPerson(
    audit
      .command('key')
      .description(
        'print the key that checkpoints of the log are verified with: keep it elsewhere',
      ),
  )
    .option(...OUTPUT)
    .option('--json', 'print {"key"}')
    .addHelpText('after', '\nExample:\n  actchain audit key -o acme.vkey')
    .action(key)
}

async function key(options: Options): Promise<void> {
  const client = await connectAudit(options)
  // Whatever proof there is comes with the key; a log that is read has an entry.
  const { body } = await client.request({
    method: 'GET',
    path: ['consistency'],
    query: { from: '1' },
    expected: [200],
  })
  const { key: vkey } = body ?? {}
  if (typeof vkey !== 'string') throw new Failure('The server named no key; it is none of ours.')
  if (options.json) printJson({ key: vkey })
  else await take(new Response(`${escaped(vkey)}\n`), options.output)
}

/** All of an answer, to a file that was not there or to stdout. */
async function take({ body }: Response, file: string | undefined): Promise<void> {
  if (body === null) return
  const to: Writable =
    file === undefined ? process.stdout : createWriteStream(file, { flags: 'wx', mode: 0o600 })
  try {
    await pipeline(textOf(body), to, { end: file !== undefined })
  } catch (fault) {
    const isThere = fault instanceof Error && 'code' in fault && fault.code === 'EEXIST'
    throw new Failure(
      isThere ? `${file} is there already.` : 'The answer was cut off: what came is not all of it.',
    )
  }
}

async function* textOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of body) yield decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}
