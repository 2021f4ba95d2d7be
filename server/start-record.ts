/** What a start found and did, on record: the configuration of each tenant that comes from its folder, keys that were made. */
import { randomBytes } from 'node:crypto'
import type { KeyRecord } from './core/key-plan.ts'
import type { Tenant } from './core/tenant.ts'
import type { AuditEntry, AuditLog, Clock, TenantVersions } from './use-cases/ports.ts'

/** No name of an author, which has a colon. */
const SERVER = 'server'

export interface StartRecordDeps {
  readonly clock: Clock
  readonly audit: AuditLog
  readonly versions: TenantVersions
}

export interface KeyChange {
  readonly tenant: Tenant
  readonly action: 'create_key' | 'rotate_key'
  readonly key: KeyRecord
  readonly because?: string
}

/**
 * Resolves when all of it is durable. A tenant of the store has no entry: its version is on record since it was made live. In the
 * journal where the log fails: a server that starts then can still end what has to end.
 */
export async function recordStart(
  { clock, audit, versions }: StartRecordDeps,
  found: { readonly present: readonly Tenant[]; readonly keys: readonly KeyChange[] },
): Promise<void> {
  const now = clock.now()
  const loaded = found.present
    .filter(({ id }) => versions.live(id).version === undefined)
    .map((tenant) => entryOf(tenant, now, { action: 'load_tenant', version_after: tenant.version }))
  const changed = found.keys.map(({ tenant, action, key, because }) =>
    entryOf(tenant, now, {
      action,
      kid: key.kid,
      signs_from: key.from,
      ...(because === undefined ? {} : { ended_because: because }),
    }),
  )
  await Promise.all([...loaded, ...changed].map((entry) => audit.appendRevocation(entry)))
}

function entryOf({ id, version }: Tenant, time: number, facts: Partial<AuditEntry>): AuditEntry {
  return {
    time,
    ref: randomBytes(16).toString('base64url'),
    tenant: id,
    tenant_version: version,
    event: 'management',
    outcome: 'permit',
    author: SERVER,
    ...facts,
  }
}
