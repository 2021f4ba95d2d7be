/** What `actchain audit verify` says of a log: as sentences, or as JSON. */

import type { LogReport } from '../audit/verify-log.ts'
import type { DamageKind } from '../core/log-damage.ts'
import { entriesText } from './audit-entry-text.ts'
import type { LogFolder } from './log-folders.ts'
import { escaped, print, printJson } from './print.ts'

/** Damages told one by one; the rest are counted. `--json` has all of them. */
const MOST_TOLD = 50

export const isGood = ({ damages }: LogReport): boolean => damages.length === 0

export function printReport({ log, path }: LogFolder, report: LogReport): void {
  const { damages, signed, unended } = report
  const say = (text: string): void => print(escaped(`${log}: ${text}`))
  say(summaryOf(report))
  for (const { text } of damages.slice(0, MOST_TOLD)) say(`${text}.`)
  if (damages.length > MOST_TOLD) say(`${damages.length - MOST_TOLD} more; see --json.`)
  if (report.tornCount > 0) say(tornText(report))
  if (unended > 0)
    say(`the last line has no end yet, ${unended} octets: a write under way, or a crash.`)
  if (!report.isKeyGiven && signed > 0) say(KEY_OF_COPY)
  for (const cure of new Set(damages.map(({ kind }) => CURES[kind](path)))) say(cure)
}

function summaryOf(report: LogReport): string {
  const { entries, signed } = report
  const count = entriesText(entries)
  if (signed === 0 && isGood(report))
    return `${count}, none of them signed yet: nothing shows whether they are whole.`
  const after = entries > signed ? `, ${entries - signed} after them not signed yet` : ''
  return `${isGood(report) ? 'whole' : 'damaged'}, ${count}, ${signed} signed${after}.`
}

const KEY_OF_COPY =
  'checked with the key in the copy itself, which whoever changed the copy may have changed too; give the one you know with --key.'

function tornText({ torn, tornCount }: LogReport): string {
  const listed = torn.join(', ')
  const more = tornCount > torn.length ? ` and ${tornCount - torn.length} more` : ''
  const lines = tornCount === 1 ? 'a line is no entry' : `${tornCount} lines are no entries`
  return `${lines}, cut short by a crash or a full disk (no damage): ${listed}${more}.`
}

const ENTRIES_CURE = (): string =>
  'keep this folder as it is, as evidence, and put entries.jsonl back from a copy that is whole; until then the server signs nothing of this log.'
const DERIVED_CURE = (path: string): string =>
  `remove leaves and subtrees-* from ${path} and start the server: they are made again from the entries.`
const SIGNED_CURE = (): string =>
  'put the file back from a copy that is whole, or verify with the key and a checkpoint that you have from elsewhere.'

const CURES: Readonly<Record<DamageKind, (path: string) => string>> = {
  changed: ENTRIES_CURE,
  removed: ENTRIES_CURE,
  inserted: ENTRIES_CURE,
  repeated: ENTRIES_CURE,
  swapped: ENTRIES_CURE,
  moved: ENTRIES_CURE,
  cut: ENTRIES_CURE,
  leaves: DERIVED_CURE,
  subtrees: DERIVED_CURE,
  checkpoint: SIGNED_CURE,
  witnessed: SIGNED_CURE,
  key: SIGNED_CURE,
  held_checkpoint: () =>
    'the checkpoint from elsewhere is no proof: get it again from where it is kept.',
}

export function printReportJson(log: string, report: LogReport): void {
  printJson({
    log,
    whole: isGood(report),
    entries: report.entries,
    signed: Math.min(report.signed, report.entries),
    not_signed: Math.max(0, report.entries - report.signed),
    torn: report.torn,
    torn_count: report.tornCount,
    unended_octets: report.unended,
    key: report.isKeyGiven ? 'given' : 'of_the_copy',
    damages: report.damages,
  })
}
