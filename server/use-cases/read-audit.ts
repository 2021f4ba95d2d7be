/**
 * The log, for whoever may read it: a search, the story of a task, what the log is proven by. Every reading is an entry itself,
 * and durable before anything of the log is answered.
 */
import { parseCheckpoint, parseNote } from '../../lib/src/audit/index.ts'
import { type Story, tellStory } from '../core/audit-story.ts'
import {
  isManagementRefusal,
  type ManagementRefusal,
  refuseManagement,
  refuseMembers,
} from '../core/management-refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type {
  AuditLog,
  AuditPage,
  AuditQuery,
  AuditRecords,
  Clock,
  RecordedEntry,
  StoredEntry,
  Tenants,
  Texts,
} from './ports.ts'

export interface ReadAuditDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly audit: AuditLog
  readonly records: AuditRecords
}

export interface AuditRequest {
  readonly tenant: string
  readonly record: DecisionRecord
  /** What was asked, as it goes on record. */
  readonly asked: Readonly<Record<string, string>>
}

export interface SearchRequest extends AuditRequest {
  readonly query: AuditQuery
  readonly page: { readonly limit: number; readonly before: number | undefined }
}

/** Newest first. */
export async function searchAudit(
  deps: ReadAuditDeps,
  { query, page, ...request }: SearchRequest,
): Promise<AuditPage | ManagementRefusal> {
  const tenant = findLog(deps, request)
  if (isManagementRefusal(tenant)) return tenant
  const found = await deps.records.search(tenant.id, query, page)
  await recordReading(deps, request.record)
  return found
}

export interface TaskRecord extends Story {
  readonly txn: string
  /** Oldest first. */
  readonly entries: readonly TaskEntry[]
  /** There are more entries than a story may have: these are the oldest. */
  readonly isCut: boolean
}

export interface TaskEntry extends RecordedEntry {
  readonly entry: StoredEntry
  /** Texts the tenant keeps of it. */
  readonly texts: Texts
}

export interface TaskStoryRequest extends AuditRequest {
  readonly txn: string
}

export async function readTaskStory(
  deps: ReadAuditDeps,
  { txn, ...request }: TaskStoryRequest,
): Promise<TaskRecord | ManagementRefusal> {
  const tenant = findLog(deps, request)
  if (isManagementRefusal(tenant)) return tenant
  const told = await readTaskEntries(deps, tenant, txn)
  if (isManagementRefusal(told)) return told
  await recordReading(deps, request.record)
  return { txn, ...told, ...tellStory(told.entries) }
}

/** A story is held in memory as a whole. */
const MOST_ENTRIES = 10_000
const A_PAGE = 500

/** All that a task left in its tenant's log; what another tenant has is not there (attack case F05). */
export async function readTaskEntries(
  { records }: Pick<ReadAuditDeps, 'records'>,
  { id }: Tenant,
  txn: string,
): Promise<Pick<TaskRecord, 'entries' | 'isCut'> | ManagementRefusal> {
  const found: Omit<TaskEntry, 'texts'>[] = []
  let after: number | undefined = 0
  while (after !== undefined && found.length < MOST_ENTRIES) {
    const page: AuditPage = await records.walk(id, { txn }, { limit: A_PAGE, after })
    for (const { entry, ...where } of page.entries) {
      if (entry !== undefined) found.push({ ...where, entry })
    }
    after = page.next
  }
  if (found.length === 0) return refuseManagement('not_found', 'task_unknown')
  const isCut = after !== undefined || found.length > MOST_ENTRIES
  const told = found.slice(0, MOST_ENTRIES)
  const worded = told.filter(({ entry }) => entry.digests !== undefined)
  const texts = await textsOf(records, id, worded)
  return {
    entries: told.map((each) => ({ ...each, texts: texts.get(each.entry.ref) ?? {} })),
    isCut,
  }
}

async function textsOf(
  records: AuditRecords,
  tenant: string,
  entries: readonly Pick<TaskEntry, 'entry'>[],
): Promise<ReadonlyMap<string, Texts>> {
  if (entries.length === 0) return new Map()
  return records.textsOf(
    tenant,
    entries.map(({ entry }) => entry.ref),
  )
}

/** A signed note (C2SP tlog-checkpoint) over every entry there was. */
export async function readCheckpoint(
  deps: ReadAuditDeps,
  request: AuditRequest,
): Promise<string | ManagementRefusal> {
  const tenant = findLog(deps, request)
  if (isManagementRefusal(tenant)) return tenant
  // First the entry, which the checkpoint covers then: no log that was read is empty.
  await recordReading(deps, request.record)
  const checkpoint = await deps.records.checkpoint(tenant.id)
  if (checkpoint === undefined) throw new Error('a log with an entry has no checkpoint')
  return checkpoint
}

export interface ConsistencyRequest extends AuditRequest {
  /** Entries the log had at the older checkpoint. */
  readonly from: number
}

export interface ProvenGrowth {
  readonly from: number
  readonly size: number
  /** RFC 9162 §2.1.4.1. */
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: string
  /** Verifies the checkpoint, as this server says. */
  readonly key: string
}

/** That the log still begins with the entries an older checkpoint was signed over. */
export async function proveGrowth(
  deps: ReadAuditDeps,
  { from, ...request }: ConsistencyRequest,
): Promise<ProvenGrowth | ManagementRefusal> {
  const checkpoint = await readCheckpoint(deps, request)
  if (isManagementRefusal(checkpoint)) return checkpoint
  const { size } = parseCheckpoint(parseNote(checkpoint).text)
  if (from > size) return refuseMembers([{ pointer: '?from', text: 'is more than the log has' }])
  const { tenant } = request
  const proof = await deps.records.consistencyProof(tenant, from, size)
  return { from, size, proof, checkpoint, key: await deps.records.key(tenant) }
}

/** The tenant whose log is asked for; what is asked is noted. */
export function findLog(
  { tenants }: Pick<ReadAuditDeps, 'tenants'>,
  { tenant: id, record, asked }: AuditRequest,
): Tenant | ManagementRefusal {
  record.note({ query: asked })
  return tenants.find(id) ?? refuseManagement('not_found', 'tenant_unknown')
}

/** Resolves when it is durable that the log was read, by whom and for what. */
export async function recordReading(
  { audit, clock }: Pick<ReadAuditDeps, 'audit' | 'clock'>,
  record: DecisionRecord,
): Promise<void> {
  await audit.append(record.permitted(clock.now()))
}
