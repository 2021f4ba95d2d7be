/**
 * Evidence of one task that convinces without this server: its entries word for word, where they stand in the log that one
 * checkpoint signs, and the versions of the tenant that decided. lib's `verifyEvidence` reads it.
 */
import { encodeBase64 } from '../../lib/src/audit/base64.ts'
import {
  EVIDENCE_FORMAT,
  type EvidenceBundle,
  type EvidenceEntry,
  type EvidenceText,
  type EvidenceVersion,
  logOrigin,
  parseCheckpoint,
  parseNote,
} from '../../lib/src/audit/index.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { isManagementRefusal, type ManagementRefusal } from '../core/management-refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { StoredEntry, TenantVersions, TextName } from './ports.ts'
import {
  findLog,
  type ReadAuditDeps,
  readTaskEntries,
  recordReading,
  type TaskEntry,
  type TaskStoryRequest,
} from './read-audit.ts'
import type { SourceTexts, TenantFolders } from './version-content.ts'

export interface EvidenceDeps extends ReadAuditDeps {
  readonly versions: TenantVersions
  readonly folders: TenantFolders
  /** Base64url: of the digest that stands in an entry for the text of this name. */
  readonly saltOf: (entry: Pick<StoredEntry, 'tenant' | 'ref'>, name: TextName) => string
  /** What the files of a version say: the documents its id is a hash of. */
  readonly documentsOf: (sources: SourceTexts) => Readonly<Record<string, unknown>>
  /** Keys the tenant publishes, by which its tokens are verified. */
  readonly jwksOf: (tenant: Tenant) => object
}

export interface Evidence extends EvidenceBundle {
  /** The tenant's published keys now; for whoever has a token of the task. Not proven. */
  readonly jwks: object
  /** Versions that entries name and that are kept no more. */
  readonly missing_versions: readonly string[]
  /** There are more entries than a bundle may have: these are the oldest. */
  readonly is_cut: boolean
}

export async function makeEvidence(
  deps: EvidenceDeps,
  { txn, ...request }: TaskStoryRequest,
): Promise<Evidence | ManagementRefusal> {
  const tenant = findLog(deps, request)
  if (isManagementRefusal(tenant)) return tenant
  const told = await readTaskEntries(deps, tenant, txn)
  if (isManagementRefusal(told)) return told
  await recordReading(deps, request.record)
  const checkpoint = await deps.records.checkpoint(tenant.id)
  if (checkpoint === undefined) throw new Error('a log with an entry has no checkpoint')
  const { origin, size } = parseCheckpoint(parseNote(checkpoint).text)
  if (origin !== logOrigin(tenant.issuer)) throw new Error('the log is named for another issuer')
  const entries: EvidenceEntry[] = []
  for (const { index, bytes } of told.entries) {
    const proof = await deps.records.inclusionProof(tenant.id, index, size)
    entries.push({ index, ...leafOf(bytes), proof: proof.map(encodeBase64) })
  }
  const { versions, missing } = findVersions(deps, tenant.id, told.entries)
  return {
    format: EVIDENCE_FORMAT,
    tenant: tenant.id,
    issuer: tenant.issuer,
    txn,
    origin,
    key: await deps.records.key(tenant.id),
    checkpoint,
    entries,
    versions,
    missing_versions: missing,
    texts: told.entries.flatMap((entry) => textsOf(deps, entry)),
    is_cut: told.isCut,
    jwks: deps.jwksOf(tenant),
  }
}

/** A whole entry may stand behind octets that a crash tore in the middle of a character. */
function leafOf(bytes: Uint8Array): Pick<EvidenceEntry, 'line' | 'line_base64'> {
  try {
    return { line: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { line_base64: encodeBase64(bytes) }
  }
}

function textsOf({ saltOf }: EvidenceDeps, told: TaskEntry): readonly EvidenceText[] {
  const { index, entry, texts } = told
  return Object.entries(texts).map(([name, text]) => {
    return { index, name, salt: saltOf(entry, name as TextName), text }
  })
}

function findVersions(
  { versions, folders, documentsOf }: EvidenceDeps,
  tenant: string,
  entries: readonly TaskEntry[],
): { readonly versions: readonly EvidenceVersion[]; readonly missing: readonly string[] } {
  const folder = folders.find(tenant)
  const found: EvidenceVersion[] = []
  const missing: string[] = []
  for (const version of new Set(entries.map(({ entry }) => entry.tenant_version))) {
    if (version === '') continue // decided before the tenant had one
    const content =
      versions.find(tenant, version) ?? (folder?.version === version ? folder : undefined)
    if (content === undefined) missing.push(version)
    else found.push({ version, documents: documentsOf(content.sources) as JsonObject })
  }
  return { versions: found, missing }
}
