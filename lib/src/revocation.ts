/**
 * Where revocation is plugged in (docs/chain-format.md §2, rule 6). What a verifier needs of it and gives to it; the lists
 * themselves are `@actchain/verifier/status`.
 */
import type { FaultListener } from './fault.ts'
import type { Fetch } from './fetch-bytes.ts'
import type { KeySource } from './jwks.ts'
import type { SignatureAlgorithm } from './public-key.ts'

/** What a verified token refers to: the one list of its task, and the indexes of its root and of every hop. */
export interface StatusReference {
  readonly uri: string
  readonly indexes: readonly number[]
}

export interface RevocationDeps {
  readonly issuer: string
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly keys: KeySource
  readonly fetch: Fetch
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly onFault: FaultListener
}

export interface RevocationCheck {
  /**
   * The age in whole seconds of what was looked at, at once where that is at hand. `scope`: what the route asks for. Throws or
   * rejects with VerificationError: `token_revoked`, `token_suspended` or `revocation_unknown`.
   */
  check(reference: StatusReference, scope: readonly string[]): number | Promise<number>
  /** Ends streams and timers. What is held is used until it is too old. */
  close(): void
}

/** Called once by the verifier it was given to. */
export type Revocation = (deps: RevocationDeps) => RevocationCheck
