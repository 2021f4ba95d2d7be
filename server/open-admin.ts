/** Wires the management API: its keys, who may sign in, the check of versions. */
import { openKeyring } from '../keys/keyring.ts'
import type { TextDigests } from './audit/text-digests.ts'
import type { Config } from './config.ts'
import { pause } from './heal-tasks.ts'
import type { RequestListener } from './http/dispatch.ts'
import { createManagement } from './http/management/management.ts'
import { createManagementAccess } from './oauth/management-sign-in.ts'
import type { ProviderDeps } from './oauth/provider.ts'
import { ensureOperatorKey } from './operator-key.ts'
import { createTenantChecks, createTenantFolders } from './tenant-checks.ts'
import type { LoadedTenant } from './tenants/load-tenants.ts'
import { readDocuments } from './tenants/version-documents.ts'
import { PLATFORM } from './use-cases/author.ts'
import type { AuditRecords, TenantVersions } from './use-cases/ports.ts'
import { createActionRecorder } from './use-cases/record-actions.ts'
import type { SharedSignals } from './use-cases/shared-signals.ts'
import type { PrivateKeys } from './use-cases/signing-keys.ts'
import type { UsageLog } from './use-cases/usage.ts'

export interface AdminEdges {
  /** What the OAuth endpoints are made of, too: one replay guard, one audit log, one look at tenants. */
  readonly deps: ProviderDeps
  readonly versions: TenantVersions
  readonly keys: PrivateKeys
  readonly sharedSignals: SharedSignals
  readonly usage: UsageLog
  readonly records: AuditRecords
  readonly digests: TextDigests
  readonly loaded: ReadonlyMap<string, LoadedTenant>
  /** Seals the key that signs the operator's tokens. */
  readonly secret: string
}

export function openAdmin(config: Config, edges: AdminEdges): RequestListener {
  const { publicUrl, dataFolder } = config
  const { deps, versions, keys, sharedSignals, usage, records, digests, loaded, secret } = edges
  const access = createManagementAccess({
    ...deps,
    publicUrl,
    platformKeyring: openKeyring({ dataFolder, owner: PLATFORM, secret }, 'ES256'),
    operatorKey: ensureOperatorKey(dataFolder),
  })
  return createManagement({
    ...deps,
    publicUrl,
    pause,
    versions,
    keys,
    sharedSignals,
    usage,
    access,
    records,
    actionRecorder: createActionRecorder({ ...deps, records }),
    saltOf: (entry, name) => digests.salt(entry, name),
    jwksOf: (tenant) => deps.keyringOf(tenant).jwks,
    documentsOf: (sources) => readDocuments(new Map(Object.entries(sources))),
    folders: createTenantFolders(loaded),
    checks: createTenantChecks(config),
  })
}
