/** A stream as its receiver sees it, and what its receiver sends as the store keeps it. */
import { type ManagementRefusal, refuseMembers } from '../../core/management-refusal.ts'
import { EVENTS_SUPPORTED } from '../../core/security-event.ts'
import type { Tenant } from '../../core/tenant.ts'
import type { EventStream, StreamDelivery, StreamWishes } from '../../use-cases/event-store.ts'
import { VERIFICATION_INTERVAL } from '../../use-cases/event-streams.ts'
import {
  POLL,
  PUSH,
  type StreamBody,
  type StreamChangeBody,
  type StreamView,
} from './stream-schemas.ts'

export function pollEndpointOf(tenant: Tenant, stream: string): string {
  return `${tenant.issuer}/ssf/poll/${stream}`
}

/** SSF 1.0 §8.1.1. The header of a push is not told: who reads a configuration need not know that secret. */
export function viewOf(tenant: Tenant, stream: EventStream): StreamView {
  const { id, receiver, delivery, eventsRequested, description } = stream
  const requested = eventsRequested === undefined ? undefined : new Set(eventsRequested)
  return {
    stream_id: id,
    iss: tenant.issuer,
    aud: receiver,
    delivery:
      delivery.method === 'push'
        ? { method: PUSH, endpoint_url: delivery.endpoint }
        : { method: POLL, endpoint_url: pollEndpointOf(tenant, id) },
    events_supported: [...EVENTS_SUPPORTED],
    ...(eventsRequested === undefined ? {} : { events_requested: [...eventsRequested] }),
    events_delivered: EVENTS_SUPPORTED.filter((type) => requested?.has(type) ?? true),
    min_verification_interval: VERIFICATION_INTERVAL,
    ...(description === undefined ? {} : { description }),
  }
}

export interface ReadWishes {
  /** Seals the header a receiver asked for. */
  readonly seal: (text: string) => string
  /** Where poll requests of this stream go; undefined while it is made. */
  readonly pollEndpoint: string | undefined
}

/** SSF 1.0 §8.1.1.1: without `delivery` it is a poll. */
export function wishesOf(body: StreamBody, read: ReadWishes): StreamWishes | ManagementRefusal {
  const delivery = deliveryOf(body.delivery, read)
  if ('kind' in delivery) return delivery
  const { events_requested: eventsRequested, description } = body
  return { delivery, eventsRequested, description }
}

function deliveryOf(
  stated: StreamBody['delivery'],
  { seal, pollEndpoint }: ReadWishes,
): StreamDelivery | ManagementRefusal {
  const url = stated?.endpoint_url
  const header = stated?.authorization_header
  if (stated?.method === PUSH) {
    if (url === undefined) return refuseMember('/delivery/endpoint_url', 'is missing')
    const authorization = header === undefined ? undefined : seal(header)
    return { method: 'push', endpoint: url, authorization }
  }
  if (header !== undefined) {
    return refuseMember('/delivery/authorization_header', 'goes with push delivery')
  }
  // SSF 1.0 §6.1.2: the transmitter's to say.
  if (url !== undefined && url !== pollEndpoint) {
    return refuseMember('/delivery/endpoint_url', 'is supplied by this server')
  }
  return { method: 'poll' }
}

/** SSF 1.0 §8.1.1.3: what is not stated stays. */
export function mergedWishes(
  stream: EventStream,
  body: StreamChangeBody,
  read: ReadWishes,
): StreamWishes | ManagementRefusal {
  const stated = wishesOf(body, read)
  if ('kind' in stated) return stated
  return {
    delivery: body.delivery === undefined ? stream.delivery : stated.delivery,
    eventsRequested: body.events_requested ?? stream.eventsRequested,
    description: body.description ?? stream.description,
  }
}

/** SSF 1.0 §8.1.1.3: what this server supplies may be there, and must match then. */
export function checkSupplied(
  view: StreamView,
  body: StreamChangeBody,
): ManagementRefusal | undefined {
  const aud = Array.isArray(body.aud) ? body.aud[0] : body.aud
  const pairs = {
    iss: [body.iss, view.iss],
    aud: [aud, view.aud],
    events_supported: [body.events_supported, view.events_supported],
    events_delivered: [body.events_delivered, view.events_delivered],
    min_verification_interval: [body.min_verification_interval, view.min_verification_interval],
  } as const
  const wrong = Object.entries(pairs).filter(
    ([, [stated, ours]]) => stated !== undefined && !isSame(stated, ours),
  )
  if (wrong.length === 0) return undefined
  return refuseMembers(
    wrong.map(([member]) => ({ pointer: `/${member}`, text: 'is another here' })),
  )
}

/** Lists of types have no order. */
function isSame(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  const rest = new Set<unknown>(other)
  return one.length === rest.size && one.every((type) => rest.delete(type))
}

function refuseMember(pointer: string, text: string): ManagementRefusal {
  return refuseMembers([{ pointer, text }])
}
