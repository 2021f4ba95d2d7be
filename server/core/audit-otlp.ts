/**
 * Entries as OpenTelemetry log records: each a request of the logs service in its JSON form, as collectors read it line by line
 * (OTLP 1.x JSON encoding). Every member of the entry is an attribute, under its own name.
 */
import type { ExportedEntry, IndexedExport } from './exported-entry.ts'
import { parseTraceparent } from './trace-context.ts'

const PREFIX = 'actchain.'
/** Severity numbers of the log data model: INFO and WARN. */
const INFO = { severityNumber: 9, severityText: 'INFO' } as const
const WARN = { severityNumber: 13, severityText: 'WARN' } as const
/** Members that have a place of their own in a log record. */
const PLACED = new Set(['time', 'code', 'traceparent'])

export type OtlpValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly OtlpValue[] } }
  | { readonly kvlistValue: { readonly values: readonly OtlpAttribute[] } }

export interface OtlpAttribute {
  readonly key: string
  readonly value: OtlpValue
}

export function toOtlp({ index, entry }: IndexedExport): object {
  return {
    resourceLogs: [
      {
        resource: { attributes: [attribute('service.name', 'actchain')] },
        scopeLogs: [{ scope: { name: 'actchain.audit' }, logRecords: [logRecord(index, entry)] }],
      },
    ],
  }
}

function logRecord(index: number, entry: ExportedEntry): object {
  const { time, code, outcome, traceparent } = entry
  const trace = parseTraceparent(traceparent)
  const members = Object.entries(entry).filter(([name]) => !PLACED.has(name))
  return {
    timeUnixNano: nanoseconds(time),
    observedTimeUnixNano: nanoseconds(time),
    ...(outcome === 'permit' ? INFO : WARN),
    eventName: `${PREFIX}${code}`,
    body: { stringValue: code },
    attributes: [
      attribute(`${PREFIX}index`, index),
      ...members.map(([name, value]) => attribute(PREFIX + name, value)),
    ],
    ...(trace && { traceId: trace.traceId, spanId: trace.spanId, flags: trace.isSampled ? 1 : 0 }),
  }
}

/** 64-bit numbers are texts in the JSON form; milliseconds are all the precision a time has. */
function nanoseconds(seconds: number): string {
  return `${Math.round(seconds * 1000)}000000`
}

function attribute(key: string, value: unknown): OtlpAttribute {
  return { key, value: valueOf(value) }
}

function valueOf(value: unknown): OtlpValue {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  }
  if (typeof value === 'boolean') return { boolValue: value }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(valueOf) } }
  if (typeof value === 'object' && value !== null) {
    const values = Object.entries(value).map(([key, member]) => attribute(key, member))
    return { kvlistValue: { values } }
  }
  return { stringValue: String(value) }
}
