/**
 * A rotation to a key that was made elsewhere. It has to be fit to sign as the tenant signs, and nobody else's: a key another tenant
 * has, one this tenant has or had killed, or one that is printed in a document, is refused, and none of them is told apart outside.
 */
import type { KeyRecord } from '../core/key-plan.ts'
import { type ManagementRefusal, refuseManagement } from '../core/management-refusal.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { TenantVersions } from './ports.ts'
import { type RotateKeyDeps, settle } from './rotate-key.ts'
import { addKey, type BroughtKey } from './signing-keys.ts'
import type { TenantFolders } from './version-content.ts'

export interface ImportKeyDeps extends RotateKeyDeps {
  readonly folders: TenantFolders
}

export interface ImportKeyInput {
  readonly tenant: string
  /** PEM or a JSON Web Key. Secret: it goes to no record, log or answer. */
  readonly privateKey: string
  readonly record: DecisionRecord
}

/** Resolves when the key is durable, seen by every process, and its entry on disk. */
export async function importKey(
  deps: ImportKeyDeps,
  { tenant: id, privateKey, record }: ImportKeyInput,
): Promise<KeyRecord | ManagementRefusal> {
  const tenant = deps.tenants.find(id)
  if (tenant === undefined) return refuseManagement('not_found', 'tenant_unknown')
  const brought = await deps.keys.read(privateKey)
  if (typeof brought === 'string') return refuseManagement('key_unacceptable', brought)
  if (brought.alg !== tenant.signingAlgorithm) {
    return refuseManagement('key_unacceptable', 'key_of_another_algorithm')
  }
  const ids = new Set([id, ...deps.folders.ids(), ...deps.versions.tenants()])
  if ([...ids].some((one) => has(deps.versions, one, brought))) {
    return refuseManagement('key_unacceptable', 'key_in_use')
  }
  return settle(deps, record, await addKey(deps, tenant, (number) => brought.keep(id, number)))
}

/** By name: two keys of one name would be one to every verifier, even if they are two. */
function has(versions: TenantVersions, tenant: string, { kid }: BroughtKey): boolean {
  const { keys, killed } = versions.live(tenant).signingKeys
  return [...keys, ...killed].some((key) => key.kid === kid)
}
