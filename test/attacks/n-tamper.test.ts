/** Threat N02: someone changes the log on the disk. A copy shows what was changed; the server signs nothing more, and goes on. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseCheckpoint, parseNote } from '../../lib/src/audit/index.ts'
import { checkpointPath, entriesPath, keyPath, logFolder } from '../../server/audit/log-paths.ts'
import { runHere } from '../cli/run-here.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'

let server: TestServer
let folder: string
beforeAll(async () => {
  server = await startAuthorizationServer()
  folder = logFolder(server.config.dataFolder, 'acme')
})
afterAll(() => server.close())

const openTask = async (): Promise<void> => {
  const planner = server.client('planner')
  const { status } = await planner.open(server.idToken(), { audience: 'researcher-a2a' })
  expect(status).toBe(200)
}
const linesThere = (): readonly string[] =>
  readFileSync(entriesPath(folder), 'utf8').split('\n').slice(0, -1)
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
const verify = (...args: readonly string[]) => runHere(['audit', 'verify', ...args])
const signedSize = (): number => {
  const note = readFileSync(checkpointPath(folder), 'utf8')
  return parseCheckpoint(parseNote(note).text).size
}

test('N02 what was changed is named from a copy; nothing more is signed until it is put back', async () => {
  for (let each = 0; each < 4; each += 1) await openTask()
  await server.stop()
  const vkey = readFileSync(keyPath(folder), 'utf8').trim()
  const held = join(server.folder, 'held')
  copyFileSync(checkpointPath(folder), held)
  const known = ['--key', vkey, '--checkpoint', held]
  expect(vkey.split('+')[0]).toBe(`${new URL(server.issuer()).host}/t/acme/audit`)
  expect(await verify(server.config.dataFolder, ...known)).toMatchObject({ code: 0, stderr: '' })

  const [whole, size] = [linesThere(), signedSize()]
  expect(size).toBe(whole.length)
  writeFileSync(entriesPath(folder), textOf(whole.toSpliced(1, 1)))
  const { code, stdout } = await verify(server.config.dataFolder, ...known)
  expect([code, stdout]).toEqual([1, expect.stringContaining('acme: entry 1 was removed.\n')])

  await server.start()
  await openTask()
  await server.stop()
  expect(server.logged).toContainEqual({
    event: 'audit_damaged',
    tenant: 'acme',
    reason: expect.stringMatching(/entries/),
  })
  expect(signedSize()).toBe(size)
  const since = linesThere().slice(size - 1)
  expect(since.length).toBeGreaterThan(0)

  writeFileSync(entriesPath(folder), textOf([...whole, ...since]))
  await server.start()
  await server.stop()
  expect(signedSize()).toBe(linesThere().length)
  expect(await verify(server.config.dataFolder, ...known)).toMatchObject({ code: 0, stderr: '' })
})
