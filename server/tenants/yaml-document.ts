/**
 * One YAML file as plain data with the place of every value. Takes the part of YAML 1.2 that JSON has: no aliases,
 * anchors, tags, merge keys or directives, so a small file cannot unfold into a large one and a value means what
 * it says. Spec: https://yaml.org/spec/1.2.2/
 */
import { isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { type Problem, quote } from '../core/problem.ts'
import {
  countLines,
  type ListPlace,
  type MapPlace,
  type MemberPlace,
  type Places,
  type Position,
  placesOf,
} from './place.ts'
import { type Parsed, parsePlainYaml } from './plain-yaml.ts'

export interface YamlDocument extends Places {
  readonly file: string
  readonly value: unknown
}

export type YamlResult =
  | { readonly kind: 'parsed'; readonly document: YamlDocument }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/** Deeper than any member a tenant's files have. */
const DEEPEST = 12
/** More than anyone reads; a hostile file could have one for every character. */
const MOST_PROBLEMS = 1000
// `__proto__` would set a prototype where an object is copied member by member (attack case J07).
const REFUSED_KEYS: ReadonlySet<string> = new Set(['__proto__'])

interface Reading {
  readonly file: string
  readonly positionOf: (offset: number) => Position
  readonly problems: Problem[]
}

/** @param file the name problems carry */
export function parseYaml(file: string, stated: string): YamlResult {
  // YAML 1.2 §5.4: a line break is one, however it is written.
  const text = stated.replaceAll('\r\n', '\n')
  const plain = parsePlainYaml(text, DEEPEST - 1)
  if (plain !== undefined) return { kind: 'parsed', document: documentOf(file, text, plain) }
  const reading: Reading = { file, positionOf: countLines(text), problems: [] }
  const parsed = parseAnyYaml(reading, text)
  return reading.problems.length > 0
    ? { kind: 'refused', problems: reading.problems }
    : { kind: 'parsed', document: documentOf(file, text, parsed) }
}

function documentOf(file: string, text: string, { value, place }: Parsed): YamlDocument {
  return { file, value, ...placesOf(text, place) }
}

/** By the full parser, which also says what is wrong. Exported for the test that holds the plain one to it. */
export function parseAnyYaml(reading: Reading, text: string): Parsed {
  const parsed = parse(text)
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
  return reading.problems.length > 0 ? EMPTY : readNode(reading, parsed.contents, 0)
}

const EMPTY: Parsed = { value: null, place: 0 }

function parse(text: string) {
  return parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: false,
    // Checked below in one pass; the parser compares each key with every other.
    uniqueKeys: false,
  })
}

function readNode(reading: Reading, node: unknown, depth: number, otherwise = 0): Parsed {
  if (node === null || node === undefined) return { value: null, place: otherwise }
  const start = startOf(node)
  const nothing = { value: null, place: start }
  if (isMap(node) || isSeq(node) || isScalar(node)) {
    if (node.anchor !== undefined) report(reading, start, 'YAML anchors are not accepted')
    if (node.tag !== undefined) report(reading, start, 'YAML tags are not accepted')
  }
  if (isScalar(node)) return { value: node.value, place: start }
  if (!isMap(node) && !isSeq(node)) {
    report(reading, start, 'YAML aliases are not accepted')
    return nothing
  }
  if (depth >= DEEPEST) {
    report(reading, start, 'nested too deeply')
    return nothing
  }
  if (isMap(node)) return readMap(reading, node, depth)
  const items = node.items.map((item) => readNode(reading, item, depth + 1, start))
  const place: ListPlace = { start, items: items.map((item) => item.place) }
  return { value: items.map((item) => item.value), place }
}

function readMap(reading: Reading, map: YAMLMap, depth: number): Parsed {
  const value: Record<string, unknown> = {}
  const members = new Map<string, MemberPlace>()
  for (const pair of map.items) {
    const key = readKey(reading, pair)
    if (key === undefined) continue
    const start = startOf(pair.key)
    if (members.has(key)) {
      report(reading, start, `key ${quote(key)} is stated twice`)
      continue
    }
    // A key without a value has no node; its place is the key's.
    const member = readNode(reading, pair.value, depth + 1, start)
    value[key] = member.value
    members.set(key, { key: start, value: member.place })
  }
  const place: MapPlace = { start: startOf(map), members }
  return { value, place }
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

function report(reading: Reading, offset: number, text: string): void {
  if (reading.problems.length === MOST_PROBLEMS) return
  reading.problems.push({ file: reading.file, ...reading.positionOf(offset), text })
}
