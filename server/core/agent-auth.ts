/** How an agent proves who it is, as the tenant's facts say. */
import type { PublicJwk } from './tenant.ts'

/** The one way an agent proves who it is. A credential of another kind is not looked at, however good. */
export type AgentAuth =
  | PrivateKeyJwt
  | {
      readonly method: 'spiffe_jwt' | 'spiffe_x509'
      /** Its SPIFFE ID; with `/*` at the end every id beneath, by whole segments. */
      readonly spiffeId: string
    }
  | {
      readonly method: 'tls_client_auth'
      /** Certificate authority id. */
      readonly authority: string
      /** RFC 8705 §2.1.2: exactly one name is expected, compared exactly. */
      readonly subject: CertificateSubject
    }
  | {
      readonly method: 'self_signed_tls_client_auth'
      /** RFC 8705 §2.2: exactly these; DER, as base64. */
      readonly certificates: readonly string[]
    }
  | {
      readonly method: 'workload_jwt'
      /** Workload issuer id. */
      readonly issuer: string
      /** All must hold; at least one names the workload. */
      readonly claims: readonly ClaimCondition[]
    }
  | {
      readonly method: 'attest_jwt_client_auth'
      /** Attester id. */
      readonly attester: string
    }
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post'
      /** SHA-256 of each secret that is accepted, base64url: secrets are random and long. */
      readonly secretHashes: readonly string[]
    }

export type AuthMethod = AgentAuth['method']

/** Who vouches for it: an attester, a workload issuer, a trust domain; undefined where it speaks for itself. */
export function attesterOf(auth: AgentAuth | undefined): string | undefined {
  if (auth === undefined) return undefined
  switch (auth.method) {
    case 'attest_jwt_client_auth':
      return auth.attester
    case 'workload_jwt':
      return auth.issuer
    case 'spiffe_jwt':
    case 'spiffe_x509':
      return auth.spiffeId.split('/').slice(0, 3).join('/')
    case 'tls_client_auth':
      return auth.authority
    case 'private_key_jwt':
    case 'self_signed_tls_client_auth':
    case 'client_secret_basic':
    case 'client_secret_post':
      return undefined
  }
}

/** RFC 7523 §2.2: by a key of its own. `development`: a key pair the server makes, refused in production. */
export interface PrivateKeyJwt {
  readonly method: 'private_key_jwt'
  readonly jwks: readonly PublicJwk[]
  readonly development: boolean
}

export interface CertificateSubject {
  readonly kind: 'subject_dn' | 'san_dns' | 'san_uri' | 'san_ip' | 'san_email'
  readonly value: string
}

/** A claim of a workload's token that has to be one of these texts, numbers and booleans as JSON writes them. */
export interface ClaimCondition {
  /** RFC 6901 JSON Pointer into the claims, such as `/sub` or `/kubernetes.io/namespace`. */
  readonly pointer: string
  readonly values: readonly string[]
}
