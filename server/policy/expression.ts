/**
 * Reads Cedar's JSON form of a policy's conditions: how deep they are, and what they can read. A kind of expression that
 * is not known here is taken to read everything.
 */
import type { EntityName } from './compiled-policy.ts'

/** `{ "&&": { left, right } }`: one member, which names the kind. */
export type Expression = Readonly<Record<string, unknown>>

export interface Reads {
  /** Attributes of entities and members of the context, wherever they stand. */
  readonly names: Set<string>
  /** Whether something is read that has no name, such as the context as a whole. */
  everything: boolean
  tags: boolean
  hierarchy: boolean
  /** Every entity that is named. */
  readonly named: EntityName[]
  /** Of these the ones whose facts may be read; the rest are only compared. */
  readonly looked: EntityName[]
}

export function emptyReads(): Reads {
  const lists = { names: new Set<string>(), named: [], looked: [] }
  return { ...lists, everything: false, tags: false, hierarchy: false }
}

/** Levels of an expression, counted no further than `most` + 1. */
export function readDepth(expression: unknown, most: number): number {
  let level: readonly unknown[] = [expression]
  let depth = 0
  // Level by level: the depth is the author's choice, and ours to bear. An expression of Cedar's takes one or two of them.
  while (level.length > 0 && depth <= 2 * most) {
    level = level.flatMap((part) => (isObject(part) ? Object.values(part) : []))
    depth += 1
  }
  return Math.ceil(depth / 2)
}

/** Adds what `expression` can read. `compared`: its value is only compared with others, so no fact of it is asked for. */
export function addReads(reads: Reads, expression: unknown, compared = false): void {
  if (!isObject(expression)) return
  for (const [kind, body] of Object.entries(expression)) readKind(reads, { kind, body, compared })
}

interface Part {
  readonly kind: string
  readonly body: unknown
  readonly compared: boolean
}

function readKind(reads: Reads, { kind, body, compared }: Part): void {
  switch (kind) {
    case 'Value':
      return addValue(reads, body, compared)
    case 'Var':
      // Members of the context are read by name; whoever takes it as a whole takes all of them.
      if (body === 'context') reads.everything = true
      return
    case '.':
    case 'has':
      return addAttribute(reads, body)
    case 'getTag':
    case 'hasTag':
      reads.tags = true
      return addSides(reads, body)
    case 'in':
      reads.hierarchy = true
      return addSides(reads, body, { right: true })
    case 'is':
      if (isObject(body) && 'in' in body) {
        reads.hierarchy = true
        addReads(reads, body['in'], true)
      }
      return addReads(reads, isObject(body) ? body['left'] : undefined)
    case '==':
    case '!=':
    case 'contains':
    case 'containsAll':
    case 'containsAny':
      return addSides(reads, body, { left: true, right: true })
    case 'if-then-else':
      return addBranches(reads, body, compared)
    case 'Set':
      return addEach(reads, body, compared)
    case 'Record':
      // What it is made of may be read under another name.
      reads.everything = true
      return addEach(reads, body)
    case 'like':
      return addReads(reads, isObject(body) ? body['left'] : undefined)
    default:
      return addOther(reads, kind, body)
  }
}

const ARITHMETIC = new Set(['!', 'neg', 'isEmpty', '&&', '||', '<', '<=', '>', '>=', '+', '-', '*'])

function addOther(reads: Reads, kind: string, body: unknown): void {
  // Calls of an extension: `{ "datetime": [ … ] }`.
  if (!ARITHMETIC.has(kind) && !Array.isArray(body)) reads.everything = true
  addEach(reads, body)
}

function addValue(reads: Reads, value: unknown, compared: boolean): void {
  if (Array.isArray(value)) {
    for (const element of value) addValue(reads, element, compared)
  }
  const entity = isObject(value) ? readEntity(value['__entity']) : undefined
  if (entity === undefined) return
  reads.named.push(entity)
  if (!compared) reads.looked.push(entity)
}

function addAttribute(reads: Reads, body: unknown): void {
  if (!isObject(body)) return
  const { left, attr } = body as { left?: unknown; attr?: unknown }
  for (const name of [attr].flat()) if (typeof name === 'string') reads.names.add(name)
  if (!isObject(left) || left['Var'] !== 'context') addReads(reads, left)
}

function addSides(
  reads: Reads,
  body: unknown,
  compared: { readonly left?: boolean; readonly right?: boolean } = {},
): void {
  if (!isObject(body)) return
  addReads(reads, body['left'], compared.left)
  addReads(reads, body['right'], compared.right)
}

function addBranches(reads: Reads, body: unknown, compared: boolean): void {
  if (!isObject(body)) return
  addReads(reads, body['if'])
  addReads(reads, body['then'], compared)
  addReads(reads, body['else'], compared)
}

function addEach(reads: Reads, body: unknown, compared = false): void {
  if (isObject(body)) for (const part of Object.values(body)) addReads(reads, part, compared)
}

/** `{ "type": "Agent", "id": "planner" }`, or that under `__entity`. */
export function readEntity(value: unknown): EntityName | undefined {
  if (!isObject(value)) return undefined
  if ('__entity' in value) return readEntity(value['__entity'])
  const { type, id } = value as { type?: unknown; id?: unknown }
  return typeof type === 'string' && typeof id === 'string' ? { type, id } : undefined
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
