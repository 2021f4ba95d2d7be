/**
 * The signing keys of tenants, opened when they are first needed: a tenant may come, and its key be killed, long after the
 * start. Unsealing is slow on purpose, so what was opened is kept, and of each tenant and algorithm only the newest: once
 * this process knows of a kill, nothing in it holds the killed key.
 */
import { type Keyring, openKeyring } from '../keys/keyring.ts'
import type { Tenant } from './core/tenant.ts'
import type { SigningKeys } from './use-cases/kill-key.ts'

export interface Keyrings extends SigningKeys {
  /** Throws for a tenant as it was before its key was killed: what is being signed then is not answered. */
  readonly keyringOf: (tenant: Tenant) => Keyring
}

interface Opened {
  readonly epoch: number
  readonly keyring: Keyring
}

export function createKeyrings(place: {
  readonly dataFolder: string
  readonly secret: string
}): Keyrings {
  const opened = new Map<string, Opened>()
  const open = ({ id, signingAlgorithm }: Tenant, epoch: number): Keyring =>
    openKeyring({ ...place, tenant: id, epoch }, signingAlgorithm)

  function keyringOf(tenant: Tenant): Keyring {
    const { id, signingAlgorithm, keyEpoch: epoch } = tenant
    const name = `${id} ${signingAlgorithm}`
    const last = opened.get(name)
    if (last !== undefined && last.epoch >= epoch) {
      if (last.epoch === epoch) return last.keyring
      throw new Error('the signing key was killed')
    }
    const keyring = open(tenant, epoch)
    opened.set(name, { epoch, keyring })
    return keyring
  }

  return {
    keyringOf,
    list: (tenant) => {
      const { kid, alg } = keyringOf(tenant).active
      return [{ kid, alg }]
    },
    makeNext: (tenant) => void open(tenant, tenant.keyEpoch + 1),
  }
}
