/** What any store must do with the uses of a tenant's facts: run against every implementation of the port. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UsageStore } from '../../server/use-cases/ports.ts'
import { HOSTILE } from './contract.ts'
import { NOW } from './records.ts'

export interface OpenedUsage {
  readonly uses: UsageStore
  close(): Promise<void>
}

export function usageContract(name: string, open: () => Promise<OpenedUsage>): void {
  describe(name, () => {
    let opened: OpenedUsage
    let uses: UsageStore
    beforeEach(async () => {
      opened = await open()
      uses = opened.uses
    })
    afterEach(async () => {
      await opened.close()
    })
    const read = (tenant = 'acme') => Object.fromEntries(uses.read(tenant))
    const use = (at: number, ...names: readonly string[]) =>
      uses.recordUses('acme', new Map(names.map((each) => [each, at])))

    test('a name is observed from its first sight, and used at its last', async () => {
      await uses.observe('acme', ['agent planner', 'agent coder'], NOW)
      await use(NOW + 5, 'agent planner')
      await uses.observe('acme', ['agent planner', 'agent rogue'], NOW + 9)
      expect(read()).toEqual({
        'agent planner': { firstSeen: NOW, lastUsed: NOW + 5 },
        'agent coder': { firstSeen: NOW, lastUsed: undefined },
        'agent rogue': { firstSeen: NOW + 9, lastUsed: undefined },
      })
    })

    test('the latest use counts, whoever comes last with theirs', async () => {
      await uses.observe('acme', ['a'], NOW)
      await Promise.all([use(NOW + 7, 'a'), use(NOW + 9, 'a'), use(NOW + 8, 'a')])
      expect(read()).toEqual({ a: { firstSeen: NOW, lastUsed: NOW + 9 } })
    })

    test('what is not observed is not recorded, so that no stranger makes a record', async () => {
      await use(NOW, 'agent mallory')
      expect(read()).toEqual({})
    })

    test('a name that is forgotten begins anew', async () => {
      await uses.observe('acme', ['a', 'b'], NOW)
      await use(NOW + 1, 'a', 'b')
      await uses.forget('acme', ['a', 'never'])
      expect(read()).toEqual({ b: { firstSeen: NOW, lastUsed: NOW + 1 } })
      await uses.observe('acme', ['a'], NOW + 2)
      expect(read()['a']).toEqual({ firstSeen: NOW + 2, lastUsed: undefined })
    })

    test('F04 no name reaches another, nor another tenant', async () => {
      const long = `${'s'.repeat(300)}:read`
      const names = [...HOSTILE, long, `${long}2`]
      await uses.observe('acme', names, NOW)
      await uses.observe('acm', ['e'], NOW + 1)
      await use(NOW + 2, long)
      const known = uses.read('acme')
      expect(new Set(known.keys())).toEqual(new Set(names))
      expect([...known].filter(([, { lastUsed }]) => lastUsed !== undefined)).toEqual([
        [long, { firstSeen: NOW, lastUsed: NOW + 2 }],
      ])
      expect(read('acm')).toEqual({ e: { firstSeen: NOW + 1, lastUsed: undefined } })
      expect(read('globex')).toEqual({})
    })
  })
}
