/**
 * Wires signing keys: where private keys are kept, the first key of each tenant, and a planned one where a tenant's files now ask
 * for another algorithm. A key service of a cloud is wired here, as one more keeper (docs/keys.md).
 */
import { createSealedKeeper } from '../keys/sealed-keeper.ts'
import type { Config } from './config.ts'
import type { Tenant } from './core/tenant.ts'
import { createKeyrings, type Keyrings } from './keyrings.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import type { Clock, TenantVersions } from './use-cases/ports.ts'
import { ensureFirstKey, followAlgorithm } from './use-cases/signing-keys.ts'

export interface KeysEdges {
  readonly log: Log
  readonly clock: Clock
  readonly versions: TenantVersions
  /** Tenants that could be used at the start. */
  readonly present: readonly Tenant[]
  /** Seals the keys that are files. */
  readonly secret: string
}

/** Rejects where a key cannot be opened: that stops the start, not the first request. */
export async function openKeys(config: Config, edges: KeysEdges): Promise<Keyrings> {
  const { log, clock, versions, present, secret } = edges
  const { dataFolder } = config
  const keys = createKeyrings({
    versions,
    clock,
    keepers: [createSealedKeeper({ dataFolder, secret })],
    onFault: (fault, tenant) =>
      log.error({ event: 'key_not_destroyed', tenant, reason: faultReason(fault) }),
  })
  const deps = { clock, versions, keys }
  for (const tenant of present) {
    await ensureFirstKey(deps, tenant.id, tenant.signingAlgorithm)
    await keys.openActive(tenant)
    const planned = await followAlgorithm(deps, tenant)
    if (planned !== undefined) {
      log.info({ event: 'signing_key_planned', tenant: tenant.id, kid: planned.kid })
    }
  }
  return keys
}
