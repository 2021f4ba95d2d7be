/** Wires the record: the logs of all tenants, what is proven of them, who may read them. */
import { openOctetSigner } from '../keys/octet-signer.ts'
import { createTextSeal } from '../keys/text-seal.ts'
import { logOrigin, parseCheckpoint, parseNote } from '../lib/src/audit/index.ts'
import { openAppendFile } from './audit/append-file.ts'
import { createAuditRecords } from './audit/audit-records.ts'
import { openAuditWriter } from './audit/audit-writer.ts'
import { openJournalFile } from './audit/journal-file.ts'
import { createKeptTexts } from './audit/kept-texts.ts'
import { type LogTrees, openLogTrees } from './audit/log-trees.ts'
import { openSearchIndex } from './audit/search-index.ts'
import { createTextDigests, type TextDigests } from './audit/text-digests.ts'
import { withTexts } from './audit/texts-beside.ts'
import type { Config } from './config.ts'
import type { Tenant } from './core/tenant.ts'
import type { OpenedTelemetry } from './open-telemetry.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import type { LoadedTenant } from './tenants/load-tenants.ts'
import { PLATFORM } from './use-cases/author.ts'
import type {
  AuditEntry,
  AuditLog,
  AuditRecords,
  Tenants,
  TenantVersions,
} from './use-cases/ports.ts'

export interface AuditEdges {
  readonly log: Log
  readonly versions: TenantVersions
  readonly loaded: ReadonlyMap<string, LoadedTenant>
  readonly tenants: Tenants
  readonly watch: Pick<OpenedTelemetry, 'counted' | 'traced' | 'metrics'>
  /** What salts of texts are derived from, and what seals those that are kept. */
  readonly secret: string
}

export interface OpenedAudit {
  readonly audit: AuditLog
  readonly trees: LogTrees
  readonly records: AuditRecords
  readonly digests: TextDigests
  /** Octets of revocations that wait for the log. */
  journalOctets(): number
  /** Logs that do not fit their last checkpoint. */
  readonly damaged: ReadonlySet<string>
  close(): Promise<void>
}

/** Throws where the disk has no room for the journal. */
export async function openAudit(
  config: Config,
  { log, versions, loaded, tenants, watch, secret }: AuditEdges,
): Promise<OpenedAudit> {
  const known = new Set(loaded.keys())
  // A name in a path that is no tenant's makes no log of its own. One that is stays one: it is looked up once.
  const isTenant = (id: string): boolean => {
    if (!known.has(id) && versions.live(id).version !== undefined) known.add(id)
    return known.has(id)
  }
  const digests = createTextDigests(secret)
  const logOf = ({ tenant }: AuditEntry): string => (isTenant(tenant) ? tenant : PLATFORM)
  const writer = await openAuditWriter({
    dataFolder: config.dataFolder,
    logOf,
    digest: digests.digest,
    openFile: openAppendFile,
    openJournalFile,
    elapsed: () => performance.now(),
    after,
    onCommit: (commit) => watch.metrics.committed(commit),
  })
  const seal = createTextSeal(secret)
  const texts = createKeptTexts({
    dataFolder: config.dataFolder,
    seal,
    openFile: openAppendFile,
    after,
  })
  const keptBy = (id: string) => keptTexts(tenants, id)
  const damaged = new Set<string>()
  const index = openSearchIndex(config.dataFolder)
  const trees = openLogTrees({
    dataFolder: config.dataFolder,
    index,
    originOf: (name) => originOf(config.publicUrl, name),
    // One key for all logs of this server.
    key: openOctetSigner({ dataFolder: config.dataFolder, owner: `${PLATFORM}.audit`, secret }),
    onCheckpoint: (name, note) => {
      damaged.delete(name)
      const { size } = parseCheckpoint(parseNote(note).text)
      watch.metrics.checkpointed(name, size, Date.now() / 1000)
    },
    onDamage: (name, what) => {
      damaged.add(name)
      log.error({ event: 'audit_damaged', tenant: name, reason: what })
    },
    onFault: (fault, name) =>
      log.error({
        event: 'audit_failed',
        ...(name !== undefined && { tenant: name }),
        reason: faultReason(fault),
      }),
  })
  trees.start()
  return {
    audit: watch.counted(
      watch.traced('audit', withTexts({ audit: writer, texts, logOf, keptBy })),
      isTenant,
    ),
    journalOctets: () => writer.octets(),
    damaged,
    trees,
    digests,
    records: createAuditRecords({ trees, index, texts }),
    close: async () => {
      await writer.close()
      await texts.close()
      await trees.close()
      await index.close()
    },
  }
}

function after(milliseconds: number, work: () => void): () => void {
  const timer = setTimeout(work, milliseconds)
  return () => clearTimeout(timer)
}

/** One whose live version cannot be used says nothing of it. */
function keptTexts(tenants: Tenants, id: string): Tenant['keptTexts'] {
  try {
    return tenants.find(id)?.keptTexts ?? new Set()
  } catch {
    return new Set()
  }
}

/** First line of a log's checkpoints, and the name its key has there. */
function originOf(publicUrl: string, log: string): string {
  return logOrigin(log === PLATFORM ? publicUrl : `${publicUrl}/t/${log}`)
}
