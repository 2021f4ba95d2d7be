/**
 * Signatures on certificates and revocation lists: which algorithms count, and with which keys. What is not in the table does not
 * exist: no MD5, no SHA-1, no RSASSA-PSS parameters to be led by.
 */
import { type KeyObject, verify } from 'node:crypto'
import type { Signed } from './certificate.ts'

interface SignatureFacts {
  readonly key: 'ec' | 'rsa' | 'ed25519'
  /** Digest name for node:crypto; Ed25519 hashes by itself. */
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null
}

/** RFC 5758 §3.2, RFC 4055 §5, RFC 8410 §3. */
const ALGORITHMS: ReadonlyMap<string, SignatureFacts> = new Map([
  ['1.2.840.10045.4.3.2', { key: 'ec', digest: 'sha256' }],
  ['1.2.840.10045.4.3.3', { key: 'ec', digest: 'sha384' }],
  ['1.2.840.10045.4.3.4', { key: 'ec', digest: 'sha512' }],
  ['1.2.840.113549.1.1.11', { key: 'rsa', digest: 'sha256' }],
  ['1.2.840.113549.1.1.12', { key: 'rsa', digest: 'sha384' }],
  ['1.2.840.113549.1.1.13', { key: 'rsa', digest: 'sha512' }],
  ['1.3.101.112', { key: 'ed25519', digest: null }],
])
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
const MIN_RSA_BITS = 2048
/** What an authority may have; a larger one is slow for everybody. */
const MAX_RSA_BITS = 8192
const RSA_EXPONENT = 65537n

export function isAcceptedAlgorithm({ algorithm }: Signed): boolean {
  return ALGORITHMS.has(algorithm)
}

/** RFC 8725 §3.4 in spirit: no curve and no size that is easy on forgers, or slow for us. */
export function isSoundKey({ asymmetricKeyType: type, asymmetricKeyDetails }: KeyObject): boolean {
  const { namedCurve = '', modulusLength = 0, publicExponent } = asymmetricKeyDetails ?? {}
  if (type === 'ec') return CURVES.has(namedCurve)
  if (type !== 'rsa') return type === 'ed25519'
  const isSized = modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS
  return isSized && publicExponent === RSA_EXPONENT
}

/** True if it is signed by `key`. One signature check, or none where the algorithm does not fit the key. */
export function isSignedBy(key: KeyObject, { algorithm, data, signature }: Signed): boolean {
  const facts = ALGORITHMS.get(algorithm)
  if (facts === undefined || facts.key !== key.asymmetricKeyType || !isSoundKey(key)) return false
  try {
    return verify(facts.digest, data, key, signature)
  } catch {
    return false
  }
}
