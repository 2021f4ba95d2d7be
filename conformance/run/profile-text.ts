/**
 * A profile as somebody writes it, in YAML: held to its schema, with its secrets and keys fetched from the environment and from
 * files. What is wrong is told with its place, and never with its value.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { isMap, LineCounter, type Node, parseDocument } from 'yaml'
import { FEATURES } from '../features.ts'
import type { GivenProfile } from '../suite/profile.ts'
import { nearest } from './nearest.ts'
import schema from './profile.schema.json' with { type: 'json' }

export type Path = readonly string[]

/** What is wrong with a profile: a line for each fault, `file:line:column: what is wrong`. */
export class ProfileFault extends Error {}

type Environment = Readonly<Record<string, string | undefined>>

/** Paths in the profile are relative to its folder. Throws ProfileFault. */
export function readProfileFile(file: string, env: Environment = process.env): GivenProfile {
  return parseProfile(file, readText(file), env)
}

/** @param file the name that faults carry, and whose folder paths are relative to */
export function parseProfile(file: string, text: string, env: Environment): GivenProfile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', schema: 'core' })
  const told = (offset: number, what: string): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}: ${what}`
  }
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ pos, code }) =>
      told(pos[0], `is not YAML: ${code.toLowerCase().replaceAll('_', ' ')}`),
    )
    throw new ProfileFault(faults.join('\n'))
  }
  const value: unknown = document.toJS({ maxAliasCount: 0 })
  const faults = [...schemaFaults(value), ...featureFaults(value)]
  const settled = settle(value, [], { folder: dirname(resolve(file)), env, faults })
  if (faults.length > 0) {
    const lined = faults.map(({ path, isKey, what }) =>
      told(offsetOf(document.contents, path, isKey), what),
    )
    throw new ProfileFault(lined.join('\n'))
  }
  return settled as GivenProfile
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new ProfileFault(`${file}: there is no such file, or it cannot be read`)
  }
}

interface Fault {
  readonly path: Path
  /** It is about the member's name. */
  readonly isKey?: boolean
  readonly what: string
}

const validate = new Ajv2020({
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
  strictRequired: false,
}).compile(schema)

function schemaFaults(value: unknown): Fault[] {
  if (validate(value)) return []
  return (validate.errors ?? []).flatMap(faultOf)
}

function faultOf({
  instancePath,
  keyword,
  params,
  parentSchema,
  schemaPath,
}: ErrorObject): Fault[] {
  // Of an alternative: the alternatives as a whole say it better.
  if (/\/anyOf\/\d/.test(schemaPath)) return []
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const names = Object.keys((parentSchema?.['properties'] ?? {}) as object)
  const listed = (options: readonly string[]): string => `expected one of ${options.join(', ')}`
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      const what = `"${name}" is no member here${hint(name, names)}; ${listed(names)}`
      return [{ path: [...path, name], isKey: true, what }]
    }
    case 'required':
      return [{ path, what: `"${String(params['missingProperty'])}" is missing` }]
    case 'enum':
      return [{ path, what: listed(params['allowedValues'] as string[]) }]
    case 'type':
      return [{ path, what: `expected ${[params['type']].flat().join(' or ')}` }]
    case 'anyOf':
      return [{ path, what: `expected ${String(parentSchema?.['description'])}` }]
    case 'pattern':
      return [{ path, what: 'expected an http or https URL without a fragment' }]
    case 'minLength':
      return [{ path, what: 'is empty' }]
    case 'minProperties':
    case 'maxProperties':
      return [{ path, what: `expected type and one of ${names.slice(1).join(', ')}` }]
    default:
      return [{ path, what: `does not hold to the schema: ${keyword}` }]
  }
}

function hint(name: string, names: readonly string[]): string {
  const found = nearest(name, names)
  return found === undefined ? '' : `, did you mean "${found}"?`
}

function featureFaults(value: unknown): Fault[] {
  const given = (value as { features?: unknown } | null)?.features
  if (typeof given !== 'object' || given === null) return []
  const names = Object.keys(FEATURES)
  return Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path: ['features', name],
      isKey: true,
      what: `"${name}" is no feature${hint(name, names)}; --list names them`,
    }))
}

interface Settling {
  readonly folder: string
  readonly env: Environment
  readonly faults: Fault[]
}

const PATHS: ReadonlySet<string> = new Set(['ca', 'cert', 'key', 'file'])
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** The value with its variables, its files and its paths in place. */
function settle(value: unknown, path: Path, by: Settling): unknown {
  if (typeof value === 'string') {
    const text = value.replace(VARIABLE, (_, name: string) => {
      const found = by.env[name]
      if (found === undefined) by.faults.push({ path, what: `${name} is not in the environment` })
      return found ?? ''
    })
    return PATHS.has(path.at(-1) ?? '') ? resolve(by.folder, text) : text
  }
  if (Array.isArray(value)) return value.map((item, at) => settle(item, [...path, String(at)], by))
  if (typeof value !== 'object' || value === null) return value
  const name = path.at(-1)
  const members = Object.entries(value)
  if (name === 'jwk' && 'file' in value) return readKey(value.file, path, by)
  if (name === 'client_secret' && 'file' in value) return readSecret(value.file, path, by)
  return Object.fromEntries(
    members.map(([member, inner]) => [member, settle(inner, [...path, member], by)]),
  )
}

function readSecret(file: unknown, path: Path, { folder, faults }: Settling): string {
  try {
    return readFileSync(resolve(folder, String(file)), 'utf8').trim()
  } catch {
    faults.push({ path: [...path, 'file'], what: 'there is no such file, or it cannot be read' })
    return ''
  }
}

function readKey(file: unknown, path: Path, by: Settling): unknown {
  const text = readSecret(file, path, by)
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    by.faults.push({ path: [...path, 'file'], what: 'is no JSON' })
    return {}
  }
}

/** Where a value, or the name of a member, starts; where there is none, what it would be in. */
function offsetOf(root: Node | null, path: Path, isKey = false): number {
  let node: unknown = root
  let offset = root?.range?.[0] ?? 0
  for (const [depth, name] of path.entries()) {
    if (!isMap(node)) {
      const items = (node as { items?: readonly Node[] } | undefined)?.items
      node = items?.[Number(name)]
    } else {
      const pair = node.items.find(({ key }) => String(key) === name)
      const key = pair?.key as Node | undefined
      if (isKey && depth === path.length - 1 && key !== undefined) return key.range?.[0] ?? offset
      node = pair?.value
    }
    offset = (node as Node | undefined)?.range?.[0] ?? offset
  }
  return offset
}
