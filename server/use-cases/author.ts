/** Who asks for something at the management API: the operator of the whole server, or a person of one tenant. */
import type { Role } from '../core/tenant.ts'

/** Stands where a tenant's id would, for what is the server's own. Tenant ids begin with a letter. */
export const PLATFORM = '_platform'
export const OPERATOR = 'operator'

/**
 * What an author may be. Beside the operator and people's roles: `subject`, every person for what is done on their behalf;
 * `agent`; `receiver` of security events.
 */
export type AuthorRole = Role | typeof OPERATOR | 'subject' | 'agent' | 'receiver'

export interface Author {
  /** `operator`, `{trusted issuer id}:{subject}`, `agent:{id}` or `receiver:{id}`: stands in versions and on record. */
  readonly name: string
  /** Subject, agent or receiver as the tenant knows them; `operator` for the operator. */
  readonly id: string
  readonly roles: readonly AuthorRole[]
  /** The one tenant they may manage; undefined: any. */
  readonly tenant: string | undefined
}
