/** All that fits of a log, in a form that other systems read: line by line, so that no log is too long for it. */
import { toOcsf } from '../core/audit-ocsf.ts'
import { toOtlp } from '../core/audit-otlp.ts'
import { jsonLine } from '../core/json-line.ts'
import { isManagementRefusal, type ManagementRefusal } from '../core/management-refusal.ts'
import type { AuditPage, AuditQuery, AuditRecords, RecordedEntry } from './ports.ts'
import { type AuditRequest, findLog, type ReadAuditDeps, recordReading } from './read-audit.ts'

/** JSON Lines: entries as they stand, with their index. The others as the specifications of those names have it. */
export const EXPORT_FORMATS = ['jsonl', 'ocsf', 'otlp'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export interface ExportRequest extends AuditRequest {
  readonly query: AuditQuery
  readonly format: ExportFormat
}

const A_PAGE = 500

/** Whole lines, some hundred at a time, oldest first, of every entry there was when it was asked. */
export async function exportAudit(
  deps: ReadAuditDeps,
  { query, format, ...request }: ExportRequest,
): Promise<AsyncIterable<string> | ManagementRefusal> {
  const tenant = findLog(deps, request)
  if (isManagementRefusal(tenant)) return tenant
  const { records } = deps
  const newest = await records.search(tenant.id, {}, { limit: 1, before: undefined })
  const last = newest.entries.at(0)?.index ?? -1
  await recordReading(deps, request.record)
  return linesOf(records, { tenant: tenant.id, query, last, toLine: LINES[format] })
}

type ToLine = (recorded: RecordedEntry) => string

/** A line that a crash cut short has an index and nothing else; other systems are not told of it. */
const LINES: Readonly<Record<ExportFormat, ToLine>> = {
  jsonl: ({ index, entry }) => lineOf({ index, ...entry }),
  ocsf: ({ index, entry }) => (entry === undefined ? '' : lineOf(toOcsf({ index, entry }))),
  otlp: ({ index, entry }) => (entry === undefined ? '' : lineOf(toOtlp({ index, entry }))),
}

const lineOf = (value: object): string => `${jsonLine(value)}\n`

interface Walk {
  readonly tenant: string
  readonly query: AuditQuery
  /** Index of the last entry there is to be. */
  readonly last: number
  readonly toLine: ToLine
}

async function* linesOf(records: AuditRecords, walk: Walk): AsyncGenerator<string> {
  const { tenant, query, last, toLine } = walk
  let after: number | undefined = 0
  while (after !== undefined && after <= last) {
    const page: AuditPage = await records.walk(tenant, query, { limit: A_PAGE, after })
    const lines = page.entries.filter(({ index }) => index <= last).map(toLine)
    yield lines.join('')
    after = page.next
  }
}
