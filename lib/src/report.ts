/**
 * What a resource server learns from a token that verified: frozen, and only what was checked. Access is for the
 * subject and the actor; the chain behind the actor is history (RFC 8693 §4.1).
 */

import type { VerifiedClaims } from './access-token.ts'
import type { Basis } from './act-bounds.ts'
import type { Chain } from './chain.ts'
import { scopeNames } from './scope.ts'

export interface ChainActor {
  readonly iss: string
  readonly sub: string
}

/** What a hop was allowed to use or hand on. */
export interface Ceiling {
  readonly scope: readonly string[]
  readonly reach: readonly string[]
  readonly audience: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export interface VerificationReport {
  /** On whose behalf. */
  readonly subject: string
  /** Who calls: the outermost actor, the only one access may depend on. */
  readonly actor: ChainActor
  /** Every agent of the place, the caller first; for audit. */
  readonly chain: readonly ChainActor[]
  readonly scope: readonly string[]
  /** One for each agent of `chain`. */
  readonly ceilings: readonly Ceiling[]
  readonly basis: Basis
  readonly txn: string
  readonly jti: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** Seconds since each input was read from its source. */
  readonly ages: { readonly keys: number | undefined; readonly status: number | undefined }
  /** Not checked: a token that was revoked passes until it expires. */
  readonly revocation: 'checked' | 'not_checked'
  /** The sender's next proof needs this one: to be sent as `DPoP-Nonce` with the answer. Adapters do. */
  readonly nonce: string | undefined
}

export type StandingReport = Omit<VerificationReport, 'ages' | 'revocation' | 'nonce'>

/** The part of the report that is the same each time the token is presented. */
export function readReport(claims: VerifiedClaims, chain: Chain, issuer: string): StandingReport {
  const { root, hops } = chain.bounds
  const actors = chain.actors.map(({ iss, sub }) => Object.freeze({ iss, sub }))
  // An agent on its own behalf is the oldest of the place, and the subject.
  if (root.basis === 'client') actors.push(Object.freeze({ iss: issuer, sub: claims.sub }))
  const ceilings = hops.map((hop) =>
    Object.freeze({
      scope: Object.freeze(scopeNames(root.scope, hop.scope)),
      reach: Object.freeze(scopeNames(root.reach, hop.reach)),
      audience: root.reach[hop.aud] as string,
      expiresAt: root.iat + hop.exp,
    }),
  )
  return {
    subject: claims.sub,
    // There is a hop, so there is an agent.
    actor: actors[0] as ChainActor,
    chain: Object.freeze(actors),
    scope: (ceilings[0] as Ceiling).scope,
    ceilings: Object.freeze(ceilings),
    basis: root.basis,
    txn: claims.txn,
    jti: claims.jti,
    expiresAt: claims.exp,
  }
}
