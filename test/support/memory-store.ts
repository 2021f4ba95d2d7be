/**
 * The ports over plain maps: the reference other stores are compared with, and what use cases run on in tests. One process,
 * so a verb without an await in it is one atomic step.
 */
import type {
  AuditEntry,
  AuditLog,
  Clock,
  Counted,
  Counters,
  ReplayClaim,
  ReplayGuard,
} from '../../server/use-cases/ports.ts'
import { MemoryEventStore } from './memory-events.ts'
import { MemoryStatuses } from './memory-statuses.ts'
import { MemoryTaskStore } from './memory-tasks.ts'
import { MemoryTenantVersions } from './memory-versions.ts'

export { MemoryTenantVersions }

/** No two lists of texts are written the same way, whatever is in them. */
const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts)

export class MemoryReplayGuard implements ReplayGuard {
  readonly #claims = new Map<string, { readonly until: number; readonly holder?: string }>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async claimReplay({ tenant, kind, id, expiresAt, holder }: ReplayClaim): Promise<boolean> {
    const now = this.#clock.now()
    if (!(expiresAt > now)) return false
    const key = keyOf(tenant, kind, ...id)
    const claimed = this.#claims.get(key)
    if (claimed !== undefined && claimed.until > now) {
      return holder !== undefined && holder === claimed.holder
    }
    this.#claims.set(key, { until: expiresAt, ...(holder === undefined ? {} : { holder }) })
    return true
  }
}

export class MemoryCounters implements Counters {
  readonly #counts = new Map<string, number>()

  async count({ tenant, id, window, now }: Counted): Promise<number> {
    const key = keyOf(tenant, ...id, `${window}`, `${Math.floor(now / window)}`)
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    return count
  }
}

export class MemoryAuditLog implements AuditLog {
  readonly entries: AuditEntry[] = []
  readonly isFailing = false

  async append(entry: AuditEntry): Promise<void> {
    this.entries.push(entry)
  }

  appendRevocation(entry: AuditEntry): Promise<void> {
    return this.append(entry)
  }
}

export interface MemoryStore {
  readonly replay: MemoryReplayGuard
  readonly tasks: MemoryTaskStore
  readonly statusIndexes: MemoryStatuses
  readonly statusLists: MemoryStatuses
  readonly counters: MemoryCounters
  readonly versions: MemoryTenantVersions
  readonly events: MemoryEventStore
  readonly audit: MemoryAuditLog
  close(): Promise<void>
}

export function openMemoryStore(clock: Clock): MemoryStore {
  const statuses = new MemoryStatuses()
  return {
    replay: new MemoryReplayGuard(clock),
    tasks: new MemoryTaskStore(statuses),
    statusIndexes: statuses,
    statusLists: statuses,
    counters: new MemoryCounters(),
    events: new MemoryEventStore(),
    versions: new MemoryTenantVersions(),
    audit: new MemoryAuditLog(),
    close: async () => {},
  }
}
