/**
 * What a tenant's files may hold, as JSON Schema for editors and as plain data for the reference. Both are read off the
 * schemas that check the files, so that none of them can say something else.
 */
import { z } from 'zod'
import { agent } from './agents-file.ts'
import { testCase } from './cases-file.ts'
import { eventReceiver, eventTransmitter } from './event-parties.ts'
import { strict } from './fields.ts'
import { resource } from './resources-file.ts'
import { taskType } from './task-types-file.ts'
import { roleGrant, tenantFile, trustedIssuer } from './tenant-file.ts'
import { attester, certificateAuthority, trustDomain, workloadIssuer } from './trust-file.ts'

type Json = Readonly<Record<string, unknown>>

export interface FileDescription {
  /** Such as `agents.yaml`. */
  readonly file: string
  /** Name of its JSON Schema, such as `agents`. */
  readonly name: string
  readonly about: string
  readonly members: readonly MemberDescription[]
}

export interface MemberDescription {
  /** `agents[].auth.method`; `[]` is an entry of a list, `{}` of a mapping. */
  readonly path: string
  /** In words, such as `list of id`. */
  readonly type: string
  readonly isRequired: boolean
  /** As it would be written; undefined: none. */
  readonly default: unknown
  readonly description: string
  /** Where the member is there only with a value of another, such as `kind: api`. */
  readonly where: string | undefined
}

const FILES = [
  {
    file: 'tenant.yaml',
    name: 'tenant',
    about: 'Who the tenant is, whom it trusts, who manages it, how far anything may go.',
    // The list is checked entry by entry elsewhere, so that one fault does not hide others.
    schema: tenantFile.extend({
      trusted_issuers: listOf(trustedIssuer, tenantFile.shape.trusted_issuers.description),
      roles: listOf(roleGrant, tenantFile.shape.roles.description),
      event_receivers: listOf(eventReceiver, tenantFile.shape.event_receivers.description),
      event_transmitters: listOf(eventTransmitter, tenantFile.shape.event_transmitters.description),
      trust_domains: listOf(trustDomain, tenantFile.shape.trust_domains.description),
      certificate_authorities: listOf(
        certificateAuthority,
        tenantFile.shape.certificate_authorities.description,
      ),
      workload_issuers: listOf(workloadIssuer, tenantFile.shape.workload_issuers.description),
      attesters: listOf(attester, tenantFile.shape.attesters.description),
    }),
  },
  {
    file: 'agents.yaml',
    name: 'agents',
    about: 'Agents: OAuth clients that act for somebody. What is not listed is not allowed.',
    schema: strict({ agents: z.array(agent).describe('The agents of the tenant.') }),
  },
  {
    file: 'resources.yaml',
    name: 'resources',
    about: 'Resources: the APIs and agents’ endpoints that tokens are for.',
    schema: strict({ resources: z.array(resource).describe('The resources of the tenant.') }),
  },
  {
    file: 'task-types.yaml',
    name: 'task-types',
    about: 'Task types: which work may be started, by which agent, for whose users, with how much.',
    schema: strict({ task_types: z.array(taskType).describe('The task types of the tenant.') }),
  },
  {
    file: 'tests/*.yaml',
    name: 'tests',
    about: 'Test cases: what the tenant expects to be decided. `actchain check` runs them.',
    schema: strict({ cases: z.array(testCase).describe('The cases of this file.') }),
  },
] as const

function listOf<Entry extends z.ZodType>(entry: Entry, description = '') {
  return z.array(entry).max(100).prefault([]).describe(description)
}

/** By name. Draft 2020-12. */
export function jsonSchemas(): ReadonlyMap<string, Json> {
  return new Map(
    FILES.map(({ file, name, about, schema }) => {
      const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' })
      return [name, { $schema, title: file, description: about, ...rest }]
    }),
  )
}

export function describeFiles(): readonly FileDescription[] {
  const schemas = jsonSchemas()
  return FILES.map(({ file, name, about }) => {
    const members = describeMembers(schemas.get(name) ?? {}, '', undefined)
    return { file, name, about, members }
  })
}

function describeMembers(
  schema: Json,
  prefix: string,
  where: string | undefined,
): readonly MemberDescription[] {
  const required = new Set(schema['required'] as readonly string[] | undefined)
  return Object.entries((schema['properties'] ?? {}) as Record<string, Json>).flatMap(
    ([member, value]) => {
      const path = prefix === '' ? member : `${prefix}.${member}`
      const { description } = value
      const described = {
        path,
        type: typeOf(value),
        isRequired: required.has(member),
        default: value['default'],
        description: typeof description === 'string' ? description : '',
        where,
      }
      return [described, ...describeInner(value, path, where)]
    },
  )
}

/** Members of what a member holds. A key set is a type by itself. */
function describeInner(
  value: Json,
  path: string,
  where: string | undefined,
): readonly MemberDescription[] {
  if (value['title'] !== undefined) return []
  const items = value['items'] as Json | undefined
  if (items !== undefined) return describeInner(items, `${path}[]`, where)
  const entries = value['additionalProperties']
  if (typeof entries === 'object' && entries !== null) {
    return describeInner(entries as Json, `${path}{}`, where)
  }
  const variants = value['oneOf'] as readonly Json[] | undefined
  if (variants !== undefined) return describeVariants(variants, path)
  return describeMembers(value, path, where)
}

/** What tells variants apart. */
const DISCRIMINATORS = ['kind', 'method']

/** Members of all variants once; the others with the values of `kind` or `method` they go with. */
function describeVariants(variants: readonly Json[], path: string): readonly MemberDescription[] {
  const seen = new Map<string, { readonly member: MemberDescription; readonly values: string[] }>()
  const named = variants.map(nameOf)
  for (const [index, variant] of variants.entries()) {
    for (const member of describeMembers(variant, path, undefined)) {
      const key = JSON.stringify(member)
      const values = [...(seen.get(key)?.values ?? []), ...(named[index]?.values ?? [])]
      seen.set(key, { member, values })
    }
  }
  const all = named.flatMap(({ values }) => values).length
  const by = named[0]?.by ?? ''
  return [...seen.values()].map(({ member, values }) =>
    values.length === all ? member : { ...member, where: `${by}: ${values.join(' or ')}` },
  )
}

function nameOf({ properties }: Json): { readonly by: string; readonly values: readonly string[] } {
  const members = properties as Record<string, Json>
  const by = DISCRIMINATORS.find((member) => members[member] !== undefined) ?? ''
  const { enum: values, const: value } = members[by] ?? {}
  return { by, values: (values ?? [value]) as readonly string[] }
}

function typeOf(value: Json): string {
  const { title, type, items, additionalProperties: entries, minimum, maximum } = value
  if (typeof title === 'string') return title
  if (Array.isArray(value['enum'])) return value['enum'].map(coded).join(' or ')
  if ('const' in value) return coded(value['const'])
  if (type === 'array') return `list of ${typeOf(items as Json)}`
  if (type === 'integer') return `whole number from ${String(minimum)} to ${String(maximum)}`
  if (type === 'boolean') return '`true` or `false`'
  if (type === 'string') return 'text'
  if (typeof entries !== 'object' || entries === null) return 'mapping'
  const names = value['propertyNames'] as Json
  return `mapping of ${typeOf(names)} to ${typeOf(entries as Json)}`
}

function coded(value: unknown): string {
  return `\`${String(value)}\``
}
