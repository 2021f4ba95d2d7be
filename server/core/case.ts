import type { KeyProof } from './tenant.ts'

/**
 * One question about delegation in the words of an identity team: may this chain of agents, for this subject, take these
 * scopes to this resource? Test cases of a tenant's folder, `explain` and `diff` all ask it.
 */
export interface Case {
  /** Undefined: the first agent acts on its own behalf. */
  readonly subject: string | undefined
  /** Trusted issuer id; undefined: the first of the opener's `issuer_clients` from which it may open such a task. */
  readonly issuer: string | undefined
  readonly claims: Readonly<Record<string, readonly string[]>>
  /** Agent ids from the root to the one that asks, which is the last; never empty. */
  readonly actors: readonly string[]
  /** Undefined: the only one that fits. */
  readonly taskType: string | undefined
  /** Id or URI. */
  readonly resource: string
  /** Undefined: whatever is permitted outright. */
  readonly scope: readonly string[] | undefined
  readonly purpose: string | undefined
  /** What every agent of the chain proves; undefined: each what its tokens are bound to, and DPoP where that is nothing. */
  readonly key: KeyProof | undefined
  /** Seconds since the epoch. */
  readonly now: number
}
