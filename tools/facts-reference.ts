/**
 * The part of docs/policy-reference.md about a tenant's YAML files: every member from the schemas the files are checked with, with
 * its description, form and default. A member without a description is an error.
 */
import { z } from 'zod'
import { agent } from '../server/tenants/agents-file.ts'
import { testCase } from '../server/tenants/cases-file.ts'
import { resource } from '../server/tenants/resources-file.ts'
import { taskType } from '../server/tenants/task-types-file.ts'
import { roleGrant, tenantFile, trustedIssuer } from '../server/tenants/tenant-file.ts'
import { table } from './cedar-reference.ts'

/** What is used of JSON Schema. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: string | boolean
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

/** In the order of the page; entries of a list stand under the file. */
const PARTS: readonly {
  readonly title: string
  readonly schema: z.ZodType
  readonly text: string
}[] = [
  {
    title: '`tenant.yaml`',
    schema: tenantFile,
    text: 'Who the tenant is, whom it trusts, how far anything may go.',
  },
  {
    title: '`tenant.yaml`: `trusted_issuers`',
    schema: trustedIssuer,
    text: 'Who may say on whose behalf work is done.',
  },
  {
    title: '`tenant.yaml`: `roles`',
    schema: roleGrant,
    text: 'Who may manage the tenant ([admin.md](admin.md)).',
  },
  { title: '`agents.yaml`: `agents`', schema: agent, text: 'OAuth clients that act for somebody.' },
  { title: '`resources.yaml`: `resources`', schema: resource, text: 'What tokens are for.' },
  {
    title: '`task-types.yaml`: `task_types`',
    schema: taskType,
    text: 'Which kinds of work may be started.',
  },
  {
    title: '`tests/*.yaml`: `cases`',
    schema: testCase,
    text: 'What the tenant has to decide; run by every `actchain check`.',
  },
]

/** Longer lists of words are left to the description. */
const MOST_WORDS = 8
const ID = '^[a-z][a-z0-9-]{0,62}$'

/** The sections of all files, in Markdown. */
export function factsReference(): string {
  return PARTS.flatMap(({ title, schema, text }) => [
    `### ${title}`,
    text,
    ...tablesOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema),
  ]).join('\n\n')
}

/** One table, or one for each alternative, under what tells them apart. */
function tablesOf(schema: Schema): readonly string[] {
  const alternatives = schema.oneOf ?? schema.anyOf
  if (alternatives === undefined) return [tableOf(schema)]
  return alternatives.flatMap((alternative) => [
    `With \`kind: ${String(alternative.properties?.['kind']?.const)}\`:`,
    tableOf(alternative),
  ])
}

function tableOf(schema: Schema): string {
  return table(['member', 'value', 'default', 'meaning'], rowsOf(schema, ''))
}

/** A mapping with members of its own is shown by them too. */
function rowsOf(
  { properties = {}, required = [] }: Schema,
  prefix: string,
): readonly (readonly string[])[] {
  return Object.entries(properties).flatMap(([name, member]) => {
    const { description } = member
    if (description === undefined) throw new Error(`no description of ${prefix}${name}`)
    const path = `${prefix}${name}`
    const standard = required.includes(name) ? '**required**' : defaultOf(member)
    const row = [`\`${path}\``, valueOf(member), standard, description.replaceAll('|', '\\|')]
    return [
      row,
      ...rowsOf(membersIn(member), member.properties === undefined ? `${path}.*.` : `${path}.`),
    ]
  })
}

/** Members of a mapping, or of each value of one whose keys are names. Key sets are JSON of their own. */
function membersIn(member: Schema): Schema {
  if (member.properties?.['keys'] !== undefined) return {}
  if (member.properties !== undefined) return member
  const { additionalProperties: values } = member
  return typeof values === 'object' ? values : {}
}

function defaultOf({ default: standard }: Schema): string {
  const isEmpty = standard === undefined || JSON.stringify(standard) === '{}'
  return isEmpty
    ? ''
    : `\`${typeof standard === 'string' && standard !== '' ? standard : JSON.stringify(standard)}\``
}

function valueOf(schema: Schema): string {
  const { type, items, properties, additionalProperties } = schema
  const words = wordsOf(schema)
  if (words.length > 0) return words.length > MOST_WORDS ? 'one of a list' : words.join(', ')
  if (schema.anyOf !== undefined) return alternativesOf(schema.anyOf)
  if (Array.isArray(type)) return 'duration'
  if (type === 'array')
    return items?.type === undefined && items?.enum === undefined
      ? 'list'
      : `list of ${pluralOf(items)}`
  if (type === 'integer') return `${schema.minimum} to ${schema.maximum}`
  if (type === 'boolean') return '`true` or `false`'
  if (type === 'string') return schema.pattern === ID ? 'id' : 'text'
  if (properties?.['keys'] !== undefined) return 'key set'
  if (typeof additionalProperties === 'object' && additionalProperties.properties === undefined) {
    return `mapping of names to ${pluralOf(additionalProperties)}`
  }
  return 'mapping'
}

function wordsOf({ const: only, enum: several }: Schema): readonly string[] {
  if (only !== undefined) return [`\`${String(only)}\``]
  return (several ?? []).map((word) => `\`${word}\``)
}

function alternativesOf(schemas: readonly Schema[]): string {
  if (schemas.every(({ type }) => type === 'string')) return 'date or time'
  return schemas.map(valueOf).join(' or ')
}

function pluralOf(schema: Schema | undefined): string {
  const value = schema === undefined ? '' : valueOf(schema)
  return value === 'id' || value === 'text' ? `${value}s` : value
}
