/**
 * The plain part of YAML, in one pass and twenty times as fast as all of it: block mappings and lists, flow collections,
 * scalars of one line. Whatever else a text has, a fault of any kind among it, makes the answer `undefined`, and the full
 * parser decides: this one never says what is wrong, and where it answers it answers the same (held by a test).
 * Spec: https://yaml.org/spec/1.2.2/
 */
import type { MemberPlace, Place } from './place.ts'

export interface Parsed {
  readonly value: unknown
  readonly place: Place
}

/** Thrown to leave the recursion, and caught in `parsePlainYaml`. */
const NOT_PLAIN = new Error('not plain')

/** Tabs, carriage returns, control characters, line and byte order marks, and all beyond the basic plane. */
const UNUSUAL = /[^\n\x20-\x7e\u00a1-\u1fff\u2030-\ud7ff\uf900-\ufdff]/
const BLOCK_SCALAR =
  /(?:[^ \n\-?:,[\]{}#&*!|>'"%@`]|-(?=[^ \n]))(?:[^\n:#]|:(?=[^ \n])|(?<=[^ ])#)*/y
const FLOW_SCALAR =
  /(?:[^ \n\-?:,[\]{}#&*!|>'"%@`]|-(?=[^ \n,[\]{}]))(?:[^\n:#,[\]{}]|:(?=[^ \n,[\]{}])|(?<=[^ ])#)*/y
const QUOTED = /"([^"\\\n]*)"|'([^'\n]*)'(?!')/y
/** To the end of the line: spaces, and a comment, which has a space before it. */
const REST = /(?: +(?:#[^\n]*)?)?(?:\n|$)/y
const SPACES = / */y
/** What the core schema takes for no text (YAML 1.2 §10.3.2). */
const NO_TEXT =
  /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?[0-9]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$/
const WHOLE_NUMBER = /^(?:0|[1-9][0-9]{0,14})$/
/** The full parser takes no longer key on one line with its value. */
const LONGEST_KEY = 1000

interface Reader {
  readonly text: string
  readonly deepest: number
  /** Where reading goes on; between block nodes, the first character of a line's content. */
  offset: number
  /** Column, from 0, of the content at `offset`; -1 at the end of the text. */
  column: number
}

/** @param deepest how many collections may stand within each other */
export function parsePlainYaml(text: string, deepest: number): Parsed | undefined {
  if (UNUSUAL.test(text)) return undefined
  const reader: Reader = { text, deepest, offset: 0, column: 0 }
  try {
    skipLines(reader)
    // The mark that linters ask for at the top. Anything beside it, or a second one, is not plain.
    if (reader.column === 0 && text.startsWith('---\n', reader.offset)) {
      reader.offset += '---\n'.length
      skipLines(reader)
    }
    const parsed = readBlock(reader, 0)
    return reader.column === -1 ? parsed : undefined
  } catch (error) {
    if (error === NOT_PLAIN) return undefined
    throw error
  }
}

/** From the start of a line to the content of the next line that has any. */
function skipLines(reader: Reader): void {
  const { text } = reader
  let start = reader.offset
  while (start < text.length) {
    let offset = start
    while (text[offset] === ' ') offset += 1
    const first = text[offset]
    if (first !== '\n' && first !== '#' && first !== undefined) {
      reader.offset = offset
      reader.column = offset - start
      return
    }
    const end = text.indexOf('\n', offset)
    start = end === -1 ? text.length : end + 1
  }
  reader.offset = text.length
  reader.column = -1
}

/** After a value: nothing more on its line, then the next line. */
function endLine(reader: Reader): void {
  matched(reader, REST)
  skipLines(reader)
}

function readBlock(reader: Reader, depth: number): Parsed {
  const { text, offset, column } = reader
  if (column === -1 || depth > reader.deepest) throw NOT_PLAIN
  if (isDash(reader)) return readBlockList(reader, column, depth)
  if (column === 0 && isMark(reader)) throw NOT_PLAIN
  if (text[offset] !== '{' && text[offset] !== '[') {
    const key = readScalar(reader, BLOCK_SCALAR)
    if (isColon(reader)) return readBlockMap(reader, column, depth, { offset, key })
    endLine(reader)
    return { value: key, place: offset }
  }
  const parsed = readFlow(reader, column - 1, depth)
  endLine(reader)
  return parsed
}

/** Of the start or the end of a document, at the beginning of a line. */
function isMark({ text, offset }: Reader): boolean {
  return text.startsWith('---', offset) || text.startsWith('...', offset)
}

function isDash({ text, offset }: Reader): boolean {
  return text[offset] === '-' && (text[offset + 1] === ' ' || text[offset + 1] === '\n')
}

function isColon({ text, offset }: Reader): boolean {
  return text[offset] === ':' && (text[offset + 1] === ' ' || text[offset + 1] === '\n')
}

function readBlockList(reader: Reader, column: number, depth: number): Parsed {
  const value: unknown[] = []
  const items: Place[] = []
  const start = reader.offset
  while (reader.column === column && isDash(reader)) {
    const dash = reader.offset
    reader.offset += 1
    const spaces = matched(reader, SPACES).length
    if (reader.text[reader.offset] === '\n' || reader.text[reader.offset] === '#') throw NOT_PLAIN
    // A collection may begin on the line of its dash.
    reader.column = column + (reader.offset - dash)
    if (spaces === 0) throw NOT_PLAIN
    const item = readBlock(reader, depth + 1)
    value.push(item.value)
    items.push(item.place)
    if (reader.column > column) throw NOT_PLAIN
  }
  return { value, place: { start, items } }
}

interface Key {
  readonly offset: number
  readonly key: unknown
}

function readBlockMap(reader: Reader, column: number, depth: number, first: Key): Parsed {
  const members: Members = { value: {}, places: new Map() }
  let next: Key | undefined = first
  while (next !== undefined) {
    const key = checkedKey(members, next, reader.offset)
    reader.offset += 1
    addMember(members, key, next.offset, readMember(reader, column, depth + 1))
    if (reader.column > column) throw NOT_PLAIN
    next = reader.column === column ? readKey(reader) : undefined
  }
  return { value: members.value, place: { start: first.offset, members: members.places } }
}

function readKey(reader: Reader): Key {
  const { offset } = reader
  if (reader.column === 0 && isMark(reader)) throw NOT_PLAIN
  const key = readScalar(reader, BLOCK_SCALAR)
  if (!isColon(reader)) throw NOT_PLAIN
  return { offset, key }
}

/** The value of a block mapping's member: on the line of its key, or below it. */
function readMember(reader: Reader, column: number, depth: number): Parsed {
  const { text } = reader
  matched(reader, SPACES)
  const { offset } = reader
  const first = text[offset]
  if (first === '\n' || first === '#' || first === undefined) {
    if (first === '#') reader.offset -= 1
    endLine(reader)
    // A list may stand below its key without being indented.
    const isBelow = reader.column > column || (reader.column === column && isDash(reader))
    if (!isBelow) throw NOT_PLAIN
    return readBlock(reader, depth)
  }
  const isCollection = first === '{' || first === '['
  const parsed = isCollection
    ? readFlow(reader, column, depth)
    : { value: readScalar(reader, BLOCK_SCALAR), place: offset }
  endLine(reader)
  return parsed
}

interface Members {
  readonly value: Record<string, unknown>
  readonly places: Map<string, MemberPlace>
}

function checkedKey(members: Members, { offset, key }: Key, end: number): string {
  if (typeof key !== 'string' || end - offset > LONGEST_KEY) throw NOT_PLAIN
  if (key === '__proto__' || members.places.has(key)) throw NOT_PLAIN
  return key
}

function addMember(members: Members, key: string, start: number, { value, place }: Parsed): void {
  members.value[key] = value
  members.places.set(key, { key: start, value: place })
}

/** A flow collection whose lines are indented more than `column`, its parent's. */
function readFlow(reader: Reader, column: number, depth: number): Parsed {
  const { text, offset } = reader
  if (depth > reader.deepest) throw NOT_PLAIN
  if (text[offset] === '{') return readFlowMap(reader, column, depth)
  if (text[offset] === '[') return readFlowList(reader, column, depth)
  return { value: readScalar(reader, FLOW_SCALAR), place: offset }
}

function readFlowList(reader: Reader, column: number, depth: number): Parsed {
  const value: unknown[] = []
  const items: Place[] = []
  const start = reader.offset
  reader.offset += 1
  while (skipSpace(reader, column) !== ']') {
    const item = readFlow(reader, column, depth + 1)
    value.push(item.value)
    items.push(item.place)
    endItem(reader, column, ']')
  }
  reader.offset += 1
  return { value, place: { start, items } }
}

function readFlowMap(reader: Reader, column: number, depth: number): Parsed {
  const { text, offset: start } = reader
  const members: Members = { value: {}, places: new Map() }
  reader.offset += 1
  while (skipSpace(reader, column) !== '}') {
    const next = { offset: reader.offset, key: readScalar(reader, FLOW_SCALAR) }
    const key = checkedKey(members, next, reader.offset)
    // After a quoted key the value may follow its colon at once, as in JSON.
    const isQuoted = '"\''.includes(text[next.offset] ?? ' ')
    if (!isColon(reader) && !(isQuoted && text[reader.offset] === ':')) throw NOT_PLAIN
    reader.offset += 1
    skipSpace(reader, column)
    addMember(members, key, next.offset, readFlow(reader, column, depth + 1))
    endItem(reader, column, '}')
  }
  reader.offset += 1
  return { value: members.value, place: { start, members: members.places } }
}

function endItem(reader: Reader, column: number, end: ']' | '}'): void {
  const next = skipSpace(reader, column)
  if (next === ',') reader.offset += 1
  else if (next !== end) throw NOT_PLAIN
}

/** To the next character of a flow collection, which it returns. A comment is not plain here. */
function skipSpace(reader: Reader, column: number): string | undefined {
  matched(reader, SPACES)
  while (reader.text[reader.offset] === '\n') {
    reader.offset += 1
    const indent = matched(reader, SPACES).length
    if (reader.text[reader.offset] === '\n') continue
    if (indent <= column || isMark(reader)) throw NOT_PLAIN
  }
  return reader.text[reader.offset]
}

function readScalar(reader: Reader, plain: RegExp): unknown {
  const first = reader.text[reader.offset]
  if (first === '"' || first === "'") return matched(reader, QUOTED).slice(1, -1)
  const scalar = matched(reader, plain)
  let { length } = scalar
  while (scalar[length - 1] === ' ') length -= 1
  const text = scalar.slice(0, length)
  reader.offset -= scalar.length - length
  if (!NO_TEXT.test(text)) return text
  if (text === 'true') return true
  if (text === 'false') return false
  if (!WHOLE_NUMBER.test(text)) throw NOT_PLAIN
  return Number(text)
}

/** What the pattern matches at this place, which is passed. */
function matched(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.offset
  const found = pattern.exec(reader.text)
  if (found === null) throw NOT_PLAIN
  reader.offset = pattern.lastIndex
  return found[0]
}
