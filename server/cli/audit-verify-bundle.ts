/** `actchain audit verify` of an evidence bundle: what one task left, proven without the server. */
import { readFileSync } from 'node:fs'
import { AuditProofError, type EvidenceReport, verifyEvidence } from '../../lib/src/audit/index.ts'
import { readStrictJsonText } from '../../lib/src/strict-json.ts'
import { AnsweredNo, Failure } from './failure.ts'
import { escaped, print, printJson } from './print.ts'

export interface BundleCommand {
  /** The log's, from elsewhere. */
  readonly vkey: string | undefined
  readonly json?: true | undefined
}

export async function verifyBundle(file: string, { vkey, json }: BundleCommand): Promise<void> {
  const bundle = readBundleFile(file)
  try {
    const report = await verifyEvidence(bundle, vkey === undefined ? {} : { key: vkey })
    if (json) printJson(proven(report))
    else printProven(file, report)
  } catch (fault) {
    if (!(fault instanceof AuditProofError)) throw fault
    const { reason, index, message } = fault
    if (json) printJson({ proven: false, reason, ...(index !== undefined && { index }) })
    else
      print(
        escaped(`${file}: not proven${index === undefined ? '' : `, entry ${index}`}: ${message}.`),
      )
    throw new AnsweredNo()
  }
}

function readBundleFile(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new Failure(`${file} cannot be read.`, 2)
  }
  const bundle = readStrictJsonText(text)
  if (bundle === undefined) throw new Failure(`${file} is no evidence bundle.`, 2)
  return bundle
}

function proven({ key, checkpoint, entries, ...rest }: EvidenceReport): object {
  const { tenant, issuer, txn, missingVersions } = rest
  return {
    proven: true,
    key: key === 'given' ? 'given' : 'of_the_bundle',
    tenant,
    issuer,
    txn,
    origin: checkpoint.origin,
    size: checkpoint.size,
    entries: entries.map(({ index }) => index),
    missing_versions: missingVersions,
  }
}

function printProven(file: string, { key, checkpoint, entries, ...rest }: EvidenceReport): void {
  const { txn, missingVersions } = rest
  const count = entries.length === 1 ? 'entry' : `all ${entries.length} entries`
  print(
    escaped(
      `${file}: proven, ${count} of task ${txn} in ${checkpoint.origin} of ${checkpoint.size}.`,
    ),
  )
  if (missingVersions.length > 0)
    print(escaped(`Configuration that is not in it: ${missingVersions.join(', ')}.`))
  if (key === 'of_the_bundle')
    print("Checked with the bundle's own key; give the one you know with --key.")
}
