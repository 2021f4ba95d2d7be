/**
 * Revocation by the holder (RFC 7009): the token and all that was minted from it, in one step. Anyone else's request has
 * no effect and the same answer, so it tells nothing and harms nobody (attack case H09).
 */
import type { OwnToken } from '../core/input-token.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { AuditLog, Clock, TaskStore } from './ports.ts'

export interface RevokeInput {
  readonly tenant: Tenant
  readonly client: string
  readonly token: OwnToken | undefined
  readonly record: DecisionRecord
}

/** Resolves when the revocation is visible to every process and its entry durable; what was refused is on record only. */
export async function revokeToken(
  deps: { readonly clock: Clock; readonly tasks: TaskStore; readonly audit: AuditLog },
  input: RevokeInput,
): Promise<void> {
  const { tenant, client, token, record } = input
  const refusal = await revokeAsHolder(deps, tenant, client, token)
  if (token !== undefined) {
    const { claims } = token
    record.note({ subject: claims.sub, txn: claims.txn, jti: claims.jti })
  }
  const now = deps.clock.now()
  const entry = refusal === undefined ? record.permitted(now) : record.refused(now, refusal)
  await deps.audit.append(entry)
}

async function revokeAsHolder(
  deps: { readonly tasks: TaskStore },
  tenant: Tenant,
  client: string,
  token: OwnToken | undefined,
): Promise<Refusal | undefined> {
  if (token === undefined) return refuse('subject_token_unacceptable', 'token_not_ours')
  const { claims } = token
  if (claims.client_id !== client) return refuse('subject_token_unacceptable', 'client_not_holder')
  const isKnown = await deps.tasks.revokeHop(tenant.id, claims.txn, claims.jti)
  return isKnown ? undefined : refuse('subject_token_revoked', 'hop_unknown')
}
