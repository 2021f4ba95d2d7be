/**
 * A receiver's stream of security events (OpenID Shared Signals Framework 1.0 §8.1): made, read, changed, paused, verified,
 * removed. A receiver has one, and another's is as if it were not there.
 */
import {
  type ManagementRefusal,
  refuseManagement,
  refuseMembers,
} from '../core/management-refusal.ts'
import { verificationOf } from '../core/security-event.ts'
import type { EventReceiver, Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { EventStore, EventStream, StreamStatus, StreamWishes } from './event-store.ts'
import type { AuditLog, Clock } from './ports.ts'

/** SSF 1.0 §8.1.1, `min_verification_interval`: seconds. */
export const VERIFICATION_INTERVAL = 1

export interface EventStreamDeps {
  readonly clock: Clock
  readonly audit: AuditLog
  readonly randomId: () => string
  readonly eventStore: EventStore
  /** What waits in the stream may be pushed now. */
  readonly wakePush: (tenant: string, stream: EventStream) => void
}

/** Who asks, of which tenant, and what is on record of it. */
export interface StreamRequest {
  readonly tenant: Tenant
  /** Receiver id, as authenticated. */
  readonly receiver: string
  readonly record: DecisionRecord
}

export async function createStream(
  deps: EventStreamDeps,
  request: StreamRequest,
  wishes: StreamWishes,
): Promise<EventStream | ManagementRefusal> {
  const { tenant, record } = request
  const receiver = tenant.eventReceivers.get(request.receiver)
  if (receiver === undefined) return refuseManagement('not_found', 'receiver_unknown')
  const refusal = refuseWishes(receiver, wishes)
  if (refusal !== undefined) return refusal
  const stream: EventStream = {
    ...wishes,
    id: deps.randomId(),
    receiver: receiver.id,
    status: 'enabled',
    reason: undefined,
    lost: 0,
    verifiedAt: 0,
  }
  if (!(await deps.eventStore.createStream(tenant.id, stream))) {
    return refuseManagement('stream_exists')
  }
  await deps.audit.append(record.permitted(deps.clock.now()))
  return stream
}

/** The receiver's own stream of that id. */
export function findStream(
  { eventStore }: Pick<EventStreamDeps, 'eventStore'>,
  { tenant, receiver }: Pick<StreamRequest, 'tenant' | 'receiver'>,
  id: string,
): EventStream | ManagementRefusal {
  const stream = tenant.eventReceivers.has(receiver)
    ? eventStore.streamOf(tenant.id, receiver)
    : undefined
  return stream?.id === id ? stream : refuseManagement('not_found', 'stream_of_others')
}

export async function changeStream(
  deps: EventStreamDeps,
  request: StreamRequest,
  { id, wishes }: { readonly id: string; readonly wishes: StreamWishes },
): Promise<EventStream | ManagementRefusal> {
  const { tenant, record } = request
  const found = findStream(deps, request, id)
  if ('kind' in found) return found
  const receiver = tenant.eventReceivers.get(found.receiver)
  const refusal = receiver === undefined ? undefined : refuseWishes(receiver, wishes)
  if (refusal !== undefined) return refusal
  record.note({ changes: [`delivery: ${wishes.delivery.method}`] })
  const changed = await deps.eventStore.changeStream(tenant.id, id, { wishes })
  if (changed === undefined) return refuseManagement('not_found', 'stream_removed')
  await deps.audit.append(record.permitted(deps.clock.now()))
  deps.wakePush(tenant.id, changed)
  return changed
}

export interface StatusWish {
  readonly id: string
  readonly status: StreamStatus
  readonly reason: string | undefined
}

/** SSF 1.0 §8.1.2.2: what waits in a paused stream is sent once it is enabled, in the order it came. */
export async function setStreamStatus(
  deps: EventStreamDeps,
  request: StreamRequest,
  { id, status, reason }: StatusWish,
): Promise<EventStream | ManagementRefusal> {
  const { tenant, record } = request
  const found = findStream(deps, request, id)
  if ('kind' in found) return found
  const change = { status: { status, reason } }
  record.note({ changes: [`status: ${found.status} -> ${status}`] })
  if (reason !== undefined) record.noteText('because', reason)
  const changed = await deps.eventStore.changeStream(tenant.id, id, change)
  if (changed === undefined) return refuseManagement('not_found', 'stream_removed')
  await deps.audit.append(record.permitted(deps.clock.now()))
  deps.wakePush(tenant.id, changed)
  return changed
}

export async function removeStream(
  deps: EventStreamDeps,
  request: StreamRequest,
  id: string,
): Promise<ManagementRefusal | undefined> {
  const { tenant, record } = request
  const found = findStream(deps, request, id)
  if ('kind' in found) return found
  if (!(await deps.eventStore.removeStream(tenant.id, id))) {
    return refuseManagement('not_found', 'stream_removed')
  }
  await deps.audit.append(record.permitted(deps.clock.now()))
  return undefined
}

/** SSF 1.0 §8.1.4.2: an event that says only that the stream works. */
export async function verifyStream(
  deps: EventStreamDeps,
  request: StreamRequest,
  { id, state }: { readonly id: string; readonly state: string | undefined },
): Promise<ManagementRefusal | undefined> {
  const { tenant, receiver } = request
  const found = findStream(deps, request, id)
  if ('kind' in found) return found
  const now = deps.clock.now()
  const event = { receiver, id: deps.randomId(), content: verificationOf(id, state, now) }
  const asked = { now, interval: VERIFICATION_INTERVAL }
  const outcome = await deps.eventStore.verify(tenant.id, event, asked)
  if (outcome === 'too_soon') return refuseManagement('rate_limited')
  if (outcome === 'unasked') return refuseMembers([{ pointer: '/stream_id', text: 'is disabled' }])
  deps.wakePush(tenant.id, found)
  return undefined
}

/** Events go to addresses of the tenant's configuration, and nowhere a request names (attack case K01). */
function refuseWishes(
  { pushEndpoints }: EventReceiver,
  { delivery }: StreamWishes,
): ManagementRefusal | undefined {
  if (delivery.method === 'poll' || pushEndpoints.has(delivery.endpoint)) return undefined
  const text = 'is none of the push_endpoints of this receiver'
  return refuseMembers([{ pointer: '/delivery/endpoint_url', text }])
}
