/**
 * Declares a tenant's signing key compromised (attack case K04). From then on every process signs with another key, and what
 * the killed one signed verifies nowhere: tokens, status lists, management tokens of the tenant's people. Verifiers learn it
 * from the event stream, within the bound of a revocation. There is no way back.
 */
import { type ManagementRefusal, refuseManagement } from '../core/management-refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { AuditLog, Clock, Tenants, TenantVersions } from './ports.ts'

/** Of a key in a tenant's key set. */
export interface SigningKey {
  readonly kid: string
  readonly alg: Tenant['signingAlgorithm']
}

export interface SigningKeys {
  /** The tenant's key set; the first signs. */
  list(tenant: Tenant): readonly SigningKey[]
  /** Makes the key that comes after the one in use, if nobody did. */
  makeNext(tenant: Tenant): void
}

export interface KillKeyDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly versions: TenantVersions
  readonly keys: SigningKeys
  readonly audit: AuditLog
}

export interface KillKeyInput {
  readonly tenant: string
  /** The key its author means; any other than the one in use is refused, so that asking twice kills one. */
  readonly kid: string
  /** The author's own words. */
  readonly reason: string
  readonly record: DecisionRecord
}

/** Resolves when the kill is durable, seen by every process, and its entry on disk. Undefined: done. */
export async function killKey(
  deps: KillKeyDeps,
  { tenant: id, kid, reason, record }: KillKeyInput,
): Promise<ManagementRefusal | undefined> {
  const tenant = deps.tenants.find(id)
  if (tenant === undefined) return refuseManagement('not_found', 'tenant_unknown')
  record.note({ kid, ended_because: reason })
  if (deps.keys.list(tenant)[0]?.kid !== kid) return refuseManagement('precondition_failed')
  // Before the kill: a disk without room for a key leaves the tenant one, and requests wait for none.
  deps.keys.makeNext(tenant)
  const outcome = await deps.versions.killKey(id, tenant.keyEpoch)
  if (outcome === 'conflict') return refuseManagement('precondition_failed')
  await deps.audit.append(record.permitted(deps.clock.now()))
  return undefined
}
