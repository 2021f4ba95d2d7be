/**
 * Everything known about a signature algorithm, in one table. An algorithm that is not here does not exist:
 * no MAC, no `none`, no curve or hash chosen by a token (RFC 8725 §3.1, §3.2).
 */

/** What this server signs with, and what it verifies of everybody. */
export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'RS256'

/** What it verifies besides, where a specification names it for credentials that others issue (JWT-SVID §2.1). */
export type VerifiedAlgorithm =
  | SignatureAlgorithm
  | 'ES384'
  | 'ES512'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'

interface AlgorithmFacts {
  readonly kty: 'EC' | 'OKP' | 'RSA'
  readonly crv: string | undefined
  /** Digest name for node:crypto; Ed25519 hashes by itself. */
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null
  /** Octets of a signature; undefined: the modulus decides. */
  readonly signatureBytes: number | undefined
  /** RFC 7518 §3.5: octets of salt, as many as the digest has; undefined: the signature is no RSASSA-PSS. */
  readonly saltBytes?: number
}

const RSA = { kty: 'RSA', crv: undefined, signatureBytes: undefined } as const

export const ALGORITHMS: Readonly<Record<VerifiedAlgorithm, AlgorithmFacts>> = {
  ES256: { kty: 'EC', crv: 'P-256', digest: 'sha256', signatureBytes: 64 },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', digest: null, signatureBytes: 64 },
  RS256: { ...RSA, digest: 'sha256' },
  ES384: { kty: 'EC', crv: 'P-384', digest: 'sha384', signatureBytes: 96 },
  ES512: { kty: 'EC', crv: 'P-521', digest: 'sha512', signatureBytes: 132 },
  RS384: { ...RSA, digest: 'sha384' },
  RS512: { ...RSA, digest: 'sha512' },
  PS256: { ...RSA, digest: 'sha256', saltBytes: 32 },
  PS384: { ...RSA, digest: 'sha384', saltBytes: 48 },
  PS512: { ...RSA, digest: 'sha512', saltBytes: 64 },
}

/** RFC 9864: `Ed25519` is the fully specified name of what `EdDSA` means with an Ed25519 key. */
export function algorithmNamed(alg: unknown): VerifiedAlgorithm | undefined {
  if (alg === 'Ed25519') return 'EdDSA'
  return isAlgorithm(alg) ? alg : undefined
}

function isAlgorithm(alg: unknown): alg is VerifiedAlgorithm {
  return typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg)
}
