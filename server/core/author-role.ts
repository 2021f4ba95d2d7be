/** What an author of a management request may be, beside the roles a tenant gives to people. */
import type { Role } from './tenant.ts'

/** `subject`: every person, for what is done on their behalf; `receiver`: of security events; `resource`: a resource server. */
export type AuthorRole = Role | 'operator' | 'subject' | 'agent' | 'receiver' | 'resource'
