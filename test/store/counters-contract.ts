/** What any store must do when it counts: each counted once, in its own window. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Counted } from '../../server/use-cases/ports.ts'
import { aClock, type ContractStore, HOSTILE, type OpenStore } from './contract.ts'
import { NOW } from './records.ts'

export function countersContract(name: string, open: OpenStore): void {
  describe(name, () => {
    let store: ContractStore
    beforeEach(async () => {
      store = await open(aClock())
    })
    afterEach(async () => {
      await store.close()
    })
    const count = (parts: Partial<Counted> = {}): Promise<number> =>
      store.counters.count({
        tenant: 'acme',
        id: ['client', 'coder'],
        window: 60,
        now: NOW,
        ...parts,
      })

    test('M01 of 200 in parallel each is counted once', async () => {
      const counts = await Promise.all(Array.from({ length: 200 }, () => count()))
      expect(counts.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 200 }, (_, at) => at + 1),
      )
    })

    test('a window ends where the next begins', async () => {
      expect(NOW % 60).toBe(0)
      for (const now of [NOW, NOW + 59, NOW + 59.9]) await count({ now })
      expect(await count({ now: NOW + 30 })).toBe(4)
      expect(await count({ now: NOW + 60 })).toBe(1)
      expect(await count({ now: NOW - 1 })).toBe(1)
      expect(await count({ now: NOW + 30 })).toBe(5)
    })

    test('windows of other lengths are others, those within one minute too', async () => {
      for (const window of [1, 5, 7, 60, 61, 3600, 86_400]) expect(await count({ window })).toBe(1)
      expect(await count({ window: 1, now: NOW + 1 })).toBe(1)
      expect(await count({ window: 1, now: NOW + 0.5 })).toBe(2)
      expect(await count({ window: 5, now: NOW + 4 })).toBe(2)
      expect(await count({ window: 5, now: NOW + 5 })).toBe(1)
    })

    test('F06 F04 what is counted is told apart, whatever it is called', async () => {
      const ids = [
        ...HOSTILE.map((text) => ['client', text]),
        ...HOSTILE.map((text) => [text, 'client']),
        ...HOSTILE.map((text) => [`client${text}`]),
        [],
        ['', ''],
        ['client', 'coder', '60'],
      ]
      const different = [...new Map(ids.map((id) => [JSON.stringify(id), id])).values()]
      for (const id of different) expect(await count({ id })).toBe(1)
      const tenants = [...new Set(HOSTILE)]
      for (const tenant of tenants) expect(await count({ tenant, id: ['x'] })).toBe(1)
      for (const id of different) expect(await count({ id })).toBe(2)
    })
  })
}
