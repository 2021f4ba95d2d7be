/** Streams of security events and what waits in them, as JSON. Keys are never parsed back, so a stream says whose it is. */
import type { EventContent } from '../../core/security-event.ts'
import type { EventStream, StreamDelivery } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import { ownStreamKey, streamKey, waitingKey, waitingOf } from './keys.ts'

export interface StoredStream {
  readonly tenant: string
  readonly stream: EventStream
  /** Number of the next event; those before it were given, in order. */
  readonly next: number
  readonly waiting: number
  /** Of a stream this server paused: the last event that is sent still, the one that says so. */
  readonly lastSent: number | undefined
  readonly push: {
    /** Who is pushing the oldest event, and until when nobody else does; undefined: nobody. */
    readonly claim: { readonly holder: string; readonly until: number } | undefined
    /** Of the oldest event. */
    readonly attempts: number
    readonly notBefore: number
  }
}

export interface StoredEvent {
  readonly jti: string
  readonly content: EventContent
}

export const NO_PUSH: StoredStream['push'] = { claim: undefined, attempts: 0, notBefore: 0 }

export function readStream(value: Buffer): StoredStream {
  const { stream, lastSent, push, ...rest } = JSON.parse(value.toString('utf8')) as StoredStream
  // What JSON leaves out is there as undefined.
  const { eventsRequested, description, reason, delivery } = stream
  return {
    ...rest,
    lastSent,
    push: { ...push, claim: push.claim },
    stream: { ...stream, eventsRequested, description, reason, delivery: readDelivery(delivery) },
  }
}

function readDelivery(stored: StreamDelivery): StreamDelivery {
  return stored.method === 'poll' ? stored : { ...stored, authorization: stored.authorization }
}

export function readEvent(value: Buffer): StoredEvent {
  const { jti, content } = JSON.parse(value.toString('utf8')) as StoredEvent
  return { jti, content: { ...content, txn: content.txn } }
}

export function findStream(
  environment: Environment,
  tenant: string,
  id: string,
): StoredStream | undefined {
  const value = environment.get(streamKey(tenant, id))
  return value === undefined ? undefined : readStream(value)
}

export function findOwnStream(
  environment: Environment,
  tenant: string,
  receiver: string,
): StoredStream | undefined {
  const id = environment.get(ownStreamKey(tenant, receiver))
  return id === undefined ? undefined : findStream(environment, tenant, id.toString('utf8'))
}

export function putStream(environment: Environment, stored: StoredStream): void {
  const { tenant, stream } = stored
  environment.put(streamKey(tenant, stream.id), Buffer.from(JSON.stringify(stored)))
}

export function putEvent(
  environment: Environment,
  { tenant, stream }: StoredStream,
  at: number,
  event: StoredEvent,
): void {
  environment.put(waitingKey(tenant, stream.id, at), Buffer.from(JSON.stringify(event)))
}

/** The oldest first, at most so many of those that may be sent now. */
export function readWaiting(
  environment: Environment,
  stored: StoredStream,
  limit: number,
): readonly StoredEvent[] {
  const { tenant, stream, lastSent } = stored
  if (stream.status === 'disabled' || stored.waiting === 0 || limit === 0) return []
  if (stream.status === 'paused' && lastSent === undefined) return []
  const after = stream.status === 'enabled' || lastSent === undefined ? undefined : lastSent + 1
  return environment
    .range(waitingOf(tenant, stream.id, after), limit)
    .map(({ value }) => readEvent(value))
}

/** The number in the id of an event, which is the stream's own (events.ts). */
export function numberOf(jti: string): number | undefined {
  const digits = /\.(0|[1-9][0-9]{0,9})$/.exec(jti)?.[1]
  const number = digits === undefined ? undefined : Number(digits)
  return number !== undefined && number <= 0xffffffff ? number : undefined
}
