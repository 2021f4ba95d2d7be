/**
 * Everything known about a signature algorithm, in one table. An algorithm that is not here does not exist:
 * no MAC, no `none`, no curve or hash chosen by a token (RFC 8725 §3.1, §3.2).
 */

export type SignatureAlgorithm = 'ES256' | 'EdDSA' | 'RS256'

interface AlgorithmFacts {
  readonly kty: 'EC' | 'OKP' | 'RSA'
  readonly crv: string | undefined
  /** Digest name for node:crypto; Ed25519 hashes by itself. */
  readonly digest: 'sha256' | null
  /** Octets of a signature; undefined: the modulus decides. */
  readonly signatureBytes: number | undefined
}

export const ALGORITHMS: Readonly<Record<SignatureAlgorithm, AlgorithmFacts>> = {
  ES256: { kty: 'EC', crv: 'P-256', digest: 'sha256', signatureBytes: 64 },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', digest: null, signatureBytes: 64 },
  RS256: { kty: 'RSA', crv: undefined, digest: 'sha256', signatureBytes: undefined },
}

/** RFC 9864: `Ed25519` is the fully specified name of what `EdDSA` means with an Ed25519 key. */
export function algorithmNamed(alg: unknown): SignatureAlgorithm | undefined {
  if (alg === 'Ed25519') return 'EdDSA'
  return alg === 'ES256' || alg === 'EdDSA' || alg === 'RS256' ? alg : undefined
}
