/** The runner's command line, as far as no server is needed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { REQUIREMENTS } from '../requirements.ts'
import { runProgram } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'conformance-program-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const written = { stdout: '', stderr: '' }
beforeEach(() => {
  for (const name of ['stdout', 'stderr'] as const) {
    written[name] = ''
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      written[name] += String(chunk)
      return true
    })
  }
})
afterEach(() => {
  vi.restoreAllMocks()
})

const run = (...args: readonly string[]) => runProgram(['node', 'conformance', ...args])

function profile(text: string): string {
  const path = join(folder, 'profile.yaml')
  writeFileSync(path, text)
  return path
}

test('help is no misuse', async () => {
  expect(await run('--help')).toBe(0)
  expect(written.stdout).toContain('Exit codes: 0 no row failed, 1 one did, 2 misused.')
})

test('rows and features are listed', async () => {
  expect(await run('--list', '--json', '--only', '8693-', '--only', 'PROF-01')).toBe(0)
  const { rows, features } = JSON.parse(written.stdout)
  const wanted = Object.keys(REQUIREMENTS).filter((id) => /^8693-|^PROF-01/.test(id))
  expect(rows.map(({ id }: { id: string }) => id)).toEqual(wanted)
  expect(features).toContainEqual(expect.objectContaining({ name: 'dpop', told_by: 'metadata' }))
})

test.each([
  ['an option nobody knows', ['--sideways'], "unknown option '--sideways'"],
  ['a word too much', ['x'], 'too many arguments'],
  ['a level there is not', ['--level', 'high'], 'Allowed choices are spec, delegation'],
  ['an id there is not', ['--only', '1234-'], '--only 1234-: no id begins so'],
  ['no server', [], '--target: which server?'],
  ['a profile that is not there', ['--target', '/no/profile.yaml'], 'there is no such file'],
])('%s is misuse', async (_, args, told) => {
  expect(await run(...args)).toBe(2)
  expect(written.stderr).toContain(told)
})

test('a wrong profile is misuse, with the place', async () => {
  const path = profile('issuer: https://a.example\nagnets: {}\n')
  expect(await run('--target', path)).toBe(2)
  expect(written.stderr).toContain(
    `${path}:2:1: "agnets" is no member here, did you mean "agents"?`,
  )
})

test('a server that does not answer is a failure, with every place that was asked', async () => {
  const path = profile('issuer: http://127.0.0.1:1/t\n')
  expect(await run('--target', path)).toBe(1)
  expect(written.stderr).toContain('has no metadata')
  expect(written.stderr).toContain('/.well-known/oauth-authorization-server/t: ')
})
