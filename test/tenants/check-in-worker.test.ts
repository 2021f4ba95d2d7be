/** L05: files from outside are checked in a thread that may fail, and only itself. */
import { describe, expect, test } from 'vitest'
import { checkInWorker } from '../../server/tenants/check-in-worker.ts'
import { checkTenant } from '../../server/tenants/check-tenant.ts'
import { emptyReport } from '../../server/tenants/report.ts'
import { readSources } from '../../server/tenants/sources.ts'
import { writeTenantFolder } from '../support/tenant-folder.ts'
import { publicUrl, useFolder } from './folder-fixture.ts'

const folder = useFolder()
const place = { id: 'acme', publicUrl, label: 'acme' }

function sourcesOf(more: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  const sources = readSources(emptyReport(), writeTenantFolder(folder.root, 'acme'))!
  return new Map([...sources, ...Object.entries(more)])
}

describe('a check in a thread', () => {
  test('says what the check here says', async () => {
    const sources = sourcesOf()
    expect(await checkInWorker(place, sources)).toEqual({
      problems: [],
      warnings: [],
      checked: checkTenant(emptyReport(), place, sources),
    })
    const broken = await checkInWorker(place, sourcesOf({ 'agents.yaml': 'agents: {}' }))
    expect(broken.checked).toBeUndefined()
    expect(broken.problems).toContainEqual({
      file: 'acme/agents.yaml',
      line: 1,
      column: 9,
      text: 'expected a list under "agents"',
    })
  })

  test('fails where a test case fails', async () => {
    const test = 'cases: [{ name: a, actors: [rogue], resource: files-api, expect: permit }]'
    expect(await checkInWorker(place, sourcesOf({ 'tests/a.yaml': test }))).toEqual({
      problems: [
        {
          file: 'acme/tests/a.yaml',
          line: 1,
          column: 9,
          text: 'case "a": expected permit, is refuse (task_type_not_permitted)',
        },
      ],
      warnings: [],
    })
  })

  test.each([
    ['time', { milliseconds: 1, megabytes: 512 }, sourcesOf],
    [
      'memory',
      { milliseconds: 60_000, megabytes: 48 },
      () => sourcesOf({ 'agents.yaml': `agents: [${'a, '.repeat(400_000)}*b]` }),
    ],
  ])('that runs out of %s is a problem, and the next one runs', async (_, limits, sources) => {
    const { milliseconds, megabytes } = limits
    const text = `could not be checked within ${milliseconds / 1000} seconds and ${megabytes} MB`
    const [ended, next] = await Promise.all([
      checkInWorker(place, sources(), limits),
      checkInWorker(place, sourcesOf()),
    ])
    expect(ended).toEqual({ problems: [{ file: 'acme', line: 1, column: 1, text }], warnings: [] })
    expect(next.problems).toEqual([])
  })

  test('waits its turn, and not too many do', async () => {
    const sources = sourcesOf()
    const limits = { milliseconds: 1, megabytes: 512 }
    const checks = Array.from({ length: 20 }, () => checkInWorker(place, sources, limits))
    const outcomes = await Promise.allSettled(checks)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(12)
    expect((await checkInWorker(place, sources)).problems).toEqual([])
  })
})
