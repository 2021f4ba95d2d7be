/**
 * The entries of a tenant's files after the schema: each that is well-formed, with its place, and the names of all,
 * so that one broken entry neither hides its other faults nor makes every reference to it a fault.
 */
import type { z } from 'zod'
import { type AgentEntry, agent } from './agents-file.ts'
import {
  eventReceiver,
  eventTransmitter,
  type ReceiverEntry,
  type TransmitterEntry,
} from './event-parties.ts'
import { reportIssues } from './issue-problem.ts'
import type { Path } from './place.ts'
import { isFull, type Report, refuse } from './report.ts'
import { type ResourceEntry, resource } from './resources-file.ts'
import type { TenantFileName } from './source-paths.ts'
import { type TaskTypeEntry, taskType } from './task-types-file.ts'
import {
  type IssuerEntry,
  type RoleEntry,
  roleGrant,
  type TenantFile,
  tenantFile,
  trustedIssuer,
} from './tenant-file.ts'
import {
  type AttesterEntry,
  type AuthorityEntry,
  attester,
  certificateAuthority,
  type TrustDomainEntry,
  trustDomain,
  type WorkloadIssuerEntry,
  workloadIssuer,
} from './trust-file.ts'
import type { YamlDocument } from './yaml-document.ts'

export interface Entry<Value> {
  readonly value: Value
  readonly path: Path
}

export interface Listing<Value> {
  readonly document: YamlDocument
  readonly entries: readonly Entry<Value>[]
  /** Every entry that is a mapping, as written, broken ones too. */
  readonly stated: readonly Entry<Readonly<Record<string, unknown>>>[]
  /** The ids in `stated`. */
  readonly ids: ReadonlySet<string>
}

/** Undefined: the file is missing or is not YAML, which is reported already. */
export interface TenantEntries {
  readonly tenant: { readonly document: YamlDocument; readonly value: TenantFile } | undefined
  readonly issuers: Listing<IssuerEntry> | undefined
  readonly roles: Listing<RoleEntry> | undefined
  readonly receivers: Listing<ReceiverEntry> | undefined
  readonly transmitters: Listing<TransmitterEntry> | undefined
  readonly trustDomains: Listing<TrustDomainEntry> | undefined
  readonly authorities: Listing<AuthorityEntry> | undefined
  readonly workloadIssuers: Listing<WorkloadIssuerEntry> | undefined
  readonly attesters: Listing<AttesterEntry> | undefined
  readonly agents: Listing<AgentEntry> | undefined
  readonly resources: Listing<ResourceEntry> | undefined
  readonly taskTypes: Listing<TaskTypeEntry> | undefined
}

export type TenantDocuments = Readonly<Partial<Record<TenantFileName, YamlDocument>>>

const MOST_ENTRIES = 10_000

export function readEntries(report: Report, documents: TenantDocuments): TenantEntries {
  const tenant = documents['tenant.yaml']
  return {
    tenant: tenant && readTenantFile(report, tenant),
    issuers: tenant && readListing(report, tenant, 'trusted_issuers', trustedIssuer),
    roles: tenant && readListing(report, tenant, 'roles', roleGrant),
    receivers: tenant && readListing(report, tenant, 'event_receivers', eventReceiver),
    transmitters: tenant && readListing(report, tenant, 'event_transmitters', eventTransmitter),
    trustDomains: tenant && readListing(report, tenant, 'trust_domains', trustDomain),
    authorities:
      tenant && readListing(report, tenant, 'certificate_authorities', certificateAuthority),
    workloadIssuers: tenant && readListing(report, tenant, 'workload_issuers', workloadIssuer),
    attesters: tenant && readListing(report, tenant, 'attesters', attester),
    agents: readList(report, documents['agents.yaml'], 'agents', agent),
    resources: readList(report, documents['resources.yaml'], 'resources', resource),
    taskTypes: readList(report, documents['task-types.yaml'], 'task_types', taskType),
  }
}

function readTenantFile(report: Report, document: YamlDocument): TenantEntries['tenant'] {
  const result = tenantFile.safeParse(document.value)
  if (result.success) return { document, value: result.data }
  reportIssues(report, document, [], result.error.issues)
  return undefined
}

export function readValues<Value>(listing: Listing<Value>): readonly Value[] {
  return listing.entries.map((entry) => entry.value)
}

/** A file that is one list under one key. */
export function readList<Schema extends z.ZodType>(
  report: Report,
  document: YamlDocument | undefined,
  key: string,
  schema: Schema,
): Listing<z.output<Schema>> | undefined {
  if (document === undefined) return undefined
  const { value } = document
  const members = isRecord(value) ? Object.keys(value) : []
  for (const member of members.filter((name) => name !== key)) {
    refuse(report, document, [member], {
      text: `unknown key; this file has "${key}" alone`,
      suggestion: key,
    })
  }
  if (!isRecord(value) || !Array.isArray(value[key])) {
    refuse(report, document, [key], { text: `expected a list under "${key}"` })
  }
  return readListing(report, document, key, schema)
}

function readListing<Schema extends z.ZodType>(
  report: Report,
  document: YamlDocument,
  key: string,
  schema: Schema,
): Listing<z.output<Schema>> {
  const stated = isRecord(document.value) ? document.value[key] : undefined
  const items: readonly unknown[] = Array.isArray(stated) ? stated : []
  if (items.length > MOST_ENTRIES) {
    refuse(report, document, [key], { text: `at most ${MOST_ENTRIES} entries` })
    return { document, entries: [], stated: [], ids: new Set() }
  }
  const entries: Entry<z.output<Schema>>[] = []
  const statedEntries: Entry<Readonly<Record<string, unknown>>>[] = []
  for (const [index, item] of items.entries()) {
    if (isFull(report)) break
    const path = [key, index]
    if (isRecord(item)) statedEntries.push({ value: item, path })
    const result = schema.safeParse(item)
    if (result.success) entries.push({ value: result.data, path })
    else reportIssues(report, document, path, result.error.issues)
  }
  const ids = statedEntries.map(({ value }) => value['id']).filter((id) => typeof id === 'string')
  return { document, entries, stated: statedEntries, ids: new Set(ids) }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
