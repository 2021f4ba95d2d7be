/**
 * Public keys, read once into typed objects that know their one algorithm (RFC 8725 §3.1).
 * A signature check afterwards parses nothing: it is one call into the crypto library.
 */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { ALGORITHMS, algorithmNamed, type VerifiedAlgorithm } from './algorithm.ts'

export interface VerificationKey {
  readonly kid: string | undefined
  readonly alg: VerifiedAlgorithm
  readonly key: KeyObject
}

const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 4096
const RSA_EXPONENT = 65537n
/**
 * 11, 13, 37, 97, 241, 331 and 673, multiplied. Modulo each of them, what the broken generator of CVE-2017-15361 (ROCA) makes is a
 * power of 65537, so its sixth power is 1; that of one other number in two hundred million is, too.
 */
const ROCA = 27_553_044_674_441n
/**
 * RFC 8032 §8.8: Ed25519 points of order 1 to 8, in every spelling, by how they begin; no other key in a hundred million does. Older
 * platforms take one signature over anything as theirs.
 */
const SMALL_ORDER = /^(A[AQ]AAA|7[Pfv]___|JuiVj|xxdqc)/

/** Members that only a private or a symmetric key has (RFC 7518 §6). */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/**
 * Reads a public JWK (RFC 7517) for one of `allowed`. The key's own `alg` wins; else its type decides, and of several for that type
 * the first. Undefined where it is private, symmetric, for encryption, of a size or curve we do not take, or no key at all.
 */
export function readVerificationKey(
  jwk: Readonly<Record<string, unknown>>,
  allowed: readonly VerifiedAlgorithm[],
): VerificationKey | undefined {
  const { kty, crv, use, key_ops: operations, kid } = jwk
  if (SECRET_MEMBERS.some((member) => member in jwk)) return undefined
  if (use !== undefined && use !== 'sig') return undefined
  // RFC 7517 §4.3: a key that says what it is for is for nothing else.
  const mayVerify = Array.isArray(operations) && operations.includes('verify')
  if (operations !== undefined && !mayVerify) return undefined
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const stated = jwk['alg']
  const alg = allowed.find(
    (name) =>
      (stated === undefined || algorithmNamed(stated) === name) &&
      ALGORITHMS[name].kty === kty &&
      (kty === 'RSA' || ALGORITHMS[name].crv === crv),
  )
  if (alg === undefined) return undefined
  const key = importPublic(jwk)
  if (key === undefined || !isSound(key, jwk)) return undefined
  return { kid, alg, key }
}

/** True if `signature` over `signingInput` is by `key`. Synchronous: about 0.12 ms for ES256. */
export function verifySignature(
  key: VerificationKey,
  signingInput: string,
  signature: Uint8Array,
): boolean {
  const { digest, signatureBytes, saltBytes } = ALGORITHMS[key.alg]
  if (signatureBytes !== undefined && signature.length !== signatureBytes) return false
  const data = Buffer.from(signingInput, 'ascii')
  const padding =
    saltBytes === undefined
      ? undefined
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: saltBytes }
  return verify(digest, data, { key: key.key, dsaEncoding: 'ieee-p1363', ...padding }, signature)
}

function importPublic(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  const { kty, crv, x, y, n, e } = jwk
  // Only the members of a public key are passed on. Import refuses a point that is not on the curve.
  const members =
    kty === 'EC' ? { kty, crv, x, y } : kty === 'OKP' ? { kty, crv, x } : { kty, n, e }
  if (Object.values(members).some((member) => typeof member !== 'string' || member.length > 1400)) {
    return undefined
  }
  try {
    const key = createPublicKey({ key: members as JsonWebKey, format: 'jwk' })
    // RFC 7515 §2, RFC 7518 §2, §6.2.1.2: in its one spelling, so that one key has one thumbprint.
    const spelt = Object.entries(key.export({ format: 'jwk' }))
    return spelt.every(([member, value]) => jwk[member] === value) ? key : undefined
  } catch {
    return undefined
  }
}

/**
 * RFC 8725 §3.4: an odd RSA modulus of 2048 to 4096 bits with the common exponent, an Ed25519 point of full order. That a P-256 point
 * is on its curve was checked by import, and that the JWK spells the key as it is.
 */
function isSound(key: KeyObject, { x, n: modulus }: Readonly<Record<string, unknown>>): boolean {
  if (key.asymmetricKeyType === 'ec') return true
  if (key.asymmetricKeyType !== 'rsa') return !SMALL_ORDER.test(String(x))
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) return false
  const n = BigInt(`0x${Buffer.from(String(modulus), 'base64url').toString('hex')}`)
  return publicExponent === RSA_EXPONENT && n % 2n === 1n && (n % ROCA) ** 6n % ROCA !== 1n
}
