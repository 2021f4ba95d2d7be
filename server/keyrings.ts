/**
 * The signing keys of tenants, as the store has them at this moment in every process. What is published is in the records, so
 * nothing is opened to verify; a private key is opened when it first has to sign, off the event loop, and let go once another one
 * signs. Every signature looks at the store again before it is answered, so a killed key signs nothing more in any process.
 */
import type { KeeperKind, KeyKeeper } from '../keys/key-keeper.ts'
import { type Keyring, keyringOf } from '../keys/keyring.ts'
import { readPrivateKey } from '../keys/private-key.ts'
import { createLocalSigner, type Signer } from '../keys/signer.ts'
import { type KeyRecord, type KeysAt, keysAt, type SigningKeys } from './core/key-plan.ts'
import type { SigningAlgorithm, Tenant } from './core/tenant.ts'
import type { Clock, TenantVersions } from './use-cases/ports.ts'
import type { NewKey, PrivateKeys } from './use-cases/signing-keys.ts'

export interface Keyrings extends PrivateKeys {
  /**
   * Reads shared memory; the same object until another key signs or is published. Throws for a tenant as it was before one of
   * its keys was killed: what is being decided then is not answered.
   */
  readonly keyringOf: (tenant: Tenant) => Keyring
  /** Opens the key in use. Resolves to it where it is not where it was kept; rejects where that cannot be told. */
  readonly findLost: (tenant: Tenant) => Promise<KeyRecord | undefined>
}

export interface KeyringsDeps {
  readonly versions: Pick<TenantVersions, 'revision' | 'live'>
  readonly clock: Clock
  /** Keys are made in the first one; those of records are opened in the one they name. */
  readonly keepers: readonly [KeyKeeper, ...KeyKeeper[]]
  /** Told of a private key that could not be destroyed. */
  readonly onFault: (fault: unknown, tenant: string) => void
}

/** Of one tenant. */
interface Known {
  /** Of its live state. */
  readonly revision: number
  readonly signingKeys: SigningKeys
  readonly at: KeysAt
  readonly keyring: Keyring
}

class KeyLost extends Error {}

export function createKeyrings(deps: KeyringsDeps): Keyrings {
  const { versions, clock, keepers, onFault } = deps
  const known = new Map<string, Known>()
  const opened = new Map<string, Map<number, Promise<Signer>>>()
  const destroyed = new Set<string>()

  function read(id: string): Known {
    const revision = versions.revision(id)
    const now = clock.now()
    const last = known.get(id)
    const isIn = last !== undefined && last.at.since <= now && now < last.at.until
    if (isIn && last.revision === revision) return last
    const live = versions.live(id)
    const { signingKeys } = live
    const isSame = isIn && last.signingKeys.revision === signingKeys.revision
    const fresh = isSame ? { ...last, revision: live.revision } : look(id, live, now)
    known.set(id, fresh)
    if (!isSame) letGo(id, fresh)
    return fresh
  }

  function look(
    id: string,
    { revision, signingKeys }: { readonly revision: number; readonly signingKeys: SigningKeys },
    now: number,
  ): Known {
    const at = keysAt(signingKeys, now)
    if (at === undefined) throw new Error('the tenant has no signing key')
    const others = at.published.filter(({ number }) => number !== at.active.number)
    const keyring = keyringOf(
      signerOf(id, at.active),
      others.map(({ publicJwk }) => publicJwk),
    )
    return { revision, signingKeys, at, keyring }
  }

  /** What signs no more is forgotten here; what nobody needs any more is destroyed where it is kept. */
  function letGo(id: string, { at, signingKeys }: Known): void {
    const mine = opened.get(id)
    for (const number of mine?.keys() ?? []) {
      if (number !== at.active.number) mine?.delete(number)
    }
    for (const key of [...at.over, ...signingKeys.killed]) void destroy(id, key)
  }

  function signerOf(id: string, record: KeyRecord): Signer {
    const { kid, publicJwk, number } = record
    const alg: SigningAlgorithm = record.alg
    return {
      alg,
      kid,
      publicJwk,
      sign: async (signingInput) => {
        const signer = await openOnce(id, record)
        const signature = await signer.sign(signingInput)
        // Afterwards, so that a kill in the meantime counts too: what it signed is not answered.
        if (read(id).signingKeys.keys.some((key) => key.number === number)) return signature
        throw new Error('the signing key was killed')
      },
    }
  }

  /** Kept while it is the key in use; one that fails to open is tried again by whoever needs it next. */
  function openOnce(id: string, record: KeyRecord): Promise<Signer> {
    const mine = opened.get(id) ?? new Map<number, Promise<Signer>>()
    opened.set(id, mine)
    const { number } = record
    const last = mine.get(number)
    if (last !== undefined) return last
    const opening = openRecord(id, record)
    if (read(id).at.active.number === number) {
      mine.set(number, opening)
      opening.catch(() => mine.delete(number))
    }
    return opening
  }

  async function openRecord(id: string, { number, kid, alg, keeper }: KeyRecord): Promise<Signer> {
    const signer = await keeperOf(keeper).open(nameOf(id, number), alg)
    if (signer === undefined) throw new KeyLost('the signing key is not where it was kept')
    if (signer.kid !== kid) throw new Error('the signing key is another one than was recorded')
    return signer
  }

  function keeperOf(kind: KeeperKind): KeyKeeper {
    const keeper = keepers.find((one) => one.kind === kind)
    if (keeper === undefined) throw new Error(`no keeper of ${kind} keys is configured`)
    return keeper
  }

  const [maker] = keepers

  async function destroy(
    id: string,
    { number, keeper }: Pick<KeyRecord, 'number' | 'keeper'>,
  ): Promise<void> {
    const name = nameOf(id, number)
    if (destroyed.has(name)) return
    destroyed.add(name)
    try {
      await keeperOf(keeper).remove(name)
    } catch (fault) {
      destroyed.delete(name)
      onFault(fault, id)
    }
  }

  return {
    keyringOf: ({ id, keysKilled }) => {
      const { signingKeys, keyring } = read(id)
      if (signingKeys.killed.length > keysKilled) throw new Error('the signing key was killed')
      return keyring
    },
    findLost: async ({ id }) => {
      const { active } = read(id).at
      try {
        await openOnce(id, active)
        return undefined
      } catch (fault) {
        if (fault instanceof KeyLost) return active
        throw fault
      }
    },
    make: async (id, number, alg) => newKey(maker, await maker.make(nameOf(id, number), alg)),
    read: async (text) => {
      const key = await readPrivateKey(text)
      if (typeof key === 'string') return key
      if (maker.import === undefined) return 'keeper_takes_no_keys'
      const { alg, jwk } = key
      const { kid, publicJwk } = createLocalSigner(jwk, alg)
      const keep = async (id: string, number: number): Promise<NewKey> =>
        newKey(maker, await bring(maker, nameOf(id, number), key))
      return { kid, alg, publicJwk, keep }
    },
    destroy,
  }
}

async function bring(
  maker: KeyKeeper,
  name: string,
  { alg, jwk }: { readonly alg: SigningAlgorithm; readonly jwk: Readonly<Record<string, string>> },
): Promise<Signer> {
  const kept = await maker.import?.(name, alg, jwk)
  if (kept === undefined) throw new TypeError('this keeper takes no keys')
  // Where a store was put back that had forgotten a number, its name is taken.
  if (kept.kid !== createLocalSigner(jwk, alg).kid) throw new Error('another key has this name')
  return kept
}

function newKey({ kind: keeper }: KeyKeeper, { kid, alg, publicJwk }: Signer): NewKey {
  return { kid, alg, publicJwk, keeper }
}

/** Ids of tenants have no dot, and numbers begin at 1: no other key has this name. */
function nameOf(tenant: string, number: number): string {
  return `${tenant}.${number}`
}
