/**
 * The signing keys of one tenant: made on first start, sealed at rest, shared by every process on the data folder.
 * One key per algorithm and epoch; the tenant's algorithm and the number of keys that were killed say which one signs.
 */
import { join } from 'node:path'
import type { SignatureAlgorithm } from './algorithm.ts'
import { createSealed, readSealed } from './sealed-file.ts'
import { createLocalSigner, generatePrivateJwk, type PrivateJwk, type Signer } from './signer.ts'
import { readVerificationKey, type VerificationKey } from './verification-key.ts'

export interface Keyring {
  /** Signs this tenant's tokens. */
  readonly active: Signer
  /** Every key its tokens may have been signed with, by `kid`. */
  readonly verificationKeys: ReadonlyMap<string, VerificationKey>
  /** RFC 7517 §5; public members only. */
  readonly jwks: { readonly keys: readonly Readonly<Record<string, string>>[] }
}

export interface KeyringPlace {
  readonly dataFolder: string
  readonly tenant: string
  readonly secret: string
  /** How many of the tenant's keys were killed before this one was made; default 0. */
  readonly epoch?: number
}

/** Opens the tenant's keyring, making it on first use. Two processes that start together agree on one key. */
export function openKeyring(place: KeyringPlace, alg: SignatureAlgorithm): Keyring {
  const { tenant, epoch = 0 } = place
  // Another file each time: a killed key is never opened again, and stays as evidence, sealed.
  const name = epoch === 0 ? `${tenant}.${alg}.sealed` : `${tenant}.${alg}.${epoch}.sealed`
  const path = join(place.dataFolder, 'keys', name)
  const sealed = readSealed(path, place.secret) ?? makeKey(path, place.secret, alg)
  return keyringOf(createLocalSigner(JSON.parse(sealed) as PrivateJwk, alg))
}

export function keyringOf(active: Signer): Keyring {
  const key = readVerificationKey(active.publicJwk, [active.alg])
  if (key === undefined) throw new TypeError('signing key has no usable public half')
  return {
    active,
    verificationKeys: new Map([[active.kid, key]]),
    jwks: { keys: [active.publicJwk] },
  }
}

function makeKey(path: string, secret: string, alg: SignatureAlgorithm): string {
  const made = JSON.stringify(generatePrivateJwk(alg))
  if (createSealed(path, secret, made)) return made
  const first = readSealed(path, secret)
  if (first === undefined) throw new Error(`${path} vanished while it was being made`)
  return first
}
