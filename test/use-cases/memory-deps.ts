/** What use cases need, over a store in memory: the tenant is whatever it is by then, and a token is its id. */
import type { Tenant } from '../../server/core/tenant.ts'
import type { ExchangeDeps } from '../../server/use-cases/exchange-token.ts'
import { createRateLimits } from '../../server/use-cases/rate-limit.ts'
import { NO_SECURITY_EVENTS } from '../../server/use-cases/security-events.ts'
import { type MemoryStore, openMemoryStore } from '../support/memory-store.ts'
import { NO_USAGE } from '../support/no-usage.ts'

export interface Live {
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly tenant: () => Tenant
}

export function memoryDeps({ now, tenant }: Live): { store: MemoryStore; deps: ExchangeDeps } {
  const clock = { now }
  const store = openMemoryStore(clock)
  const { tasks, statusIndexes, counters, audit } = store
  let ids = 0
  const deps = {
    clock,
    tenants: { find: tenant },
    tasks,
    statusIndexes,
    counters,
    rates: createRateLimits(counters),
    securityEvents: NO_SECURITY_EVENTS,
    usage: NO_USAGE,
    audit,
    randomId: () => `id-${(ids += 1)}`,
    mint: async (_: Tenant, { jti }: { readonly jti: string }) => `token of ${jti}`,
  }
  return { store, deps }
}
