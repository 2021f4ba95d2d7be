/**
 * Revocation by the holder (RFC 7009): the token and all that was minted from it, in one step. Anyone else's request has
 * no effect and the same answer, so it tells nothing and harms nobody (attack case H09).
 */
import { placeOf } from '../core/delegated-claims.ts'
import type { OwnToken } from '../core/input-token.ts'
import { isReplaced } from '../core/live-actors.ts'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { AuditLog, Clock, HopRecord, TaskStore } from './ports.ts'
import type { SecurityEvents } from './security-events.ts'

export interface RevokeTokenDeps {
  readonly clock: Clock
  readonly tasks: TaskStore
  readonly audit: AuditLog
  readonly securityEvents: SecurityEvents
}

export interface RevokeInput {
  readonly tenant: Tenant
  readonly client: string
  readonly token: OwnToken | undefined
  readonly record: DecisionRecord
}

const BY_HOLDER = 'revoked by its holder'

/**
 * Resolves when the revocation is visible to every process, its entry durable, and receivers will be told; what was refused is
 * on record only.
 */
export async function revokeToken(deps: RevokeTokenDeps, input: RevokeInput): Promise<void> {
  const { token, record } = input
  const refusal = await revokeAsHolder(deps, input)
  if (token !== undefined) {
    const { claims } = token
    record.note({ subject: claims.sub, txn: claims.txn, jti: claims.jti })
    record.note({ chain: placeOf(claims), target: claims.aud })
  }
  const now = deps.clock.now()
  if (refusal === undefined) record.note({ ended_because: BY_HOLDER })
  const entry = refusal === undefined ? record.permitted(now) : record.refused(now, refusal)
  await deps.audit.appendRevocation(entry)
  if (refusal === undefined && token !== undefined) await tellReceivers(deps, input, token, now)
}

async function revokeAsHolder(
  { tasks }: RevokeTokenDeps,
  { tenant, client, token }: RevokeInput,
): Promise<Refusal | undefined> {
  if (token === undefined) return refuse('subject_token_unacceptable', 'token_not_ours')
  const { claims } = token
  if (claims.client_id !== client) return refuse('subject_token_unacceptable', 'client_not_holder')
  const holder = tenant.agents.get(client)
  // Another agent of the same id held it (attack case E10).
  if (holder !== undefined && isReplaced(holder, claims.iat)) {
    return refuse('subject_token_unacceptable', 'client_replaced')
  }
  const isKnown = await tasks.revokeHop(tenant.id, claims.txn, claims.jti)
  return isKnown ? undefined : refuse('subject_token_revoked', 'hop_unknown')
}

async function tellReceivers(
  { tasks, securityEvents }: RevokeTokenDeps,
  { tenant, client }: RevokeInput,
  { claims }: OwnToken,
  now: number,
): Promise<void> {
  if (tenant.eventReceivers.size === 0) return
  const tree = await tasks.readTask(tenant.id, claims.txn)
  if (tree === undefined) return
  await securityEvents.emit(tenant, {
    kind: 'tokens_revoked',
    task: tree.task,
    ending: { at: now, by: `agent:${client}`, reason: BY_HOLDER },
    jtis: mintedFrom(tree.hops, claims.jti),
  })
}

/** The token and all that came from it. */
function mintedFrom(hops: readonly HopRecord[], jti: string): readonly string[] {
  const children = Map.groupBy(hops, ({ parent }) => parent)
  // A set grows while it is walked; each token is reached once.
  const reached = new Set([jti])
  for (const one of reached) for (const hop of children.get(one) ?? []) reached.add(hop.jti)
  return [...reached]
}
