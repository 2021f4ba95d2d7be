/** Who asks for something at the management API: the operator of the whole server, or a person of one tenant. */
import type { Role } from '../core/tenant.ts'

/** Stands where a tenant's id would, for what is the server's own. Tenant ids begin with a letter. */
export const PLATFORM = '_platform'
export const OPERATOR = 'operator'

export type AuthorRole = Role | typeof OPERATOR

export interface Author {
  /** `operator`, or `{trusted issuer id}:{subject}`: stands in versions and on record. */
  readonly name: string
  readonly roles: readonly AuthorRole[]
  /** The one tenant they may manage; undefined: any. */
  readonly tenant: string | undefined
}
