/** Statuses of indexes over plain maps: what is told to verifiers follows from what a verb wrote. */
import type { StatusIndexes, StatusListContent, StatusLists } from '../../server/use-cases/ports.ts'
import { STATUS_BITS } from '../../server/use-cases/task-store.ts'

interface List {
  next: number
  changedAt: number
  /** By index; what is missing is valid. */
  readonly statuses: Map<number, number>
}

export class MemoryStatuses implements StatusIndexes, StatusLists {
  readonly generation = '1'
  readonly #sequences = new Map<string, number>()
  readonly #tenants = new Map<string, Map<string, List>>()

  /** The list, from now on known. */
  keep(tenant: string, id: string): List {
    const lists = this.#tenants.get(tenant) ?? new Map<string, List>()
    const list = lists.get(id) ?? { next: 0, changedAt: 0, statuses: new Map() }
    this.#tenants.set(tenant, lists.set(id, list))
    return list
  }

  /** One change of the tenant, if any of them differs. */
  write(tenant: string, id: string, statuses: ReadonlyMap<number, number>): void {
    const list = this.keep(tenant, id)
    const changed = [...statuses].filter(
      ([idx, status]) => (list.statuses.get(idx) ?? 0) !== status,
    )
    if (changed.length === 0) return
    for (const [idx, status] of changed) list.statuses.set(idx, status)
    list.changedAt = this.sequence(tenant) + 1
    this.#sequences.set(tenant, list.changedAt)
  }

  listAt(_tenant: string, now: number): string {
    return `g1-${Math.floor(now / 3600).toString(36)}`
  }

  async allocate(tenant: string, id: string): Promise<number> {
    const list = this.keep(tenant, id)
    list.next += 1
    return list.next - 1
  }

  sequence(tenant: string): number {
    return this.#sequences.get(tenant) ?? 0
  }

  lists(tenant: string): readonly { readonly id: string; readonly changedAt: number }[] {
    const lists = [...(this.#tenants.get(tenant) ?? [])]
    return lists.map(([id, { changedAt }]) => ({ id, changedAt }))
  }

  read(tenant: string, id: string): StatusListContent | undefined {
    const list = this.#tenants.get(tenant)?.get(id)
    if (list === undefined) return undefined
    const { next, changedAt } = list
    const size = Math.max(next, ...[...list.statuses.keys()].map((idx) => idx + 1))
    const statuses = new Uint8Array(Math.ceil((size * STATUS_BITS) / 8))
    for (const [idx, status] of list.statuses) {
      const bit = idx * STATUS_BITS
      statuses[bit >> 3] = (statuses[bit >> 3] ?? 0) | (status << (bit & 7))
    }
    return { statuses, size, changedAt, sequence: this.sequence(tenant) }
  }
}
