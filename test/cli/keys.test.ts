/** `actchain keys` against a real server: listed, rotated, imported, killed by its id. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLocalSigner, generatePrivateJwk } from '../../keys/signer.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { headerOf } from '../support/signing.ts'
import type { Ran } from './run-cli.ts'
import { runHere } from './run-here.ts'

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer()
})
afterAll(() => server.close())

function cli(...args: readonly string[]): Promise<Ran> {
  const { publicUrl, dataFolder } = server.config
  return runHere(['keys', ...args], { ACTCHAIN_PUBLIC_URL: publicUrl, ACTCHAIN_DATA: dataFolder })
}

const keys = async () =>
  (await cli('list', 'acme', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const kidInUse = async (): Promise<string> =>
  (await keys()).find(({ state }) => state === 'active')?.kid

const INSTANT = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z`

test('keys list shows the key that signs', async () => {
  const { body } = await server.client('planner').open(server.idToken())
  const { kid } = headerOf(String(body['access_token']))
  const listed = await cli('list', 'acme')
  const line = new RegExp(`^${kid}  ES256  active   since ${INSTANT}\n$`)
  expect(listed).toEqual({ code: 0, stdout: expect.stringMatching(line), stderr: '' })
  expect(await kidInUse()).toBe(kid)
})

test('keys rotate says from when the new key signs and until when the old one is published', async () => {
  const before = await kidInUse()
  const { code, stdout } = await cli('rotate', 'acme')
  expect([code, stdout]).toEqual([0, expect.any(String)])
  const [active, next] = await keys()
  expect(stdout).toBe(
    [
      `acme: key ${next.kid} is published, and signs from ${next.signs_from} on.`,
      `Key ${before} signs until then, and stays published until ${active.published_until}.`,
      '',
    ].join('\n'),
  )
  expect([active.kid, next.state]).toEqual([before, 'next'])
  const again = await cli('rotate', 'acme')
  expect(again).toEqual({
    code: 1,
    stdout: '',
    stderr: `acme has a key that waits to sign, from ${next.signs_from} on: nothing was made; rotate again after that.\n`,
  })
  const listed = (await cli('list', 'acme')).stdout.split('\n')
  expect(listed[1]).toBe(`${next.kid}  ES256  next     signs from ${next.signs_from}`)
  expect(listed[0]).toContain(`  published until ${active.published_until}`)
  expect((await cli('kill', 'acme', next.kid, '--reason', 'of this test')).code).toBe(0)
})

test('keys import takes a file, and says nothing of what is in it', async () => {
  const jwk = generatePrivateJwk('ES256')
  const { kid } = createLocalSigner(jwk, 'ES256')
  const file = join(server.folder, 'key.json')
  writeFileSync(file, JSON.stringify(jwk))
  const imported = await cli('import', 'acme', file, '--json')
  expect([imported.code, JSON.parse(imported.stdout)]).toEqual([
    0,
    expect.objectContaining({ kid, state: 'next', keeper: 'sealed' }),
  ])
  expect((await cli('kill', 'acme', kid, '--reason', 'of this test')).code).toBe(0)
  const again = await cli('import', 'acme', file)
  expect(again).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^The server refused: .* \(key_unacceptable\)\.\n$/),
  })
  expect(`${imported.stdout}${again.stderr}`).not.toContain(jwk['d'])
  const none = await cli('import', 'acme', join(server.folder, 'nothing'))
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringMatching(/nothing cannot be read\.\n$/),
  ])
  writeFileSync(file, ' '.repeat(20_000))
  const large = await cli('import', 'acme', file)
  expect(large.code).toBe(2)
})

test('K04 keys kill ends the key it names, and no other one when it is repeated', async () => {
  const kid = await kidInUse()
  const kill = (...more: readonly string[]) =>
    cli('kill', 'acme', kid, '--reason', 'the backup was stolen', ...more)
  const killed = await kill()
  const next = await kidInUse()
  expect(next).not.toBe(kid)
  expect(killed).toEqual({
    code: 0,
    stdout: `acme: key ${kid} is killed; key ${next} signs.\n`,
    stderr: '',
  })
  expect(await kill()).toEqual({
    code: 1,
    stdout: '',
    stderr: `${kid} is no key of acme now: nothing was killed; see actchain keys list acme.\n`,
  })
  expect(await kidInUse()).toBe(next)
  const entry = server.audit().findLast(({ action }) => action === 'kill_key')
  expect(entry).toMatchObject({ author: 'operator', kid, reason: 'precondition_failed' })
})

test('keys kill prints what the server answers', async () => {
  const kid = await kidInUse()
  const { code, stdout } = await cli('kill', 'acme', kid, '--reason', 'again', '--json')
  expect([code, JSON.parse(stdout)]).toEqual([0, { kid, killed: true }])
})

test('keys kill needs the key’s id and a reason', async () => {
  const runs = [await cli('kill', 'acme', '--reason', 'x'), await cli('kill', 'acme', 'AAAAAAAA')]
  expect(runs.map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual([
    [2, '', "Missing required argument 'kid'. See --help.\n"],
    [2, '', "Required option '--reason <words>' not specified. See --help.\n"],
  ])
})

test('an id that begins as an option does is taken as an id', async () => {
  const { code, stderr } = await cli('kill', 'acme', '-Bcdefgh', '--reason', 'x')
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^-Bcdefgh is no key of acme now/)])
})

test('a tenant that is not there is said in one sentence', async () => {
  const sentence = `${server.config.publicUrl} has no tenant nobody; actchain apply makes one.\n`
  for (const args of [
    ['list', 'nobody'],
    ['rotate', 'nobody'],
    ['kill', 'nobody', 'AAAAAAAA', '--reason', 'x'],
  ]) {
    expect(await cli(...args)).toEqual({ code: 1, stdout: '', stderr: sentence })
  }
})
