/** Who asks for something at the management API: the operator of the whole server, or a person of one tenant. */
import type { AuthorRole } from '../core/author-role.ts'
import type { KeyProof } from '../core/tenant.ts'

export type { AuthorRole }

/** Stands where a tenant's id would, for what is the server's own. Tenant ids begin with a letter. */
export const PLATFORM = '_platform'
export const OPERATOR = 'operator'
/** Ends what no longer stands on the tenant's facts. No name of an author, which has a colon. */
export const FACTS = 'facts'

export interface Author {
  /** `operator`, `{trusted issuer id}:{subject}`, `agent:{id}`, `receiver:{id}` or `resource:{id}`: stands in versions and on record. */
  readonly name: string
  /** Subject, agent, receiver or resource as the tenant knows them; `operator` for the operator. */
  readonly id: string
  readonly roles: readonly AuthorRole[]
  /** The one tenant they may manage; undefined: any. */
  readonly tenant: string | undefined
  /** `jti` of the management token, which the entry of its sign-in has too. */
  readonly credential: string
  readonly boundBy: KeyProof
}
