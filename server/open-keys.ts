/**
 * Wires signing keys: where private keys are kept, the first key of each tenant, and a planned one where a tenant's files now ask
 * for another algorithm. A key service of a cloud is wired here, as one more keeper (docs/keys.md).
 */

import { createPkcs11Keeper, type Pkcs11Keeper } from '../keys/pkcs11-keeper.ts'
import { DeviceRefused } from '../keys/pkcs11-module.ts'
import { createSealedKeeper } from '../keys/sealed-keeper.ts'
import type { Config } from './config.ts'
import type { KeyRecord } from './core/key-plan.ts'
import type { Tenant } from './core/tenant.ts'
import { createKeyrings, type Keyrings } from './keyrings.ts'
import type { KeyChange } from './start-record.ts'
import { StartRefused } from './start-refused.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import type { Clock, TenantVersions } from './use-cases/ports.ts'
import { ensureFirstKey, followAlgorithm, replaceLostKey } from './use-cases/signing-keys.ts'

export interface KeysEdges {
  readonly log: Log
  readonly clock: Clock
  readonly versions: TenantVersions
  /** Tenants that could be used at the start. */
  readonly present: readonly Tenant[]
  /** Seals the keys that are files. */
  readonly secret: string
}

export interface OpenedKeys {
  readonly keyrings: Keyrings
  /** What was made of keys, for the record. */
  readonly changes: readonly KeyChange[]
  close(): Promise<void>
}

/** Rejects where a key cannot be opened: that stops the start, not the first request. */
export async function openKeys(config: Config, edges: KeysEdges): Promise<OpenedKeys> {
  const { log, clock, versions, present, secret } = edges
  const sealed = createSealedKeeper({ dataFolder: config.dataFolder, secret })
  const device = await connectDevice(config)
  const keyrings = createKeyrings({
    versions,
    clock,
    // With a device keys are made there; those that were files before are files until they are rotated.
    keepers: device === undefined ? [sealed] : [device, sealed],
    onFault: (fault, tenant) =>
      log.error({ event: 'key_not_destroyed', tenant, reason: faultReason(fault) }),
  })
  const close = async (): Promise<void> => device?.close()
  const deps = { clock, versions, keys: keyrings }
  const changes: KeyChange[] = []
  const replace = async ({ number, kid, keeper }: KeyRecord, tenant: Tenant): Promise<void> => {
    // A device that is another one has none of our keys: that is put right there, not here.
    if (keeper === 'pkcs11') {
      throw new StartRefused([
        `${tenant.id}: its signing key ${kid} is not in the PKCS#11 token; look at ACTCHAIN_PKCS11_TOKEN.`,
      ])
    }
    const heir = await replaceLostKey(deps, tenant, number)
    const because = `the private half of ${kid} is lost`
    if (heir !== undefined) changes.push({ tenant, action: 'create_key', key: heir, because })
    await keyrings.findLost(tenant)
    log.error({ event: 'signing_key_lost', tenant: tenant.id, kid })
  }
  try {
    for (const tenant of present) {
      const first = await ensureFirstKey(deps, tenant.id, tenant.signingAlgorithm)
      if (first !== undefined) changes.push({ tenant, action: 'create_key', key: first })
      expectKeeper(tenant.id, versions.live(tenant.id).signingKeys.keys, device)
      const lost = await keyrings.findLost(tenant)
      if (lost !== undefined) await replace(lost, tenant)
      const planned = await followAlgorithm(deps, tenant)
      if (planned === undefined) continue
      changes.push({ tenant, action: 'rotate_key', key: planned })
      log.info({ event: 'signing_key_planned', tenant: tenant.id, kid: planned.kid })
    }
  } catch (fault) {
    await close()
    throw told(fault)
  }
  return { keyrings, changes, close }
}

function expectKeeper(
  tenant: string,
  keys: readonly KeyRecord[],
  device: Pkcs11Keeper | undefined,
): void {
  if (device !== undefined || keys.at(-1)?.keeper !== 'pkcs11') return
  throw new StartRefused([
    `The signing key of tenant ${tenant} is in a PKCS#11 token; set ACTCHAIN_PKCS11_MODULE, ACTCHAIN_PKCS11_TOKEN and ACTCHAIN_PKCS11_PIN.`,
  ])
}

async function connectDevice({ pkcs11 }: Config): Promise<Pkcs11Keeper | undefined> {
  if (pkcs11 === undefined) return undefined
  const device = createPkcs11Keeper(pkcs11)
  try {
    await device.connect()
  } catch (fault) {
    throw told(fault)
  }
  return device
}

/** What the operator has to change about the device is a sentence of its own. */
function told(fault: unknown): unknown {
  return fault instanceof DeviceRefused ? new StartRefused([fault.message]) : fault
}
