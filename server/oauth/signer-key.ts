/**
 * The key of somebody whose keys are looked for: parsed once for each set, and asked for again, once, where a `kid` is not
 * among those at hand. How often that leads anywhere is the source's business (attack case K05).
 */
import type { VerifiedAlgorithm } from '../../keys/algorithm.ts'
import { readVerificationKey, type VerificationKey } from '../../keys/verification-key.ts'
import type { UnverifiedHeader } from '../../lib/src/compact-jws.ts'
import type { PublicJwk } from '../core/tenant.ts'
import { keyByKid } from './verified-jwt.ts'

export interface KeySource {
  readonly algorithms: readonly VerifiedAlgorithm[]
  /** The same array until the keys change. `isRetry`: a `kid` was not among them. */
  readonly keys: (isRetry: boolean) => Promise<readonly PublicJwk[]>
}

/** The key a header names. Throws where the source has no usable keys. */
export async function findSignerKey(
  { algorithms, keys }: KeySource,
  header: UnverifiedHeader,
): Promise<VerificationKey | undefined> {
  const keyOf = async (isRetry: boolean): Promise<VerificationKey | undefined> =>
    keyByKid(typed(await keys(isRetry), algorithms), header)
  return (await keyOf(false)) ?? keyOf(true)
}

const typedKeys = new WeakMap<readonly PublicJwk[], Map<string, readonly VerificationKey[]>>()

/** Read once for each set and each list of algorithms somebody is trusted with. */
function typed(
  jwks: readonly PublicJwk[],
  algorithms: readonly VerifiedAlgorithm[],
): readonly VerificationKey[] {
  const name = algorithms.join(' ')
  const known = typedKeys.get(jwks) ?? new Map<string, readonly VerificationKey[]>()
  typedKeys.set(jwks, known)
  const keys = known.get(name) ?? jwks.flatMap((jwk) => readVerificationKey(jwk, algorithms) ?? [])
  known.set(name, keys)
  return keys
}
