/** `actchain agents acme` against a real server: what was used, what was not, and what is said of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantRoles, operatorOf, personOf } from '../support/admin-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { openEmbeddedStore } from '../support/embedded-store.ts'
import { epoch } from '../support/signing.ts'
import type { Ran } from './run-cli.ts'
import { runHere } from './run-here.ts'

const DAY = 86_400

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: grantRoles } })
})
afterAll(() => server.close())

function cli(...args: readonly string[]): Promise<Ran> {
  const { publicUrl, dataFolder } = server.config
  return runHere(['agents', ...args], { ACTCHAIN_PUBLIC_URL: publicUrl, ACTCHAIN_DATA: dataFolder })
}

const linesOf = ({ stdout }: Ran) => stdout.split('\n').filter((line) => line !== '')
const itemsOf = (ran: Ran) => linesOf(ran).map((line) => JSON.parse(line))

/** As if every fact had been observed for so long. */
async function observedFor(days: number): Promise<void> {
  await server.stop()
  const { dataFolder } = server.config
  const store = await openEmbeddedStore({ dataFolder, clock: { now: epoch } })
  const uses = store.uses.read('acme')
  await store.uses.forget('acme', [...uses.keys()])
  await store.uses.observe('acme', [...uses.keys()], epoch() - days * DAY)
  const used = [...uses].flatMap(([name, { lastUsed }]) =>
    lastUsed === undefined ? [] : [[name, lastUsed] as const],
  )
  await store.uses.recordUses('acme', new Map(used))
  await store.close()
  await server.start()
}

describe('in the beginning', () => {
  test('agents are shown with their last use, and nothing is called unused', async () => {
    const answer = await server.client('planner').open(server.idToken(), { audience: 'files-api' })
    expect(answer.status, answer.text).toBe(200)
    await personOf(server, 'acme', 'reviewer')
    const [coder, planner] = itemsOf(await cli('acme', '--json'))
    expect(coder).toMatchObject({
      kind: 'agent',
      id: 'coder',
      findings: [{ finding: 'no_expiry' }],
    })
    expect(coder).not.toHaveProperty('last_used')
    expect(planner).toMatchObject({
      id: 'planner',
      file: 'agents.yaml',
      owner: 'team@acme.example',
    })
    expect(Math.abs(Date.parse(planner.last_used) / 1000 - epoch())).toBeLessThan(60)

    const { code, stdout, stderr } = await cli('acme')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^coder {20}never {20}team@acme\.example\n {4}no expiry\n/)
    expect(stdout).toMatch(/\nObserved since \S+Z: nothing is called unused before 90 days\.\n$/)
    expect(stdout).not.toMatch(/not used|would do/)
  })
})

describe('after a hundred days', () => {
  beforeAll(() => observedFor(100))

  test('what was not used is named, with the smaller fact', async () => {
    const items = itemsOf(await cli('acme', '--json'))
    const planner = items.find(({ id }) => id === 'planner')
    const unused = (kind: string): string[] =>
      planner.findings.find(({ finding }: { finding: string }) => finding === kind).names
    expect(unused('scope_unused')).toContain('mail:send')
    expect(unused('scope_unused')).not.toContain('files:read')
    expect(unused('place_unused')).toContain('mail-api')
    expect(unused('place_unused')).not.toContain('files-api')
    expect(planner.suggestion).toContain('may_reach: [files-api]')
    const coder = items.find(({ id }) => id === 'coder')
    expect(coder).toMatchObject({ suggestion: ['disabled: true'] })
    const others = items.map(({ kind, id }) => `${kind} ${String(id).split(' ')[0]}`)
    expect(others).toEqual(expect.arrayContaining(['task_type file-work', 'role admin']))
    expect(others).not.toContain('role reviewer')

    const { stdout } = await cli('acme', '--days', '100')
    expect(stdout).toContain('\n    would do: may_reach: [files-api]\n')
    expect(stdout).not.toContain('Observed since')
    const later = await cli('acme', '--days', '101')
    expect(later.stdout).not.toContain('would do')
  })

  test('what is used again is not named any more', async () => {
    const answer = await server
      .client('coder')
      .post('token', { grant_type: 'client_credentials', audience: 'files-api' })
    expect(answer.status).toBeLessThan(500)
    const coder = itemsOf(await cli('acme', '--json')).find(({ id }) => id === 'coder')
    expect(coder.suggestion).not.toContain('disabled: true')
    expect(coder).toHaveProperty('last_used')
  })

  test('the list has pages', async () => {
    const operator = await operatorOf(server)
    const all = (await operator.get('/tenants/acme/usage?days=30')).body['items'] as unknown[]
    const found: unknown[] = []
    let cursor = ''
    do {
      const more = cursor === '' ? '' : `&cursor=${cursor}`
      const { body } = await operator.get(`/tenants/acme/usage?days=30&limit=2${more}`)
      found.push(...(body['items'] as unknown[]))
      cursor = String(body['next_cursor'] ?? '')
    } while (cursor !== '')
    expect(found).toEqual(all)
  })
})

test.each([
  [['nowhere'], 1, /has no tenant nowhere/],
  [['acme', '--days', '0'], 2, /must be a number of days from 1 to 9999/],
  [['acme', '--days', 'many'], 2, /must be a number of days/],
  [['acme', 'planner'], 2, /too many arguments|Too many arguments/],
  [[], 2, /missing required argument|Missing required argument/],
])('actchain agents %j ends with %i', async (args, code, text) => {
  const ran = await cli(...args)
  expect([ran.code, ran.stdout]).toEqual([code, ''])
  expect(ran.stderr).toMatch(text)
})

test('the API takes days as a whole number and nothing else', async () => {
  const operator = await operatorOf(server)
  for (const query of ['days=0', 'days=1.5', 'days=-1', 'days=99999', 'days=1&days=2', 'all=1']) {
    expect((await operator.get(`/tenants/acme/usage?${query}`)).status, query).toBe(400)
  }
  expect((await operator.get('/tenants/nowhere/usage')).status).toBe(404)
})
