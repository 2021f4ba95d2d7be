/**
 * A JWK Set of the issuer (RFC 7517 §5), bounded and unambiguous. Keys that cannot verify an access token are left
 * out; the rest are imported when first used.
 */
import type { FaultListener } from './fault.ts'
import {
  hasSecretMember,
  importPublicKey,
  type PublicMembers,
  readPublicMembers,
  type SignatureAlgorithm,
  type VerificationKey,
} from './public-key.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './strict-json.ts'

export const MAX_KEYS = 64

export interface KeySet {
  readonly entries: readonly KeyEntry[]
}

interface KeyEntry {
  readonly kid: string | undefined
  readonly read: PublicMembers
  /** Set when first used; undefined in it means the key was no key after all. */
  imported?: Promise<VerificationKey | undefined>
}

/** Returns the set, or in plain words why the whole of it is refused. */
export function readKeySet(value: JsonValue | undefined, onFault: FaultListener): KeySet | string {
  const keys = isJsonObject(value) ? value['keys'] : undefined
  if (!Array.isArray(keys) || !keys.every(isJsonObject)) return 'not a JWK Set'
  if (keys.length > MAX_KEYS) return 'too many keys'
  const kids = keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]))
  // Two keys of one name: which of them is meant must never depend on their order.
  if (new Set(kids).size !== kids.length) return 'two keys share a kid'
  if (kids.some((kid) => typeof kid !== 'string')) return 'a kid is not a string'
  const entries = keys.flatMap((jwk) => readEntry(jwk, onFault))
  return entries.length === 0 ? 'no usable key' : { entries }
}

/** The keys of the set whose name, or lack of one, is fine; the same objects. */
export function keepKeys(
  { entries }: KeySet,
  isFine: (kid: string | undefined) => boolean,
): KeySet {
  return { entries: entries.filter(({ kid }) => isFine(kid)) }
}

function readEntry(jwk: JsonObject, onFault: FaultListener): readonly KeyEntry[] {
  // A private key that was published is nobody's alone.
  if (hasSecretMember(jwk))
    onFault({ kind: 'key_ignored', detail: 'the JWK Set publishes a secret' })
  const read = readPublicMembers(jwk)
  const { kid } = jwk
  return read === undefined ? [] : [{ kid: typeof kid === 'string' ? kid : undefined, read }]
}

/** The key of this name and algorithm; without a name, the only key of the algorithm. Always the same object. */
export async function findKey(
  set: KeySet,
  kid: string | undefined,
  algorithm: SignatureAlgorithm,
): Promise<VerificationKey | undefined> {
  const fitting = set.entries.filter(
    (entry) => entry.read.algorithm === algorithm && (kid === undefined || entry.kid === kid),
  )
  const [entry] = fitting
  if (entry === undefined || fitting.length > 1) return undefined
  entry.imported ??= importPublicKey(entry.read)
  return entry.imported
}
