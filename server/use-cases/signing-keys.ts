/**
 * How a tenant's signing keys come and go, for the verbs that are asked for (rotate-key, import-key, kill-key) and for those that
 * follow from others: a first key, another algorithm. The private half is made before its record, so a crash between the two leaves
 * a key nobody knows and no record without a key; of two who record at once the first wins, and the other's key is destroyed.
 */
import {
  type KeyRecord,
  keysAt,
  planRotation,
  type RotationPlan,
  type SigningKeys,
  withKey,
  withoutNext,
  withSuccessor,
} from '../core/key-plan.ts'
import type { SigningAlgorithm, Tenant } from '../core/tenant.ts'
import type { Clock, TenantVersions } from './ports.ts'

/** A key whose private half is kept; it signs nothing yet. */
export type NewKey = Pick<KeyRecord, 'kid' | 'alg' | 'publicJwk' | 'keeper'>

/** A private key that was made elsewhere, readable and fit to sign. */
export interface BroughtKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: KeyRecord['publicJwk']
  keep(tenant: string, number: number): Promise<NewKey>
}

/** Where private halves are. Nothing of them ever comes out of it. */
export interface PrivateKeys {
  make(tenant: string, number: number, alg: SigningAlgorithm): Promise<NewKey>
  /** Why it is not taken, as a guard, where it is not. */
  read(text: string): Promise<BroughtKey | string>
  /** Never rejects: what fails is told, and tried again whenever keys change and at the next start. */
  destroy(tenant: string, key: Pick<KeyRecord, 'number' | 'keeper'>): Promise<void>
}

export interface SigningKeysDeps {
  readonly clock: Clock
  readonly versions: TenantVersions
  readonly keys: PrivateKeys
}

type NotPlanned = Exclude<RotationPlan, { readonly kind: 'planned' }>

export type AddedKey = { readonly kind: 'added'; readonly key: KeyRecord } | NotPlanned

/** Makes a key the tenant's next one. Undoes the making where somebody else planned one meanwhile. */
export async function addKey(
  { clock, versions, keys }: SigningKeysDeps,
  { id, keyCachePeriod: cachePeriod }: Pick<Tenant, 'id' | 'keyCachePeriod'>,
  make: (number: number) => Promise<NewKey>,
): Promise<AddedKey> {
  const plan = (signingKeys: SigningKeys) =>
    planRotation(signingKeys, { now: clock.now(), cachePeriod })
  const first = plan(versions.live(id).signingKeys)
  if (first.kind !== 'planned') return first
  const number = await versions.reserveKeyNumber(id)
  const made = await make(number)
  for (;;) {
    // Making takes a while, so time is counted from here. Read once: a plan is recorded on what it was made for, or not at all.
    const { signingKeys } = versions.live(id)
    const planned = plan(signingKeys)
    if (planned.kind !== 'planned') {
      await keys.destroy(id, { number, keeper: made.keeper })
      return planned
    }
    const key: KeyRecord = { number, ...made, from: planned.from }
    const next = withKey(signingKeys, key, clock.now())
    if ((await versions.setSigningKeys(id, next)) === 'changed') return { kind: 'added', key }
  }
}

/** Makes and records the tenant's first key, if it has none. Undefined where it has: whoever comes second uses the first one's. */
export async function ensureFirstKey(
  { clock, versions, keys }: SigningKeysDeps,
  id: string,
  alg: SigningAlgorithm,
): Promise<KeyRecord | undefined> {
  if (versions.live(id).signingKeys.keys.length > 0) return undefined
  const number = await versions.reserveKeyNumber(id)
  const made = await keys.make(id, number, alg)
  for (;;) {
    const { signingKeys } = versions.live(id)
    if (signingKeys.keys.length > 0) {
      await keys.destroy(id, { number, keeper: made.keeper })
      return undefined
    }
    const now = clock.now()
    const key: KeyRecord = { number, ...made, from: Math.floor(now) }
    const outcome = await versions.setSigningKeys(id, withKey(signingKeys, key, now))
    if (outcome === 'changed') return key
  }
}

/**
 * The private half of the key in use is nowhere any more: another key signs from now on. It was lost, not stolen, so what it signed
 * stays good. Undefined where somebody else saw to it first.
 */
export async function replaceLostKey(
  { clock, versions, keys }: SigningKeysDeps,
  { id, signingAlgorithm: alg }: Tenant,
  lost: number,
): Promise<KeyRecord | undefined> {
  let heir: KeyRecord | undefined
  for (;;) {
    const { signingKeys } = versions.live(id)
    const now = clock.now()
    if (keysAt(signingKeys, now)?.active.number !== lost) break
    const next = withSuccessor(signingKeys, { now, heir })
    if (next === 'heir_needed') {
      const number = await versions.reserveKeyNumber(id)
      heir = { number, ...(await keys.make(id, number, alg)), from: 0 }
    } else if ((await versions.setSigningKeys(id, next)) === 'changed') {
      const active = keysAt(next, now)?.active
      if (heir !== undefined && heir.number !== active?.number) await keys.destroy(id, heir)
      return active
    }
  }
  if (heir !== undefined) await keys.destroy(id, heir)
  return undefined
}

/**
 * Plans a key of the tenant's algorithm where the last one is of another, as a rotation: the old key signs until then. A key of the
 * wrong algorithm that waits goes first. Undefined where there is nothing to plan, or no room for it.
 */
export async function followAlgorithm(
  deps: SigningKeysDeps,
  tenant: Tenant,
): Promise<KeyRecord | undefined> {
  const { clock, versions, keys } = deps
  const { id, signingAlgorithm: alg } = tenant
  for (;;) {
    const { signingKeys } = versions.live(id)
    const now = clock.now()
    const at = keysAt(signingKeys, now)
    const next = at?.published.find(({ state }) => state === 'next')
    if (at === undefined || (next ?? at.active).alg === alg) return undefined
    if (next !== undefined) {
      const outcome = await versions.setSigningKeys(id, withoutNext(signingKeys, now))
      if (outcome === 'changed') await keys.destroy(id, next)
      continue
    }
    const added = await addKey(deps, tenant, (number) => keys.make(id, number, alg))
    if (added.kind === 'added') return added.key
    if (added.kind === 'full') return undefined
  }
}
