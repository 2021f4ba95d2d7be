/** Tells every receiver of a tenant what ended: into their streams, before whoever ended it is answered. */
import { contentsOf } from '../core/security-event.ts'
import type { EventFor, EventStore, EventStream } from './event-store.ts'
import type { Clock } from './ports.ts'
import type { SecurityEvents } from './security-events.ts'

export interface TellReceiversDeps {
  readonly clock: Clock
  readonly randomId: () => string
  readonly eventStore: EventStore
  readonly wakePush: (tenant: string, stream: EventStream) => void
  /** As many events wait for this receiver as may: one was not kept, and its stream is paused from now on. */
  readonly onStreamFull: (tenant: string, receiver: string) => void
}

export function createSecurityEvents(deps: TellReceiversDeps): SecurityEvents {
  const { clock, eventStore } = deps
  return {
    emit: async (tenant, event) => {
      // Only receivers of the live version: one that was taken out is told nothing more.
      const streams = [...tenant.eventReceivers.keys()].flatMap((receiver) => {
        const stream = eventStore.streamOf(tenant.id, receiver)
        return stream === undefined || stream.status === 'disabled' ? [] : [stream]
      })
      if (streams.length === 0) return
      const now = clock.now()
      const contents = contentsOf(tenant, event, now)
      const events = streams.flatMap(({ receiver }) =>
        contents.map((content): EventFor => ({ receiver, id: deps.randomId(), content })),
      )
      const outcomes = await eventStore.append(tenant.id, events, now)
      for (const [at, outcome] of outcomes.entries()) {
        const receiver = events[at]?.receiver ?? ''
        if (outcome === 'paused') deps.onStreamFull(tenant.id, receiver)
      }
      for (const stream of streams) deps.wakePush(tenant.id, stream)
    },
  }
}
