/**
 * Reads a JSON object out of bytes an attacker wrote (RFC 8259, RFC 7515 §4, RFC 8725 §3.7).
 * One text has one meaning: no duplicate member, no byte order mark, no invalid UTF-8, no own `__proto__`.
 * Depth is bounded before anything is built, so no input can exhaust the stack.
 */

export type JsonValue = string | number | boolean | null | JsonObject | readonly JsonValue[]
export interface JsonObject {
  readonly [member: string]: JsonValue
}

/** Levels of nesting: 8 actors and their bounds need 11. */
export const DEFAULT_MAX_DEPTH = 24

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse then refuses it.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Returns the object, or undefined for anything that is not exactly one JSON object. Never throws. */
export function readStrictJson(
  bytes: Uint8Array,
  maxDepth: number = DEFAULT_MAX_DEPTH,
): JsonObject | undefined {
  try {
    return readStrictJsonText(UTF8.decode(bytes), maxDepth)
  } catch {
    return undefined
  }
}

/** The same for text that was decoded elsewhere. Never throws. */
export function readStrictJsonText(
  text: string,
  maxDepth: number = DEFAULT_MAX_DEPTH,
): JsonObject | undefined {
  const written = countMembers(text, maxDepth)
  if (written === undefined) return undefined
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
  if (!isJsonObject(value)) return undefined
  // JSON.parse keeps the last of two equal names: fewer members kept than written means a duplicate.
  return countKept(value) === written ? value : undefined
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/**
 * Members written in the text, counted without building anything; undefined when it nests too deep or a string
 * does not end. Exact for valid JSON, harmless for the rest, which JSON.parse refuses afterwards.
 */
function countMembers(text: string, maxDepth: number): number | undefined {
  let members = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(text, at)
      if (at < 0) return undefined
    } else if (code === COLON) {
      members++
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) return undefined
    } else if (code === 0x7d || code === 0x5d) {
      depth--
    }
  }
  return members
}

/** Index of the quote that ends the string which starts at `start`, or -1. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end > 0) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return -1
}

/** Own members of the object and everything in it; NaN, equal to no count, when one is named `__proto__`. */
function countKept(root: JsonObject): number {
  const open: (JsonValue | undefined)[] = [root]
  let kept = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (isJsonObject(next)) {
      for (const name of Object.keys(next)) {
        // An own `__proto__` would become a prototype in the first careless copy of the object.
        if (name === '__proto__') return Number.NaN
        kept++
        open.push(next[name])
      }
    } else if (Array.isArray(next)) {
      for (const value of next as readonly JsonValue[]) open.push(value)
    }
  }
  return kept
}
