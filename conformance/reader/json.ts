/**
 * JSON as RFC 8259 has it, read character by character into maps, so that no name means anything to the reader itself. What JSON
 * leaves open is refused: a repeated name, a byte order mark, bytes that are not UTF-8 (RFC 7515 §4, RFC 8725 §3.7), a
 * member called `__proto__`.
 */
import { isUtf8 } from 'node:buffer'

export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export interface JsonObject extends ReadonlyMap<string, Json> {}

/** Objects and arrays inside one another, the outermost included. */
const MOST_LEVELS = 24

const SPACE = ' \t\n\r'
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
/** By their first letters. */
const LITERALS: ReadonlyMap<string, { readonly word: string; readonly value: Json }> = new Map([
  ['t', { word: 'true', value: true }],
  ['f', { word: 'false', value: false }],
  ['n', { word: 'null', value: null }],
])
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

class NotJson extends Error {}

/** The one object that these bytes spell, or undefined. */
export function readObject(bytes: Buffer): JsonObject | undefined {
  return isUtf8(bytes) ? readObjectText(bytes.toString('utf8')) : undefined
}

export function readObjectText(text: string): JsonObject | undefined {
  try {
    const value = new Reading(text).whole()
    return isObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof NotJson) return undefined
    throw error
  }
}

export function isObject(value: unknown): value is JsonObject {
  return value instanceof Map
}

class Reading {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): Json {
    const value = this.#value(0)
    if (this.#at < this.#text.length) throw new NotJson()
    return value
  }

  /** A value with the white space around it. */
  #value(levels: number): Json {
    this.#skipSpace()
    const value = this.#bare(levels)
    this.#skipSpace()
    return value
  }

  #bare(levels: number): Json {
    const first = this.#text[this.#at]
    if (first === '"') return this.#string()
    if ((first === '{' || first === '[') && levels === MOST_LEVELS) throw new NotJson()
    if (first === '{') return this.#object(levels + 1)
    if (first === '[') return this.#array(levels + 1)
    const literal = LITERALS.get(first ?? '')
    if (literal !== undefined) {
      this.#expect(literal.word)
      return literal.value
    }
    NUMBER.lastIndex = this.#at
    const [digits] = NUMBER.exec(this.#text) ?? []
    if (digits === undefined) throw new NotJson()
    this.#at += digits.length
    return Number(digits)
  }

  #object(levels: number): JsonObject {
    const members = new Map<string, Json>()
    this.#expect('{')
    this.#skipSpace()
    if (this.#take('}')) return members
    do {
      this.#skipSpace()
      const name = this.#string()
      this.#skipSpace()
      this.#expect(':')
      const value = this.#value(levels)
      if (members.has(name) || name === '__proto__') throw new NotJson()
      members.set(name, value)
    } while (this.#take(','))
    this.#expect('}')
    return members
  }

  #array(levels: number): readonly Json[] {
    const entries: Json[] = []
    this.#expect('[')
    this.#skipSpace()
    if (this.#take(']')) return entries
    do entries.push(this.#value(levels))
    while (this.#take(','))
    this.#expect(']')
    return entries
  }

  #string(): string {
    this.#expect('"')
    let value = ''
    for (let from = this.#at; ; ) {
      const character = this.#text[this.#at] ?? ''
      // RFC 8259 §7: control characters come escaped. The end of the text is one that never comes.
      if (character < ' ') throw new NotJson()
      if (character !== '"' && character !== '\\') {
        this.#at++
        continue
      }
      value += this.#text.slice(from, this.#at++)
      if (character === '"') return value
      value += this.#escaped()
      from = this.#at
    }
  }

  /** What a backslash makes of the characters after it. */
  #escaped(): string {
    const letter = this.#text[this.#at++] ?? ''
    const [unit] =
      letter === 'u' ? (/^[0-9a-fA-F]{4}/.exec(this.#text.slice(this.#at, this.#at + 4)) ?? []) : []
    if (unit !== undefined) {
      this.#at += unit.length
      return String.fromCharCode(Number.parseInt(unit, 16))
    }
    const meant = ESCAPES.get(letter)
    if (meant === undefined) throw new NotJson()
    return meant
  }

  #skipSpace(): void {
    while (SPACE.includes(this.#text[this.#at] ?? 'none')) this.#at++
  }

  #take(word: string): boolean {
    const isThere = this.#text.startsWith(word, this.#at)
    if (isThere) this.#at += word.length
    return isThere
  }

  #expect(word: string): void {
    if (!this.#take(word)) throw new NotJson()
  }
}
