/** Wires the record: the logs of all tenants, what is proven of them, who may read them. */
import { openAppendFile } from './audit/append-file.ts'
import { openAuditWriter } from './audit/audit-writer.ts'
import { openJournalFile } from './audit/journal-file.ts'
import { createTextDigests } from './audit/text-digests.ts'
import type { Config } from './config.ts'
import type { LoadedTenant } from './tenants/load-tenants.ts'
import { PLATFORM } from './use-cases/author.ts'
import type { AuditLog, TenantVersions } from './use-cases/ports.ts'

export interface AuditEdges {
  readonly versions: TenantVersions
  readonly loaded: ReadonlyMap<string, LoadedTenant>
  /** What salts of texts are derived from. */
  readonly secret: string
}

export interface OpenedAudit {
  readonly audit: AuditLog
  close(): Promise<void>
}

/** Throws where the disk has no room for the journal. */
export async function openAudit(
  config: Config,
  { versions, loaded, secret }: AuditEdges,
): Promise<OpenedAudit> {
  // A name in a path that is no tenant's makes no log of its own.
  const isTenant = (id: string): boolean =>
    loaded.has(id) || versions.live(id).version !== undefined
  const writer = await openAuditWriter({
    dataFolder: config.dataFolder,
    logOf: ({ tenant }) => (isTenant(tenant) ? tenant : PLATFORM),
    digest: createTextDigests(secret).digest,
    openFile: openAppendFile,
    openJournalFile,
    elapsed: () => performance.now(),
    after: (milliseconds, work) => {
      const timer = setTimeout(work, milliseconds)
      return () => clearTimeout(timer)
    },
  })
  return { audit: writer, close: () => writer.close() }
}
