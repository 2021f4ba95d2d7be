/** What verifiers are told of a tenant is signed by the key that signs its tokens. */
import type { Tenant } from '../core/tenant.ts'

/** RFC 8725 §3.11: each kind of token has a type of its own. */
export type StatusTokenType = 'statuslist+jwt' | 'statusfeed+jwt'

export interface StatusSigner {
  /** Names the key in use. */
  readonly kid: string
  /** Names of every key in the tenant's key set. */
  readonly kids: readonly string[]
  /** Resolves to a JWT. */
  sign(type: StatusTokenType, claims: Readonly<Record<string, unknown>>): Promise<string>
}

/** Where a list is fetched, and what its tokens call it: an exact string (Token Status List §6.2). */
export function listUri({ issuer }: Tenant, list: string): string {
  return `${issuer}/status/${list}`
}
