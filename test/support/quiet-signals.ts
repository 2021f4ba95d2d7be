/** Streams of security events over a memory store that sign nothing and push nothing. */
import type { AuditLog, Clock } from '../../server/use-cases/ports.ts'
import type { SharedSignals } from '../../server/use-cases/shared-signals.ts'
import { MemoryEventStore } from './memory-events.ts'

export function quietSignals({ audit }: { readonly audit: AuditLog }, clock: Clock): SharedSignals {
  return {
    clock,
    audit,
    randomId: () => 'A'.repeat(22),
    eventStore: new MemoryEventStore(),
    wakePush: () => {},
    mintEvent: async () => 'a.b.c',
    waitingPlace: () => undefined,
    pause: async () => false,
    seal: (_, text) => text,
  }
}
