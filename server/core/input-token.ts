/**
 * Input tokens after their signature, issuer, type and shape were verified by server/oauth. Made nowhere else.
 * Expiry is not judged yet: the way in comes first, so that a stranger learns nothing of a token's state.
 */
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import type { KeyProof, TrustedIssuer } from './tenant.ts'

/** An access token this tenant issued. */
export interface OwnToken {
  readonly kind: 'own'
  readonly claims: DelegatedClaims
}

/** A token of a configured issuer: only claims its trust rule names, and the registered ones. */
export interface ForeignToken {
  readonly kind: 'foreign'
  readonly issuer: TrustedIssuer
  /** The tenant's own identifier: prefix and the issuer's `sub`. */
  readonly subject: string
  readonly audience: readonly string[]
  readonly azp: string | undefined
  /** Value of the trust rule's client claim. */
  readonly client: string | undefined
  /** By its issuer's clock. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** What tells this token from any other of its issuer: `jti`, or a hash of its signing input. */
  readonly id: string
  /** Value of the trust rule's scope claim; undefined where the rule names none. */
  readonly scope: readonly string[] | undefined
  /** The claims its trust rule lets rules read. */
  readonly claims: Readonly<Record<string, readonly string[]>>
  /** Raw `may_act`; undefined where absent. */
  readonly mayAct: unknown
  /** It carries `act` or `act_bounds`: a chain that is not ours. */
  readonly hasChain: boolean
  readonly authentication: Authentication
}

/** How the subject signed in: copied from the root's subject token, never renewed (RFC 9068 §2.2.1). */
export interface Authentication {
  readonly auth_time?: number
  readonly acr?: string
  readonly amr?: readonly string[]
}

export type SubjectToken = OwnToken | ForeignToken

/**
 * RFC 7800: what the caller's new token is bound to, each member proven with this very request; undefined where it proved
 * nothing its binding is about.
 */
export type ProvenKey = { readonly jkt?: string; readonly 'x5t#S256'?: string } | undefined

export function keyProofOf(key: ProvenKey): KeyProof {
  if (key?.jkt !== undefined) return 'dpop'
  return key?.['x5t#S256'] === undefined ? 'none' : 'mtls'
}
