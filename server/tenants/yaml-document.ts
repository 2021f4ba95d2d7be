/**
 * One YAML file as plain data with the place of every value. Takes the part of YAML 1.2 that JSON has: no aliases,
 * anchors, tags, merge keys or directives, so a small file cannot unfold into a large one and a value means what
 * it says. Spec: https://yaml.org/spec/1.2.2/
 */
import { isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { type Problem, quote } from '../core/problem.ts'

export type Path = readonly (string | number)[]

export interface Position {
  readonly line: number
  readonly column: number
}

export interface YamlDocument {
  readonly file: string
  readonly value: unknown
  has(path: Path): boolean
  /** Where a value starts; where there is none, its nearest ancestor. */
  at(path: Path): Position
  /** Where the key of a mapping's member starts. */
  atKey(path: Path): Position
}

export type YamlResult =
  | { readonly kind: 'parsed'; readonly document: YamlDocument }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/** Deeper than any member a tenant's files have. */
const DEEPEST = 12
// `__proto__` would set a prototype where an object is copied member by member (attack case J07).
const REFUSED_KEYS: ReadonlySet<string> = new Set(['__proto__'])

interface Reading {
  readonly file: string
  readonly lines: LineCounter
  readonly problems: Problem[]
  readonly values: Map<string, Position>
  readonly keys: Map<string, Position>
}

/** @param file the name problems carry */
export function parseYaml(file: string, text: string): YamlResult {
  const lines = new LineCounter()
  const reading: Reading = { file, lines, problems: [], values: new Map(), keys: new Map() }
  const parsed = parse(text, lines)
  const exhausted = parsed.errors.find((error) => error.code === 'RESOURCE_EXHAUSTION')
  // Where the parser gave up, its other errors are about the pieces.
  for (const error of exhausted === undefined ? parsed.errors : [exhausted]) {
    // The parser's own message quotes the file, which may hold a key pasted by mistake.
    const reason = error.code.toLowerCase().replaceAll('_', ' ')
    const text = error === exhausted ? 'nested too deeply' : `not valid YAML: ${reason}`
    report(reading, error.pos[0], text)
  }
  if (parsed.directives?.yaml.explicit === true || text.startsWith('%')) {
    report(reading, 0, 'YAML directives are not accepted')
  }
  if (reading.problems.length > 0) return refused(reading.problems)
  const value = readNode(reading, parsed.contents, [])
  if (reading.problems.length > 0) return refused(reading.problems)
  return { kind: 'parsed', document: documentOf(reading, value) }
}

function refused(problems: readonly Problem[]): YamlResult {
  return { kind: 'refused', problems }
}

function parse(text: string, lineCounter: LineCounter) {
  return parseDocument(text, {
    lineCounter,
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: false,
    // Checked below in one pass; the parser compares each key with every other.
    uniqueKeys: false,
  })
}

function documentOf(reading: Reading, value: unknown): YamlDocument {
  const start = { line: 1, column: 1 }
  const at = (path: Path): Position => {
    for (let length = path.length; length >= 0; length -= 1) {
      const position = reading.values.get(spelled(path.slice(0, length)))
      if (position !== undefined) return position
    }
    return start
  }
  return {
    file: reading.file,
    value,
    has: (path) => reading.values.has(spelled(path)),
    at,
    atKey: (path) => reading.keys.get(spelled(path)) ?? at(path),
  }
}

function readNode(reading: Reading, node: unknown, path: Path): unknown {
  if (node === null || node === undefined) {
    return null
  }
  const start = startOf(node)
  reading.values.set(spelled(path), positionAt(reading, start))
  if (isMap(node) || isSeq(node) || isScalar(node)) {
    if (node.anchor !== undefined) report(reading, start, 'YAML anchors are not accepted')
    if (node.tag !== undefined) report(reading, start, 'YAML tags are not accepted')
  }
  if (isScalar(node)) return node.value
  if (!isMap(node) && !isSeq(node)) {
    report(reading, start, 'YAML aliases are not accepted')
    return null
  }
  if (path.length >= DEEPEST) {
    report(reading, start, 'nested too deeply')
    return null
  }
  if (isMap(node)) return readMap(reading, node, path)
  return node.items.map((item, index) => readNode(reading, item, [...path, index]))
}

function readMap(reading: Reading, map: YAMLMap, path: Path): Readonly<Record<string, unknown>> {
  const value: Record<string, unknown> = {}
  for (const pair of map.items) {
    const key = readKey(reading, pair)
    if (key === undefined) continue
    const start = startOf(pair.key)
    if (Object.hasOwn(value, key)) {
      report(reading, start, `key ${quote(key)} is stated twice`)
      continue
    }
    const memberPath = [...path, key]
    reading.keys.set(spelled(memberPath), positionAt(reading, start))
    value[key] = readNode(reading, pair.value, memberPath)
    // A key without a value has no node; its place is the key's.
    if (!reading.values.has(spelled(memberPath))) {
      reading.values.set(spelled(memberPath), positionAt(reading, start))
    }
  }
  return value
}

function readKey(reading: Reading, pair: Pair): string | undefined {
  const { key } = pair
  const start = startOf(key)
  if (!isScalar(key) || typeof key.value !== 'string') {
    report(reading, start, 'a key must be a string')
    return undefined
  }
  if (key.anchor !== undefined || key.tag !== undefined) {
    report(reading, start, 'YAML anchors and tags are not accepted')
    return undefined
  }
  if (REFUSED_KEYS.has(key.value)) {
    report(reading, start, `key ${quote(key.value)} is not accepted`)
    return undefined
  }
  return key.value
}

function startOf(node: unknown): number {
  const range = (node as { readonly range?: readonly number[] | null } | null)?.range
  return range?.[0] ?? 0
}

function positionAt(reading: Reading, offset: number): Position {
  const { line, col } = reading.lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function report(reading: Reading, offset: number, text: string): void {
  reading.problems.push({ file: reading.file, ...positionAt(reading, offset), text })
}

function spelled(path: Path): string {
  return JSON.stringify(path)
}
