/** Private keys that sign compact JWS (RFC 7515 §3.1): a resource server's own, and the one its proofs are made with. */
import { encodeBase64url } from '../base64url.ts'
import { ALGORITHMS, type AlgorithmParams, type SignatureAlgorithm } from '../public-key.ts'

export type SigningKey = CryptoKey | JsonWebKey

const ENCODER = new TextEncoder()

/** Which algorithm a key signs with, by what it is and nothing else; undefined for any that is no private one of ours. */
export function algorithmOf(key: unknown): SignatureAlgorithm | undefined {
  if (typeof key !== 'object' || key === null) return undefined
  return key instanceof CryptoKey ? ofCryptoKey(key) : ofJwk(key)
}

function ofCryptoKey({ type, usages, algorithm }: CryptoKey): SignatureAlgorithm | undefined {
  if (type !== 'private' || !usages.includes('sign')) return undefined
  const { name, namedCurve, hash } = algorithm as Partial<EcKeyAlgorithm & RsaHashedKeyAlgorithm>
  if (name === 'ECDSA' && namedCurve === 'P-256') return 'ES256'
  if (name === 'Ed25519') return 'EdDSA'
  return name === 'RSASSA-PKCS1-v1_5' && hash?.name === 'SHA-256' ? 'RS256' : undefined
}

function ofJwk({ kty, crv, d, alg }: JsonWebKey): SignatureAlgorithm | undefined {
  if (typeof d !== 'string') return undefined
  if (kty === 'EC' && crv === 'P-256') return 'ES256'
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA'
  return kty === 'RSA' && (alg ?? 'RS256') === 'RS256' ? 'RS256' : undefined
}

export interface Signer {
  readonly alg: SignatureAlgorithm
  /** `header` without its `alg`. */
  sign(header: object, payload: object): Promise<string>
}

/** Rejects where the key's numbers are none. */
export async function openSigner(key: SigningKey): Promise<Signer> {
  const alg = algorithmOf(key)
  if (alg === undefined) throw new TypeError('bad option: key')
  const params = ALGORITHMS[alg]
  const privateKey = key instanceof CryptoKey ? key : await importKey(key, params)
  return {
    alg,
    sign: async (header, payload) => {
      const input = `${encode({ alg, ...header })}.${encode(payload)}`
      const octets = await crypto.subtle.sign(params, privateKey, ENCODER.encode(input))
      return `${input}.${encodeBase64url(new Uint8Array(octets))}`
    },
  }
}

/** What else a JWK says of itself, runtimes read differently. */
const NUMBERS = ['kty', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi'] as const

function importKey(jwk: JsonWebKey, params: AlgorithmParams): Promise<CryptoKey> {
  const members = NUMBERS.map((name) => [name, jwk[name]] as const)
  const numbers = Object.fromEntries(members.filter(([, value]) => value !== undefined))
  return crypto.subtle.importKey('jwk', numbers, params, false, ['sign'])
}

function encode(value: object): string {
  return encodeBase64url(ENCODER.encode(JSON.stringify(value)))
}
