/**
 * Trust material of a tenant that is not in its facts: keys of issuers, SPIFFE bundles, revocation lists, the word of a cluster.
 * All of it comes from configured places; a URL or file name of a request never gets here. Every verb throws where nothing
 * usable is at hand, and the caller is then answered 503, never believed.
 */
import type { SpiffeBundle } from '../../core/spiffe-bundle.ts'
import type { PublicJwk } from '../../core/tenant.ts'
import type { TokenReview, TrustDomain, TrustFile, WorkloadKeys } from '../../core/trust.ts'

export interface TrustMaterial {
  /** Public keys of an issuer. `isRetry`: a `kid` was not among them; asked again within the cooldown. */
  readonly issuerKeys: (
    tenant: string,
    issuer: { readonly keys: WorkloadKeys },
    isRetry: boolean,
  ) => Promise<readonly PublicJwk[]>
  /** The same object until the bundle changes. `isRetry` as above. */
  bundle(tenant: string, domain: TrustDomain, isRetry: boolean): Promise<SpiffeBundle>
  /** The file as it is now; the same object until it changes. */
  revocationList(tenant: string, file: TrustFile): Promise<Uint8Array>
  /** Asks the cluster about a token that has been verified here. Undefined: the cluster does not know it any more. */
  reviewToken(
    tenant: string,
    review: TokenReview,
    token: { readonly text: string; readonly audience: string },
  ): Promise<ReviewedToken | undefined>
}

/** `status` of an authenticated TokenReview. */
export interface ReviewedToken {
  readonly username: string
  readonly uid: string | undefined
  readonly audiences: readonly string[]
}
