/**
 * When names of a tenant's facts were last used: in the environment of versions, because it has to outlive the machine as long
 * as they do. A record for each name.
 */
import type { Use } from '../../core/sprawl.ts'
import type { UsageStore } from '../../use-cases/ports.ts'
import { type Environment, StoreFull } from './environment.ts'
import { usageKey, usageOf } from './keys.ts'

interface UseRecord {
  /** Keys are never parsed back. */
  readonly name: string
  readonly first: number
  readonly last?: number
}

export class EmbeddedUsageStore implements UsageStore {
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  async observe(tenant: string, names: readonly string[], since: number): Promise<void> {
    const environment = this.#environment
    if (environment.isFull()) throw new StoreFull()
    environment.transact(() => {
      for (const name of names) {
        const key = usageKey(tenant, name)
        if (!environment.has(key)) environment.put(key, write({ name, first: since }))
      }
    })
  }

  async recordUses(tenant: string, uses: ReadonlyMap<string, number>): Promise<void> {
    const environment = this.#environment
    environment.transact(() => {
      for (const [name, at] of uses) {
        const key = usageKey(tenant, name)
        const value = environment.get(key)
        if (value === undefined) continue
        const record = parse(value)
        if (record.last === undefined || record.last < at) {
          environment.put(key, write({ ...record, last: at }))
        }
      }
    })
  }

  async forget(tenant: string, names: readonly string[]): Promise<void> {
    const environment = this.#environment
    environment.transact(() => {
      for (const name of names) environment.remove(usageKey(tenant, name))
    })
  }

  read(tenant: string): ReadonlyMap<string, Use> {
    this.#environment.refresh()
    const records = this.#environment.range(usageOf(tenant), Infinity)
    return new Map(
      records.map(({ value }) => {
        const { name, first, last } = parse(value)
        return [name, { firstSeen: first, lastUsed: last }]
      }),
    )
  }
}

function write(record: UseRecord): Buffer {
  return Buffer.from(JSON.stringify(record))
}

function parse(value: Buffer): UseRecord {
  return JSON.parse(value.toString('utf8')) as UseRecord
}
