/**
 * Plans the tenant's next signing key: published now, signing once every verifier has had time to read it. The one before stays
 * published until the last token it signed has ended, so nothing fails on the way (attack case K03).
 */

import type { KeyRecord } from '../core/key-plan.ts'
import { type ManagementRefusal, refuseKey, refuseManagement } from '../core/management-refusal.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { AuditLog, Tenants } from './ports.ts'
import { type AddedKey, addKey, type SigningKeysDeps } from './signing-keys.ts'

export interface RotateKeyDeps extends SigningKeysDeps {
  readonly tenants: Tenants
  readonly audit: AuditLog
}

export interface RotateKeyInput {
  readonly tenant: string
  readonly record: DecisionRecord
}

/** Resolves when the key is durable, seen by every process, and its entry on disk. */
export async function rotateKey(
  deps: RotateKeyDeps,
  { tenant: id, record }: RotateKeyInput,
): Promise<KeyRecord | ManagementRefusal> {
  const tenant = deps.tenants.find(id)
  if (tenant === undefined) return refuseManagement('not_found', 'tenant_unknown')
  const { signingAlgorithm: alg } = tenant
  return settle(
    deps,
    record,
    await addKey(deps, tenant, (number) => deps.keys.make(id, number, alg)),
  )
}

/** On record, or refused with when it can be asked again. */
export async function settle(
  deps: RotateKeyDeps,
  record: DecisionRecord,
  added: AddedKey,
): Promise<KeyRecord | ManagementRefusal> {
  if (added.kind === 'waiting') return refuseKey('key_waiting', added.next.from)
  if (added.kind === 'full') return refuseKey('keys_full', added.until)
  const { kid, from } = added.key
  record.note({ kid, signs_from: from })
  await deps.audit.append(record.permitted(deps.clock.now()))
  return added.key
}
