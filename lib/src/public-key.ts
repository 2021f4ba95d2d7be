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

export interface AlgorithmEntry {
  readonly importAs: AlgorithmIdentifier | EcKeyImportParams | RsaHashedImportParams
  readonly verifyAs: AlgorithmIdentifier | EcdsaParams
}

export const ALGORITHMS: Readonly<Record<SignatureAlgorithm, AlgorithmEntry>> = {
  ES256: {
    importAs: { name: 'ECDSA', namedCurve: 'P-256' },
    verifyAs: { name: 'ECDSA', hash: 'SHA-256' },
  },
  EdDSA: { importAs: { name: 'Ed25519' }, verifyAs: { name: 'Ed25519' } },
  RS256: {
    importAs: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    verifyAs: { name: 'RSASSA-PKCS1-v1_5' },
  },
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
  if (kty === 'OKP' && crv === 'Ed25519' && isCoordinate(x))
    return { algorithm: 'EdDSA', members: { crv, kty, x } }
  if (kty === 'RSA' && isModulus(n) && isExponent(e))
    return { algorithm: 'RS256', members: { e, kty, n } }
  return undefined
}

function isCoordinate(value: unknown): value is string {
  return typeof value === 'string' && decodeBase64url(value)?.length === 32
}

/** 2048 to 4096 bits: smaller is weak, larger is a way to burn our time. */
function isModulus(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 684) return false
  const bytes = decodeBase64url(value)
  const [first = 0] = bytes ?? []
  // Bits from the first set one; an even modulus has two trivially as a factor.
  return (
    bytes !== undefined &&
    first !== 0 &&
    bytes.length * 8 - Math.clz32(first) + 24 >= 2048 &&
    (bytes.at(-1) ?? 0) % 2 === 1
  )
}

/** Odd, from 65537 to 32 bits (FIPS 186-5 §5.1): an exponent of 1 would accept anything as a signature. */
function isExponent(value: unknown): value is string {
  const bytes = typeof value === 'string' && value.length <= 6 ? decodeBase64url(value) : undefined
  const exponent = bytes?.reduce((sum, byte) => sum * 256 + byte, 0) ?? 0
  return exponent >= 65_537 && exponent % 2 === 1
}

/** Imports the key; undefined where its point is not on the curve. */
export async function importPublicKey(read: PublicMembers): Promise<VerificationKey | undefined> {
  const { algorithm, members } = read
  try {
    const { importAs } = ALGORITHMS[algorithm]
    const cryptoKey = await crypto.subtle.importKey('jwk', members, importAs, false, ['verify'])
    return { algorithm, cryptoKey }
  } catch {
    return undefined
  }
}

/** True when `signature` is the key's, over the ASCII text `input`, by the key's one algorithm. */
export async function verifySignature(
  key: VerificationKey,
  input: string,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { verifyAs } = ALGORITHMS[key.algorithm]
  return crypto.subtle.verify(verifyAs, key.cryptoKey, signature, ENCODER.encode(input))
}

/** base64url of SHA-256 of the text's UTF-8 bytes: `ath` of a token, id of a claim. */
export function sha256(text: string): Promise<string> {
  return digestOf(ENCODER.encode(text))
}

/** base64url of SHA-256. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}
