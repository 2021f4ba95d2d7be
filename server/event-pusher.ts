/**
 * Drives the pushing of events: at once when something was put into a stream here, and each second for what failed, what
 * another process left, and what was there at the start.
 */

import { type DeliverDeps, deliverStream } from './use-cases/deliver-events.ts'
import type { EventStore, EventStream } from './use-cases/ports.ts'

const LOOK_MILLISECONDS = 1000
/** Streams pushed at a time; the others are found at the next look. */
const MOST_AT_ONCE = 32

export interface EventPusher {
  readonly wake: (tenant: string, stream: EventStream) => void
  readonly drain: () => void
  /** Resolves when the pushes under way have ended. */
  readonly close: () => Promise<void>
}

export interface EventPusherDeps extends DeliverDeps {
  readonly eventStore: EventStore
  readonly onFault: (fault: unknown, tenant: string) => void
}

export function createEventPusher(deps: EventPusherDeps): EventPusher {
  const underway = new Map<string, Promise<void>>()
  /** Streams something was put into while they were being pushed: the last look may have been before it. */
  const again = new Set<string>()
  let isDraining = false

  function begin(tenant: string, stream: string): void {
    const name = JSON.stringify([tenant, stream])
    if (isDraining) return
    if (underway.has(name)) {
      again.add(name)
      return
    }
    if (underway.size >= MOST_AT_ONCE) return
    const work = deliverStream(deps, { tenant, stream })
      .catch((fault: unknown) => deps.onFault(fault, tenant))
      .then(() => {
        underway.delete(name)
        if (again.delete(name)) begin(tenant, stream)
      })
    underway.set(name, work)
  }

  function look(): void {
    try {
      for (const { tenant, stream } of deps.eventStore.due(deps.clock.now())) begin(tenant, stream)
    } catch (fault) {
      deps.onFault(fault, '')
    }
  }

  const timer = setInterval(look, LOOK_MILLISECONDS).unref()
  return {
    wake: (tenant, { id, delivery }) => {
      if (delivery.method === 'push') begin(tenant, id)
    },
    drain: () => {
      isDraining = true
      clearInterval(timer)
    },
    close: async () => {
      isDraining = true
      clearInterval(timer)
      await Promise.all(underway.values())
    },
  }
}
