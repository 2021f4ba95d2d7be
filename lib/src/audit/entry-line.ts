/**
 * The entry of a line of the log. A line is a leaf whatever is in it: where a crash tore an entry, another process may have
 * written a whole one behind the torn part, on the same line.
 */
import { type JsonObject, readStrictJsonText } from '../strict-json.ts'
import { areEqual, utf8 } from './bytes.ts'

/** Every entry begins so, and within one of its strings these quotes would be escaped. */
const ENTRY_START = '{"time":'

// Not strict: the torn part may end within a character.
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

export function findEntry(line: Uint8Array): JsonObject | undefined {
  const text = UTF8.decode(line)
  const last = text.lastIndexOf(ENTRY_START)
  return readEntry(line, text) ?? (last > 0 ? readEntry(line, text.slice(last)) : undefined)
}

/** The text is at the end of the line; where decoding changed it, it is none. */
function readEntry(line: Uint8Array, text: string): JsonObject | undefined {
  const octets = utf8(text)
  const isExact = text.startsWith(ENTRY_START) && areEqual(line.slice(-octets.length), octets)
  return isExact ? readStrictJsonText(text) : undefined
}
