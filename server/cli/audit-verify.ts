/**
 * `actchain audit verify`: whether a copy of the record is whole, and what was done to it where it is not; or whether a bundle of
 * evidence holds. Needs no server, and writes nothing.
 */
import { readFileSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { AuditProofError, parseVkey } from '../../lib/src/audit/index.ts'
import { newestNote } from '../audit/anchored-checkpoints.ts'
import type { HeldCheckpoint } from '../audit/copy-checkpoints.ts'
import type { OnProgress } from '../audit/leaf-pass.ts'
import { openCopy } from '../audit/log-copy.ts'
import { verifyLog } from '../audit/verify-log.ts'
import { isGood, printReport, printReportJson } from './audit-report.ts'
import { verifyBundle } from './audit-verify-bundle.ts'
import { AnsweredNo, Failure } from './failure.ts'
import { findLogFolders, type LogFolder } from './log-folders.ts'

interface VerifyCommand {
  readonly key: readonly string[]
  readonly checkpoint: readonly string[]
  readonly json?: true
}

const HELP = `
The folder is a copy of one log (audit/acme), of all logs (audit) or of the whole data folder. To copy while the
server runs, copy the checkpoint files first. A key or a checkpoint that was kept elsewhere is what makes this
proof against whoever could write in the folder: give them with --key and --checkpoint.

Examples:
  actchain audit verify /backup/actchain
  actchain audit verify audit/acme --key "$(cat acme.vkey)" --checkpoint acme.checkpoints
  actchain audit verify evidence.json --key "$(cat acme.vkey)"`

export function addAuditVerify(audit: Command): void {
  audit
    .command('verify')
    .description('find whatever was changed in a copy of the record, or check a bundle of evidence')
    .argument('<path>', 'a folder with logs, or an evidence bundle')
    .option('--key <vkey>', "a log's key, as it is known from elsewhere; may repeat", collect, [])
    .option(
      '--checkpoint <file>',
      'a checkpoint that was kept elsewhere, or an anchor file; may repeat',
      collect,
      [],
    )
    .option('--json', 'print one JSON value a line: a log each, or the bundle')
    .addHelpText('after', HELP)
    .action(verify)
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

async function verify(path: string, command: VerifyCommand): Promise<void> {
  for (const vkey of command.key) await expectKey(vkey)
  if (isFile(path)) {
    const [vkey, ...more] = command.key
    if (more.length + command.checkpoint.length > 0)
      throw new Failure('A bundle is of one log: give one --key at most, and no --checkpoint.', 2)
    await verifyBundle(path, { vkey, json: command.json })
    return
  }
  const logs = findLogFolders(path)
  const held = command.checkpoint.map(readHeld)
  expectUsed(logs, [
    ...command.key.map((vkey) => ({ what: '--key', origin: vkey })),
    ...held.map(({ name, note }) => ({ what: name, origin: note })),
  ])
  let areGood = true
  for (const log of logs) {
    const copy = openCopy(log.path)
    try {
      const report = await verifyLog(copy, {
        vkey: command.key.find((vkey) => isOf(log, vkey, logs)),
        held: held.filter(({ note }) => isOf(log, note, logs)),
        ...(process.stderr.isTTY && { onProgress: progressOf(log.log) }),
      })
      areGood = isGood(report) && areGood
      if (command.json) printReportJson(log.log, report)
      else printReport(log, report)
    } finally {
      copy.close()
    }
  }
  if (!areGood) throw new AnsweredNo()
}

function isFile(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new Failure(`${path} is not there.`, 2)
  return found.isFile()
}

async function expectKey(vkey: string): Promise<void> {
  try {
    const { type } = await parseVkey(vkey)
    if (type === 'ed25519') return
  } catch (fault) {
    if (!(fault instanceof AuditProofError)) throw fault
  }
  throw new Failure("--key is no log's key; the file named key in a log's folder holds one.", 2)
}

function readHeld(file: string): HeldCheckpoint {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new Failure(`${file} cannot be read.`, 2)
  }
  const note = newestNote(text)
  if (note === undefined) throw new Failure(`${file} holds no signed checkpoint.`, 2)
  return { name: file, note }
}

/** Keys and checkpoints begin with the origin of their log, which ends with the log's name; with one log they are that one's. */
function isOf({ log }: LogFolder, text: string, logs: readonly LogFolder[]): boolean {
  if (logs.length === 1) return true
  const [origin = ''] = text.split(/[+\n]/)
  const [, tenant] = /\/t\/([^/]+)\/audit$/.exec(origin) ?? []
  return log === (tenant ?? '_platform')
}

function expectUsed(
  logs: readonly LogFolder[],
  given: readonly { readonly what: string; readonly origin: string }[],
): void {
  const unused = given.find(({ origin }) => !logs.some((log) => isOf(log, origin, logs)))
  if (unused !== undefined) throw new Failure(`${unused.what} is of no log in this folder.`, 2)
}

/** On a terminal alone: a line that is written over. */
function progressOf(log: string): OnProgress {
  let told = -1
  return (octets, of) => {
    const percent = Math.floor((100 * octets) / of)
    if (percent === told) return
    told = percent
    process.stderr.write(percent < 100 ? `\r${log}: ${percent} %` : '\r\u001b[K')
  }
}
