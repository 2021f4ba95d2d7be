/**
 * What signs for a tenant. Local keys sign in process; the interface is asynchronous because a key that
 * lives elsewhere does not.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from 'node:crypto'
import { ALGORITHMS, type SignatureAlgorithm } from './algorithm.ts'

export interface Signer {
  readonly alg: SignatureAlgorithm
  readonly kid: string
  /** Public JWK with `kid`, `alg` and `use`. */
  readonly publicJwk: Readonly<Record<string, string>>
  /** Signs ASCII text; resolves to the base64url signature (RFC 7515 §5.1). */
  sign(signingInput: string): Promise<string>
}

export type PrivateJwk = Readonly<Record<string, string>>

/** Characters of the thumbprint that name a key: 48 bits tell a tenant's few keys apart, and every token carries it. */
const KID_LENGTH = 8

/** A new private key as JWK. RSA: 2048 bits. */
export function generatePrivateJwk(alg: SignatureAlgorithm): PrivateJwk {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return pair.privateKey.export({ format: 'jwk' }) as PrivateJwk
}

/** Throws if the key does not fit the algorithm: a fault of configuration, found at start. */
export function createLocalSigner(jwk: PrivateJwk, alg: SignatureAlgorithm): Signer {
  const { kty, crv, digest } = ALGORITHMS[alg]
  if (jwk['kty'] !== kty || (crv !== undefined && jwk['crv'] !== crv)) {
    throw new TypeError(`signing key does not fit ${alg}`)
  }
  const key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
  const publicJwk = namePublicKey(
    createPublicKey(key).export({ format: 'jwk' }) as PublicMembers,
    alg,
  )
  const input = { key, dsaEncoding: 'ieee-p1363' } as const
  return {
    alg,
    kid: publicJwk.kid,
    publicJwk,
    sign: (signingInput) =>
      Promise.resolve(
        sign(digest, Buffer.from(signingInput, 'ascii'), input).toString('base64url'),
      ),
  }
}

type PublicMembers = Readonly<Record<string, string>>

/** The public half as it is published: named by its thumbprint, for one algorithm, to verify with and nothing else. */
export function namePublicKey(
  members: PublicMembers,
  alg: SignatureAlgorithm,
): PublicMembers & { readonly kid: string } {
  const kid = thumbprint(members).slice(0, KID_LENGTH)
  return Object.freeze({ ...members, kid, alg, use: 'sig' })
}

/** RFC 7638 §3: SHA-256 over the required members in lexicographic order, base64url. */
export function thumbprint(jwk: Readonly<Record<string, unknown>>): string {
  const { kty, crv, x, y, n, e } = jwk
  const required =
    kty === 'EC' ? { crv, kty, x, y } : kty === 'OKP' ? { crv, kty, x } : { e, kty, n }
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url')
}
