/**
 * The companion claim of `act`: how much each hop may do (docs/chain-format.md §1). Wire types only.
 */

/** Who acted; outermost first (RFC 8693 §4.1). */
export interface Actor {
  readonly sub: string
  readonly iss: string
  readonly sub_profile?: string
  readonly act?: Actor
}

export interface ActBounds {
  readonly v: 1
  readonly root: BoundsRoot
  /** Newest first; never empty. */
  readonly hops: readonly BoundsHop[]
}

export type Basis = 'consent' | 'policy' | 'approval' | 'client'

export interface BoundsRoot {
  readonly jti: string
  readonly idx: number
  /** Seconds since the epoch. */
  readonly iat: number
  readonly exp: number
  readonly max_depth: number
  readonly basis: Basis
  /** 1 to 31 distinct scope tokens (RFC 6749 §3.3). */
  readonly scope: readonly string[]
  /** 1 to 31 distinct absolute URIs without fragment. */
  readonly reach: readonly string[]
}

export interface BoundsHop {
  readonly jti: string
  readonly idx: number
  /** Masks over the root's lists: what may be used or still delegated from here on. */
  readonly scope: number
  readonly reach: number
  /** Index into `root.reach` of this hop's one audience. */
  readonly aud: number
  /** Seconds after `root.iat`. */
  readonly iat: number
  readonly exp: number
  readonly approval?: string
  readonly decision?: string
  readonly max_depth?: number
}

/** The claims of a delegated access token (RFC 9068 §2.2, RFC 8693 §4.1, docs/chain-format.md §1). */
export interface DelegatedClaims {
  readonly iss: string
  readonly sub: string
  readonly sub_profile?: string
  readonly aud: string
  readonly client_id: string
  readonly scope: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly txn: string
  readonly auth_time?: number
  readonly acr?: string
  readonly amr?: readonly string[]
  readonly cnf?: { readonly jkt?: string; readonly 'x5t#S256'?: string }
  readonly status: { readonly status_list: { readonly idx: number; readonly uri: string } }
  readonly act?: Actor
  readonly act_bounds: ActBounds
}
