/**
 * The keys of one issuer of ours: one signs, all of them verify. Those of a tenant come and go (server/keyrings.ts); the few others
 * are one key each, made on first use and sealed at rest, the same for every process on the data folder.
 */
import { join } from 'node:path'
import { algorithmNamed, type SignatureAlgorithm } from './algorithm.ts'
import { createSealed, readSealed } from './sealed-file.ts'
import { createLocalSigner, generatePrivateJwk, type PrivateJwk, type Signer } from './signer.ts'
import { readVerificationKey, type VerificationKey } from './verification-key.ts'

/** As `Signer.publicJwk`. */
type PublishedJwk = Signer['publicJwk']

export interface Keyring {
  /** Signs this issuer's tokens. */
  readonly active: Signer
  /** Every key its tokens may have been signed with, by `kid`. */
  readonly verificationKeys: ReadonlyMap<string, VerificationKey>
  /** RFC 7517 §5; public members only. */
  readonly jwks: { readonly keys: readonly PublishedJwk[] }
}

export interface KeyringPlace {
  readonly dataFolder: string
  /** Whose key it is; no tenant's id, so that no tenant's key has this name. */
  readonly owner: string
  readonly secret: string
}

/** Opens the one key there is, making it on first use. Two processes that start together agree on one. */
export function openKeyring(place: KeyringPlace, alg: SignatureAlgorithm): Keyring {
  return keyringOf(createLocalSigner(openPrivateJwk(place, alg), alg))
}

/** The same, for what signs no JWS (octet-signer.ts). */
export function openPrivateJwk(
  { dataFolder, owner, secret }: KeyringPlace,
  alg: SignatureAlgorithm,
): PrivateJwk {
  const path = join(dataFolder, 'keys', `${owner}.${alg}.sealed`)
  return JSON.parse(readSealed(path, secret) ?? makeKey(path, secret, alg)) as PrivateJwk
}

/** @param others public keys that verify and do not sign, each for the algorithm it names */
export function keyringOf(active: Signer, others: readonly PublishedJwk[] = []): Keyring {
  const keys = [active.publicJwk, ...others]
  return {
    active,
    verificationKeys: new Map(keys.map(readPublished)),
    jwks: { keys },
  }
}

function readPublished(jwk: PublishedJwk): readonly [kid: string, key: VerificationKey] {
  const alg = algorithmNamed(jwk['alg'])
  const key = alg && readVerificationKey(jwk, [alg])
  if (key?.kid === undefined) throw new TypeError('signing key has no usable public half')
  return [key.kid, key]
}

function makeKey(path: string, secret: string, alg: SignatureAlgorithm): string {
  const made = JSON.stringify(generatePrivateJwk(alg))
  if (createSealed(path, secret, made)) return made
  const first = readSealed(path, secret)
  if (first === undefined) throw new Error(`${path} vanished while it was being made`)
  return first
}
