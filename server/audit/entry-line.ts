/** An entry as a line: one JSON object, whatever a caller put into its texts (attack case N01). */
import type { StoredEntry } from '../use-cases/ports.ts'

/** UTF-16 units kept of a string, and members kept of a list: callers choose some of these texts. */
const MAX_TEXT = 1024
const MAX_MEMBERS = 64
const LINE_ENDS = /[\u2028\u2029]/g

/** Every line begins so, and within a JSON string these quotes would be escaped. */
export const LINE_START = '{"time":'

function bounded(value: unknown): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map(bounded)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, bounded(each)]))
}

/** One line without its end. `time` is always first: a reader finds an entry behind a torn line by it. */
export function formatLine(entry: StoredEntry): string {
  let line = `${LINE_START}${entry.time}`
  for (const [name, value] of Object.entries(entry)) {
    if (name !== 'time' && value !== undefined) line += `,"${name}":${jsonOf(value)}`
  }
  return `${line}}`.replace(LINE_ENDS, (end) => (end === '\u2028' ? '\\u2028' : '\\u2029'))
}

/** A value as JSON, with no text and no list in it longer than may be. */
function jsonOf(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value)
  }
  return typeof value === 'number' ? String(value) : JSON.stringify(bounded(value))
}

function parseWhole(text: string): StoredEntry | undefined {
  if (!text.startsWith(LINE_START)) return undefined
  try {
    return JSON.parse(text) as StoredEntry
  } catch {
    return undefined
  }
}

/**
 * The entry of a line; undefined where a crash cut it short. Another process may have appended a whole entry behind a torn one
 * before anyone ended it: that is the line's entry then.
 */
export function parseLine(text: string): StoredEntry | undefined {
  const whole = parseWhole(text)
  if (whole !== undefined) return whole
  const last = text.lastIndexOf(LINE_START)
  return last > 0 ? parseWhole(text.slice(last)) : undefined
}
