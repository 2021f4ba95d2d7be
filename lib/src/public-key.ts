/**
 * Public keys that verify signatures: read from a JWK once, with their one algorithm fixed (RFC 8725 §3.1, §3.4).
 * The cryptography is the runtime's own Web Crypto. No header ever chooses how a key is used.
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { JsonObject } from './strict-json.ts'

export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'RS256'

export const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

export interface VerificationKey {
  readonly algorithm: SignatureAlgorithm
  readonly cryptoKey: CryptoKey
}

/** What Web Crypto is told of an algorithm, whether it imports a key, signs or verifies: it reads only what it needs of it. */
export interface AlgorithmParams extends Algorithm {
  readonly namedCurve?: string
  readonly hash?: string
}

export const ALGORITHMS: Readonly<Record<SignatureAlgorithm, AlgorithmParams>> = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
}

/** Members that only a private or a symmetric key has (RFC 7518 §6). */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

const ENCODER = new TextEncoder()

/** The accepted algorithm a header names; `Ed25519` is the newer name of `EdDSA` on that curve (RFC 9864). */
export function readAlgorithm(name: unknown): SignatureAlgorithm | undefined {
  if (name === 'Ed25519') return 'EdDSA'
  return SIGNATURE_ALGORITHMS.find((algorithm) => algorithm === name)
}

export function hasSecretMember(jwk: JsonObject): boolean {
  return jwk['kty'] === 'oct' || SECRET_MEMBERS.some((member) => Object.hasOwn(jwk, member))
}

/** The public members, as the thumbprint orders them, of a key of the right kind and size; else undefined. */
export function readPublicMembers(jwk: JsonObject): PublicMembers | undefined {
  if (hasSecretMember(jwk)) return undefined
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return undefined
  const operations = jwk['key_ops']
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined
  const read = readKind(jwk)
  // RFC 8725 §3.1: one key, one algorithm.
  if (read === undefined || jwk['alg'] === undefined) return read
  return readAlgorithm(jwk['alg']) === read.algorithm ? read : undefined
}

export interface PublicMembers {
  readonly algorithm: SignatureAlgorithm
  readonly members: Readonly<Record<string, string>>
}

function readKind(jwk: JsonObject): PublicMembers | undefined {
  const { kty, crv, x, y, n, e } = jwk
  if (kty === 'EC' && crv === 'P-256' && isCoordinate(x) && isCoordinate(y))
    return { algorithm: 'ES256', members: { crv, kty, x, y } }
  if (kty === 'OKP' && crv === 'Ed25519' && isCoordinate(x) && !SMALL_ORDER.test(x))
    return { algorithm: 'EdDSA', members: { crv, kty, x } }
  if (kty === 'RSA' && isModulus(n) && e === COMMON_EXPONENT)
    return { algorithm: 'RS256', members: { e, kty, n } }
  return undefined
}

function isCoordinate(value: unknown): value is string {
  return typeof value === 'string' && decodeBase64url(value)?.length === 32
}

/**
 * RFC 8032 §8.8: Ed25519 points of order 1 to 8, in every spelling, by how they begin; no other key in a hundred million does. Older
 * platforms take one signature over anything as theirs.
 */
const SMALL_ORDER = /^(A[AQ]AAA|7[Pfv]___|JuiVj|xxdqc)/

/** 65537. An exponent of 1 would accept anything as a signature, and nobody needs another. */
const COMMON_EXPONENT = 'AQAB'

/**
 * 11, 13, 37, 97, 241, 331 and 673, multiplied. Modulo each of them, what the broken generator of CVE-2017-15361 (ROCA) makes is a
 * power of 65537, so its sixth power is 1; that of one other number in two hundred million is, too.
 */
const ROCA = 27_553_044_674_441n

/** Odd, 2048 to 4096 bits, without zeros before it (RFC 7518 §2): smaller is weak, larger is a way to burn our time. */
function isModulus(value: unknown): value is string {
  const bytes = typeof value === 'string' && value.length < 684 ? decodeBase64url(value) : undefined
  const first = bytes?.[0]
  return (
    !!first &&
    bytes.length > (first < 128 ? 256 : 255) &&
    // An even modulus has two trivially as a factor.
    (bytes.at(-1) ?? 0) % 2 > 0 &&
    bytes.reduce((rest, byte) => (rest * 256n + BigInt(byte)) % ROCA, 0n) ** 6n % ROCA !== 1n
  )
}

/** Imports the key; undefined where its point is not on the curve. */
export async function importPublicKey(read: PublicMembers): Promise<VerificationKey | undefined> {
  const { algorithm, members } = read
  try {
    const params = ALGORITHMS[algorithm]
    const cryptoKey = await crypto.subtle.importKey('jwk', members, params, false, ['verify'])
    return { algorithm, cryptoKey }
  } catch {
    return undefined
  }
}

/**
 * True when `signature` is the key's, over the ASCII text `input`, by the key's one algorithm. Some runtimes look only now
 * whether the key is one and the signature long enough.
 */
export async function verifySignature(
  key: VerificationKey,
  input: string,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const params = ALGORITHMS[key.algorithm]
  try {
    return await crypto.subtle.verify(params, key.cryptoKey, signature, ENCODER.encode(input))
  } catch {
    return false
  }
}

/** base64url of SHA-256 of the text's UTF-8 bytes: `ath` of a token, id of a claim. */
export function sha256(text: string): Promise<string> {
  return digestOf(ENCODER.encode(text))
}

/** base64url of SHA-256. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}
