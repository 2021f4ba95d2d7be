/** What use cases need, over a store in memory: the tenant is whatever it is by then, and a token is its id. */
import type { Tenant } from '../../server/core/tenant.ts'
import type { IssueDeps } from '../../server/use-cases/issue-hop.ts'
import { type MemoryStore, openMemoryStore } from '../support/memory-store.ts'

export interface Live {
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly tenant: () => Tenant
}

export function memoryDeps({ now, tenant }: Live): { store: MemoryStore; deps: IssueDeps } {
  const clock = { now }
  const store = openMemoryStore(clock)
  const { tasks, statusIndexes, audit } = store
  let ids = 0
  const deps = {
    clock,
    tenants: { find: tenant },
    tasks,
    statusIndexes,
    audit,
    randomId: () => `id-${(ids += 1)}`,
    mint: async (_: Tenant, { jti }: { readonly jti: string }) => `token of ${jti}`,
  }
  return { store, deps }
}
