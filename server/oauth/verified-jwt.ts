/**
 * The one helper that verifies a JWT in this server, whatever its kind: form, declared type, algorithm fixed by the
 * key, signature (RFC 7519 §7.2, RFC 8725 §3). Who calls it names the kind it expects; rules of kinds exclude each other.
 */
import { algorithmNamed } from '../../keys/algorithm.ts'
import { type VerificationKey, verifySignature } from '../../keys/verification-key.ts'
import {
  readCompactJws,
  type UnverifiedHeader,
  type UnverifiedJws,
} from '../../lib/src/compact-jws.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'

export type JwtFault = 'type_mismatch' | 'key_unknown' | 'algorithm_mismatch' | 'signature_invalid'

export interface ExpectedJwt {
  /** Accepted `typ` values in lower case without `application/`; '' stands for an absent one. */
  readonly types: ReadonlySet<string>
  /** The only keys that may have signed it. `kid` selects among them and nothing else (RFC 8725 §3.10). */
  readonly keyFor: (header: UnverifiedHeader) => VerificationKey | undefined
}

export { readCompactJws, type UnverifiedJws }

/** The payload, once type, algorithm and signature hold; else the first that does not. Claims are not judged here. */
export function verifyJwt(jws: UnverifiedJws, expected: ExpectedJwt): JsonObject | JwtFault {
  const { header } = jws
  if (!expected.types.has(normalType(header.typ))) return 'type_mismatch'
  const key = expected.keyFor(header)
  if (key === undefined) return 'key_unknown'
  // RFC 8725 §3.1: the key decides the algorithm; the header may only agree.
  if (algorithmNamed(header.alg) !== key.alg) return 'algorithm_mismatch'
  return verifySignature(key, jws.signingInput, jws.signature) ? jws.payload : 'signature_invalid'
}

/** RFC 7515 §4.1.9: case-insensitive, and a type without a slash is read as if `application/` stood before it. */
function normalType(typ: string | undefined): string {
  if (typ === undefined) return ''
  const lower = typ.toLowerCase()
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower
}

/** The key a `kid` names; without a `kid`, the only key there is. */
export function keyByKid(
  keys: readonly VerificationKey[],
  header: UnverifiedHeader,
): VerificationKey | undefined {
  if (header.kid !== undefined) return keys.find((key) => key.kid === header.kid)
  return keys.length === 1 ? keys[0] : undefined
}

/** RFC 7519 §2 NumericDate in a range a clock can reach; undefined for anything else. */
export function readNumericDate(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= 253_402_300_799 ? value : undefined
}
