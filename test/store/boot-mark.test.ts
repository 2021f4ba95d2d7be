/** A store the machine went down on is set aside; one that only lost its process, or was left in order, is kept. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { aClock } from './contract.ts'
import { aHop, anEntry, aTask, NOW } from './records.ts'

let dataFolder: string
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-boot-'))
})
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }))

async function open(boot: string, lost: string[] = [], clock = aClock()) {
  return openEmbeddedStore({
    dataFolder,
    clock,
    boot,
    onLost: (folder) => void lost.push(folder),
  })
}

async function openWithHop(boot: string) {
  const store = await open(boot)
  await store.tasks.openTask('acme', aTask(), aHop())
  await store.audit.append(anEntry('first'))
  await store.tasks.settleHop('acme', 'task-1', 'first')
  return store
}

describe('the boot mark', () => {
  test('a store left in order is kept across boots', async () => {
    const store = await openWithHop('boot-1')
    await store.close()
    const again = await open('boot-2')
    expect(await again.tasks.findHop('acme', 'task-1', 'first')).toBeDefined()
    await again.close()
  })

  test('a store whose process died is kept within the boot', async () => {
    const dead = await openWithHop('boot-1')
    const again = await open('boot-1')
    expect(await again.tasks.findHop('acme', 'task-1', 'first')).toBeDefined()
    await again.close()
    await dead.close()
  })

  test('a store the machine went down on is set aside, and nothing of it is accepted', async () => {
    const dead = await openWithHop('boot-1')
    const list = dead.statusIndexes.listAt('acme', 0)
    const lost: string[] = []
    const again = await open('boot-2', lost)
    expect(lost).toHaveLength(1)
    expect(existsSync(lost[0] ?? '')).toBe(true)
    expect(await again.tasks.findHop('acme', 'task-1', 'first')).toBeUndefined()
    // A list of the lost store is never served again (docs/chain-format.md §4).
    expect(again.statusIndexes.listAt('acme', 0)).not.toBe(list)
    await again.close()
    await dead.close().catch(() => {})
  })

  test('H06 what is told after a loss is never older than what was told before it', async () => {
    const dead = await openWithHop('boot-1')
    await dead.tasks.revokeHop('acme', 'task-1', 'first')
    const told = dead.statusLists.sequence('acme')
    const again = await open('boot-2', [], aClock(NOW + 1))
    expect(again.statusLists.sequence('acme')).toBeGreaterThan(told)
    expect(again.statusLists.lists('acme')).toEqual([])
    expect(again.statusLists.sequence('umbrella')).toBeLessThan(Number.MAX_SAFE_INTEGER)
    await again.close()
    await dead.close().catch(() => {})
  })

  test('while another process uses the store, whoever leaves keeps the mark', async () => {
    const folder = join(dataFolder, 'store')
    const one = await openWithHop('boot-1')
    await one.close()
    expect(readdirSync(folder)).not.toContain('in-use-since-boot')
    const two = await open('boot-1')
    // Another process that is alive: the one that started this test.
    writeFileSync(join(folder, 'processes', String(process.ppid)), '')
    await two.close()
    expect(readdirSync(folder)).toContain('in-use-since-boot')
  })
})
