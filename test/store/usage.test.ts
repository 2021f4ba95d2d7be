/** Uses in both stores: the contract, and that the embedded one keeps them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { MemoryUsageStore } from '../support/memory-usage.ts'
import { aClock } from './contract.ts'
import { NOW } from './records.ts'
import { usageContract } from './usage-contract.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-usage-'))
  folders.push(folder)
  return folder
}

usageContract('memory: uses', async () => ({
  uses: new MemoryUsageStore(),
  close: async () => {},
}))
usageContract('embedded store: uses', async () =>
  openEmbeddedStore({ dataFolder: newFolder(), clock: aClock() }),
)

test('uses outlive the process, and another boot of the machine', async () => {
  const dataFolder = newFolder()
  const first = await openEmbeddedStore({ dataFolder, clock: aClock(), boot: 'one' })
  await first.uses.observe('acme', ['agent planner'], NOW)
  await first.uses.recordUses('acme', new Map([['agent planner', NOW + 1]]))
  await first.close()
  const second = await openEmbeddedStore({ dataFolder, clock: aClock(), boot: 'two' })
  expect(Object.fromEntries(second.uses.read('acme'))).toEqual({
    'agent planner': { firstSeen: NOW, lastUsed: NOW + 1 },
  })
  await second.close()
})
