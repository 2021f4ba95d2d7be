/** `actchain audit erase`: the end of words that a tenant kept. */

import type { Command } from 'commander'
import { addPerson, connectAudit, type PersonConnection, SAMPLE } from './audit-client.ts'
import { entriesText } from './audit-entry-text.ts'
import { Failure } from './failure.ts'
import { print, printJson } from './print.ts'

interface Options extends PersonConnection {
  readonly txn?: string
  readonly subject?: string
  readonly json?: true
}

const HELP = `
Examples:
  actchain audit erase --txn bBSnr0VTFnPzkCVVwdzCFw
  actchain audit erase --subject alice`

export function addAuditErase(audit: Command): void {
  addPerson(
    audit
      .command('erase')
      .description('erase the words that were kept of a task or a subject, for good, as an admin'),
  )
    .option('--txn <id>', 'all of this task')
    .option('--subject <subject>', 'all of what was done on behalf of this subject')
    .option('--json', 'print {"entries"}')
    .addHelpText('after', HELP)
    .action(erase)
}

async function erase(options: Options): Promise<void> {
  const { txn, subject } = options
  if ((txn === undefined) === (subject === undefined)) {
    throw new Failure('Name one of --txn and --subject. See --help.', 2)
  }
  const client = await connectAudit(options, SAMPLE.admin)
  const { body = {} } = await client.request({
    method: 'POST',
    path: ['erasures'],
    body: txn === undefined ? { subject } : { txn },
    expected: [200],
  })
  const count = Number(body['entries'])
  if (options.json) printJson(body)
  else print(`Erased the words of ${entriesText(count)}; the log stays.`)
}
