/**
 * Management tokens for a tenant's clients, by client credentials with exactly `resource={issuer}/manage`: an agent for what
 * it may end, an event receiver for its events, a resource server for what it records. No task is opened, and no rule of the
 * tenant is asked: nothing is delegated.
 */
import type { Keyring } from '../../keys/keyring.ts'
import type { ProvenKey } from '../core/input-token.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from '../use-cases/decision-record.ts'
import type { SignedIn } from '../use-cases/management-access.ts'
import type { AuditLog, Clock } from '../use-cases/ports.ts'
import type { GrantClient } from './clients.ts'
import type { CommonParameters } from './exchange-parameters.ts'
import { issueManagementToken } from './issue-management-token.ts'
import { manageAudience } from './management-access.ts'

export interface ClientSignInDeps {
  readonly clock: Clock
  readonly audit: AuditLog
  readonly keyringOf: (tenant: Tenant) => Keyring
}

export interface ClientSignIn {
  readonly tenant: Tenant
  readonly client: GrantClient
  readonly key: ProvenKey
  readonly parameters: CommonParameters
  readonly record: DecisionRecord
}

/** That resource alone: with any other target beside it the request is one for an access token, and refused as such. */
export function asksToManage(tenant: Tenant, { target }: CommonParameters): boolean {
  const [resource, ...others] = target.resource
  const isOnly = target.audience.length + others.length === 0
  return isOnly && resource === manageAudience(tenant.issuer)
}

export async function signInClient(
  deps: ClientSignInDeps,
  { tenant, client, key, parameters, record }: ClientSignIn,
): Promise<SignedIn | Refusal> {
  const { kind, id } = client
  record.note({ action: 'sign_in' })
  if (parameters.taskType !== undefined || parameters.purpose !== undefined) {
    return refuse('request_malformed', 'task_of_sign_in')
  }
  if (parameters.scope?.some((name) => name !== kind) === true) return refuse('scope_not_permitted')
  // An agent whose access tokens are bound to a certificate or to nothing still proves a key here: what it ends, others lose.
  const mayBearer = kind === 'receiver' && client.binding === 'bearer'
  if (key?.jkt === undefined && !mayBearer) return refuse('proof_required')
  return issueManagementToken(deps, {
    keyring: deps.keyringOf(tenant),
    record,
    claims: {
      iss: tenant.issuer,
      sub: id,
      aud: manageAudience(tenant.issuer),
      client_id: id,
      scope: kind,
      tenant: tenant.id,
    },
    jkt: key?.jkt,
  })
}
