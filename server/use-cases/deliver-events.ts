/**
 * Events on their way to receivers that want them pushed (RFC 8935). One at a time in each stream and in order; a claim in the
 * store keeps other processes away meanwhile, and ends by itself where this one dies.
 */
import type { Tenant } from '../core/tenant.ts'
import type { ClaimedPush, EventStore } from './event-store.ts'
import type { MintEvent } from './poll-events.ts'
import type { AuditLog, Clock, Tenants } from './ports.ts'

/** Seconds; longer than any one push takes. */
const CLAIM_SECONDS = 30
/** Seconds before an event is sent again: doubled each time, up to the last. */
const LONGEST_BACKOFF = 300
/** RFC 8935 §2.3: what a receiver refuses will be refused again. A few times more, for keys it has not read yet. */
const MOST_REFUSALS = 3

export interface PushedEvent {
  readonly endpoint: string
  readonly token: string
  /** Value of the Authorization header the receiver asked for. */
  readonly authorization: string | undefined
}

/** `err` of RFC 8935 §2.4, in a bounded form. */
export type PushAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly err: string }
  | { readonly kind: 'failed'; readonly why: string }

export interface DeliverDeps {
  readonly clock: Clock
  readonly tenants: Tenants
  readonly audit: AuditLog
  readonly randomId: () => string
  readonly eventStore: EventStore
  readonly mintEvent: MintEvent
  /** Never throws. */
  readonly push: (event: PushedEvent) => Promise<PushAnswer>
  /** Opens what was sealed for this tenant; undefined: it cannot be opened any more. */
  readonly unseal: (tenant: string, sealed: string) => string | undefined
  /** Names this process. */
  readonly holder: string
  readonly onPushFailed: (tenant: string, receiver: string, why: string) => void
}

/** Pushes what may be pushed now. Resolves when the stream is empty, waits for a time to come, or is another process's. */
export async function deliverStream(
  deps: DeliverDeps,
  { tenant, stream }: { readonly tenant: string; readonly stream: string },
): Promise<void> {
  for (;;) {
    const live = deps.tenants.find(tenant)
    if (live === undefined) return
    const now = deps.clock.now()
    const claim = { tenant, stream, holder: deps.holder, now, until: now + CLAIM_SECONDS }
    const claimed = await deps.eventStore.claimPush(claim)
    if (claimed === undefined) return
    const againAt = await deliver(deps, live, claimed)
    const { jti } = claimed.event
    await deps.eventStore.settlePush({ tenant, stream, holder: deps.holder, jti, againAt })
    if (againAt !== undefined) return
  }
}

/** When it is to be sent again; undefined: it is done with. */
async function deliver(
  deps: DeliverDeps,
  tenant: Tenant,
  { stream, event, attempts }: ClaimedPush,
): Promise<number | undefined> {
  const answer = await send(deps, tenant, { stream, event })
  if (answer.kind === 'accepted') return undefined
  const why = answer.kind === 'refused' ? answer.err : answer.why
  deps.onPushFailed(tenant.id, stream.receiver, why)
  if (answer.kind === 'refused' && attempts + 1 >= MOST_REFUSALS) {
    await recordRefused(deps, tenant, { receiver: stream.receiver, jti: event.jti, why })
    return undefined
  }
  return deps.clock.now() + Math.min(2 ** Math.min(attempts, 16), LONGEST_BACKOFF)
}

async function send(
  deps: DeliverDeps,
  tenant: Tenant,
  { stream, event }: Pick<ClaimedPush, 'stream' | 'event'>,
): Promise<PushAnswer> {
  const { delivery, receiver } = stream
  // As configured now, not as it was when the stream was made.
  const endpoints = tenant.eventReceivers.get(receiver)?.pushEndpoints
  if (delivery.method !== 'push' || endpoints?.has(delivery.endpoint) !== true) {
    return { kind: 'failed', why: 'endpoint_not_configured' }
  }
  const { endpoint, authorization: sealed } = delivery
  const authorization = sealed === undefined ? undefined : deps.unseal(tenant.id, sealed)
  if (sealed !== undefined && authorization === undefined) {
    return { kind: 'failed', why: 'authorization_sealed' }
  }
  const token = await deps.mintEvent(tenant, receiver, event)
  return deps.push({ endpoint, token, authorization })
}

async function recordRefused(
  { audit, clock, randomId }: DeliverDeps,
  tenant: Tenant,
  { receiver, jti, why }: { readonly receiver: string; readonly jti: string; readonly why: string },
): Promise<void> {
  await audit.append({
    time: clock.now(),
    ref: randomId(),
    tenant: tenant.id,
    tenant_version: tenant.version,
    event: 'security_event',
    outcome: 'refuse',
    guard: 'refused_by_receiver',
    action: 'push_event',
    client: receiver,
    jti,
    changes: [`${jti}: ${why}`],
  })
}
