/** Whom a tenant trusts to say which workload an agent is: trust domains, authorities, issuers, attesters. */
import type { SigningAlgorithm, TrustedIssuer } from './tenant.ts'

/** Names a file in the operator's trust folder of this tenant, never a path. */
export type TrustFile = string

export interface TrustDomain {
  /** Such as `prod.acme.example`. */
  readonly name: string
  /** Where its bundle is: a file, an `https_web` endpoint, or written in the facts. */
  readonly bundle:
    | { readonly file: TrustFile }
    | { readonly url: string }
    | { readonly inline: Readonly<Record<string, unknown>> }
  /** Certificate revocation list of its X.509-SVIDs; absent: none is looked at. */
  readonly crl: TrustFile | undefined
  /** Seconds a JWT-SVID may still live when it comes. */
  readonly maxLifetime: number
}

export interface CertificateAuthority {
  readonly id: string
  /** DER, as base64. */
  readonly certificates: readonly string[]
  readonly crl: TrustFile | undefined
}

/** `jwks_uri`, written keys, or what the issuer's own discovery document names (OpenID Connect Discovery §4). */
export type WorkloadKeys = TrustedIssuer['keys'] | { readonly discover: string }

export interface WorkloadIssuer {
  readonly id: string
  readonly kind: 'oidc' | 'kubernetes'
  readonly issuer: string
  readonly keys: WorkloadKeys
  readonly algorithms: readonly SigningAlgorithm[]
  /** Seconds a token may still live when it comes. */
  readonly maxLifetime: number
  /** Each token counts once, whatever key comes with it. */
  readonly singleUse: boolean
  /** Kubernetes: the cluster is asked whether pod and service account still are (authentication.k8s.io/v1 TokenReview). */
  readonly tokenReview: TokenReview | undefined
}

export interface TokenReview {
  /** Origin of the cluster's API. */
  readonly url: string
  /** PEM of the authority of its certificate; absent: the system's. */
  readonly ca: TrustFile | undefined
  /** The bearer token we ask with. */
  readonly token: TrustFile
}

/** draft-ietf-oauth-attestation-based-client-auth. */
export interface Attester {
  readonly id: string
  readonly issuer: string
  readonly keys: TrustedIssuer['keys']
  readonly algorithms: readonly SigningAlgorithm[]
}
