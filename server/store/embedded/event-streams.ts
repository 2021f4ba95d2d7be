/** Verbs over streams of security events: made, changed, removed, filled, emptied. */
import { streamUpdatedOf } from '../../core/security-event.ts'
import type { AppendOutcome, EventFor, EventStream, StreamChange } from '../../use-cases/ports.ts'
import type { Environment } from './environment.ts'
import {
  findOwnStream,
  findStream,
  NO_PUSH,
  numberOf,
  putEvent,
  putStream,
  readEvent,
  type StoredStream,
} from './event-records.ts'
import { ownStreamKey, streamKey, waitingKey, waitingOf } from './keys.ts'

interface StreamAddress {
  readonly tenant: string
  readonly id: string
}

export function createStream(
  environment: Environment,
  { tenant, stream }: { readonly tenant: string; readonly stream: EventStream },
): boolean {
  const own = ownStreamKey(tenant, stream.receiver)
  if (environment.has(own)) return false
  environment.put(own, Buffer.from(stream.id))
  const empty = { next: 0, waiting: 0, lastSent: undefined, push: NO_PUSH }
  putStream(environment, { tenant, stream, ...empty })
  return true
}

export function changeStream(
  environment: Environment,
  { tenant, id, change }: StreamAddress & { readonly change: StreamChange },
): EventStream | undefined {
  const stored = findStream(environment, tenant, id)
  if (stored === undefined) return undefined
  const { wishes, status } = change
  const stream = {
    ...stored.stream,
    ...wishes,
    ...status,
    ...(status?.status === 'enabled' ? { lost: 0 } : {}),
  }
  const changed = {
    ...stored,
    stream,
    ...(status === undefined ? {} : { lastSent: undefined }),
    // A receiver that changed something is ready now: it does not wait for what failed before.
    push: { ...NO_PUSH, claim: stored.push.claim },
  }
  const isCleared = stream.status === 'disabled'
  if (isCleared) forgetWaiting(environment, stored)
  putStream(environment, isCleared ? { ...changed, waiting: 0 } : changed)
  return stream
}

export function removeStream(environment: Environment, { tenant, id }: StreamAddress): boolean {
  const stored = findStream(environment, tenant, id)
  if (stored === undefined) return false
  forgetWaiting(environment, stored)
  environment.remove(streamKey(tenant, id))
  environment.remove(ownStreamKey(tenant, stored.stream.receiver))
  return true
}

function forgetWaiting(environment: Environment, { tenant, stream, waiting }: StoredStream): void {
  const keys = environment.keys(waitingOf(tenant, stream.id, undefined), waiting)
  for (const key of keys) environment.remove(key)
}

interface Appending {
  readonly tenant: string
  readonly now: number
  /** Events one stream may hold. */
  readonly most: number
}

export function appendEvents(
  environment: Environment,
  { events, ...appending }: Appending & { readonly events: readonly EventFor[] },
): readonly AppendOutcome[] {
  return events.map((event) => {
    const stored = findOwnStream(environment, appending.tenant, event.receiver)
    const isAsked = stored?.stream.eventsRequested?.includes(event.content.type) ?? true
    if (stored === undefined || !isAsked) return 'unasked'
    return append(environment, stored, { ...appending, event })
  })
}

export function verifyStream(
  environment: Environment,
  asked: Appending & { readonly event: EventFor; readonly interval: number },
): AppendOutcome | 'too_soon' {
  const { tenant, event, now, interval } = asked
  const stored = findOwnStream(environment, tenant, event.receiver)
  if (stored === undefined) return 'unasked'
  if (now - stored.stream.verifiedAt < interval) return 'too_soon'
  const stream = { ...stored.stream, verifiedAt: now }
  return append(environment, { ...stored, stream }, asked)
}

function append(
  environment: Environment,
  stored: StoredStream,
  { event, now, most }: Appending & { readonly event: EventFor },
): AppendOutcome {
  const { stream, next } = stored
  if (stream.status === 'disabled') return 'unasked'
  const jti = `${event.id}.${next}`
  const grown = { ...stored, next: next + 1, waiting: stored.waiting + 1 }
  if (stored.waiting < most) {
    putEvent(environment, stored, next, { jti, content: event.content })
    putStream(environment, grown)
    return 'waiting'
  }
  const lost = stream.lost + 1
  if (stream.status === 'paused') {
    putStream(environment, { ...stored, stream: { ...stream, lost } })
    return 'lost'
  }
  // SSF 1.0 §8.1.5: said in the stream, and sent, before it stops. What waits is kept: the oldest is never lost.
  const reason = 'queue_full'
  putEvent(environment, stored, next, { jti, content: streamUpdatedOf(stream.id, reason, now) })
  const paused = { ...stream, status: 'paused', reason, lost } as const
  putStream(environment, { ...grown, lastSent: next, stream: paused })
  return 'paused'
}

export function acknowledgeEvents(
  environment: Environment,
  { tenant, id, jtis }: StreamAddress & { readonly jtis: readonly string[] },
): void {
  const stored = findStream(environment, tenant, id)
  if (stored === undefined) return
  const taken = jtis.filter((jti) => takeEvent(environment, stored, jti)).length
  if (taken > 0) putStream(environment, { ...stored, waiting: stored.waiting - taken })
}

/** False where it is not in the stream: its id was made up, or it has left. */
export function takeEvent(environment: Environment, stored: StoredStream, jti: string): boolean {
  const number = numberOf(jti)
  if (number === undefined) return false
  const key = waitingKey(stored.tenant, stored.stream.id, number)
  const value = environment.get(key)
  if (value === undefined || readEvent(value).jti !== jti) return false
  environment.remove(key)
  return true
}
