/**
 * What waits in a stream, handed to its receiver (RFC 8936). What it did not acknowledge comes again, as the same text of the
 * same id.
 */
import type { EventReceiver, Tenant } from '../core/tenant.ts'
import type { DecisionRecord } from './decision-record.ts'
import type { EventStore, EventStream, WaitingEvent } from './event-store.ts'
import type { AuditLog, Clock } from './ports.ts'

/** Signing is paid for by us: about half a millisecond each. */
export const MOST_EVENTS = 32
/** A request that waits looks so often, and gives up so late. */
const LOOK_MILLISECONDS = 100
const PATIENCE_MILLISECONDS = 15_000

/** Signs an event for its receiver; the same text for the same event. */
export type MintEvent = (
  tenant: Tenant,
  audience: EventReceiver['id'],
  event: WaitingEvent,
) => Promise<string>

export interface PollDeps {
  readonly clock: Clock
  readonly audit: AuditLog
  readonly eventStore: EventStore
  readonly mintEvent: MintEvent
  /** A place among the requests that wait; undefined: there is none, for this stream or at all. Called back when it ends. */
  readonly waitingPlace: (stream: string) => (() => void) | undefined
  /** False: the server is stopping. */
  readonly pause: (milliseconds: number) => Promise<boolean>
}

export interface Poll {
  readonly tenant: Tenant
  readonly stream: EventStream
  readonly record: DecisionRecord
  readonly maxEvents: number
  readonly waits: boolean
  readonly acknowledged: readonly string[]
  /** RFC 8936 §2.4.4: events that were not accepted, and why. */
  readonly refused: ReadonlyMap<string, string>
}

export interface Polled {
  readonly sets: Readonly<Record<string, string>>
  readonly more: boolean
}

export async function pollEvents(deps: PollDeps, poll: Poll): Promise<Polled> {
  const { tenant, stream, acknowledged, refused, record } = poll
  const done = [...acknowledged, ...refused.keys()]
  if (refused.size > 0) {
    // On record before it is forgotten. The receiver's words are its own: texts of a bounded form (server/http/ssf).
    record.note({ changes: [...refused].map(([jti, err]) => `${jti}: ${err}`) })
    await deps.audit.append(record.permitted(deps.clock.now()))
  }
  if (done.length > 0) await deps.eventStore.acknowledge(tenant.id, stream.id, done)
  const limit = Math.min(poll.maxEvents, MOST_EVENTS)
  const { events, more } = await readOrWait(deps, poll, limit)
  const sets: Record<string, string> = {}
  for (const event of events) sets[event.jti] = await deps.mintEvent(tenant, stream.receiver, event)
  return { sets, more }
}

async function readOrWait(deps: PollDeps, { tenant, stream, waits }: Poll, limit: number) {
  const read = () => deps.eventStore.read(tenant.id, stream.id, limit)
  const now = read()
  if (!waits || limit === 0 || now.events.length > 0) return now
  const leave = deps.waitingPlace(stream.id)
  if (leave === undefined) return now
  try {
    for (let left = PATIENCE_MILLISECONDS; left > 0; left -= LOOK_MILLISECONDS) {
      if (!(await deps.pause(LOOK_MILLISECONDS))) break
      const later = read()
      if (later.events.length > 0) return later
    }
    return now
  } finally {
    leave()
  }
}
