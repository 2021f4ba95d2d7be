/** Uses of a tenant's facts over plain maps. */
import type { Use } from '../../server/core/sprawl.ts'
import type { UsageStore } from '../../server/use-cases/ports.ts'

export class MemoryUsageStore implements UsageStore {
  readonly #tenants = new Map<string, Map<string, Use>>()

  #of(tenant: string): Map<string, Use> {
    const known = this.#tenants.get(tenant) ?? new Map<string, Use>()
    this.#tenants.set(tenant, known)
    return known
  }

  async observe(tenant: string, names: readonly string[], since: number): Promise<void> {
    const uses = this.#of(tenant)
    for (const name of names) {
      if (!uses.has(name)) uses.set(name, { firstSeen: since, lastUsed: undefined })
    }
  }

  async recordUses(tenant: string, noted: ReadonlyMap<string, number>): Promise<void> {
    const uses = this.#of(tenant)
    for (const [name, at] of noted) {
      const use = uses.get(name)
      if (use !== undefined) uses.set(name, { ...use, lastUsed: Math.max(use.lastUsed ?? 0, at) })
    }
  }

  async forget(tenant: string, names: readonly string[]): Promise<void> {
    for (const name of names) this.#of(tenant).delete(name)
  }

  read(tenant: string): ReadonlyMap<string, Use> {
    return new Map(this.#of(tenant))
  }
}
