/**
 * What comes and what leaves a validator of client credentials. Each way to authenticate has a validator of its own, because their
 * rules exclude each other (RFC 7523, JWT-SVID, RFC 8705); all of them end in `Authenticated` or in the guard that failed.
 */

import type { AuthMethod } from '../../core/agent-auth.ts'
import type { PresentedCertificate } from '../../core/presented-certificate.ts'
import type { ReplayClaim } from '../../use-cases/ports.ts'
import type { Form } from '../exchange-parameters.ts'
import type { UnverifiedJws } from '../verified-jwt.ts'

/** Everything a request may authenticate by. Attacker-chosen but for the certificate's key and the time. */
export interface PresentedCredentials {
  readonly form: Form
  /** The Authorization header; undefined where absent. */
  readonly authorization: string | undefined
  /** draft-ietf-oauth-attestation-based-client-auth: the two headers; undefined where absent. */
  readonly attestation: string | undefined
  readonly attestationProof: string | undefined
  readonly certificate: PresentedCertificate | undefined
  readonly now: number
}

/** An assertion in one canonical form; nothing of it is verified. */
export interface PresentedAssertion {
  readonly jws: UnverifiedJws
  /** `client_id` of the form; undefined where absent or empty. */
  readonly clientId: string | undefined
  readonly now: number
}

/** Who the client is, how it proved that, and what has to be claimed before it counts. */
export interface Authenticated {
  readonly client: string
  readonly method: AuthMethod
  /** The credential's own name, for the audit entry: a `kid`, a SPIFFE ID, a certificate's thumbprint, a workload's `sub`. */
  readonly credential: string
  readonly use: CredentialUse
}

export type CredentialUse =
  /** Good for one request (RFC 7523 §3 item 7). */
  | { readonly kind: 'single'; readonly claim: ReplayClaim }
  /**
   * Its platform hands it out for many requests (conflict K-07): good for the one key that was proven beside it first. Where
   * none is proven it is good once.
   */
  | { readonly kind: 'with_key'; readonly claim: Omit<ReplayClaim, 'holder'> }
  /** There is nothing to use up: a certificate, a secret. */
  | { readonly kind: 'standing' }

/** Whom a credential names, at once; whether it is theirs may take longer. A string is the guard that failed. */
export interface NamedClient {
  readonly client: string
  readonly verified: Authenticated | Promise<Authenticated | string>
}
