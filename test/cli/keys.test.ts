/** `actchain keys` against a real server: a key is killed by its id, and only the one in use. */
import { afterAll, beforeAll, expect, test } from 'vitest'
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

async function kidInUse(): Promise<string> {
  return JSON.parse((await cli('list', 'acme', '--json')).stdout).kid
}

test('keys list shows the key that signs', async () => {
  const { body } = await server.client('planner').open(server.idToken())
  const { kid } = headerOf(String(body['access_token']))
  const listed = await cli('list', 'acme')
  expect(listed).toEqual({ code: 0, stdout: `${kid}  ES256  active\n`, stderr: '' })
  expect(await kidInUse()).toBe(kid)
})

test('K04 keys kill ends the key it names, and no other one when it is repeated', async () => {
  const kid = await kidInUse()
  const kill = (...more: readonly string[]) =>
    cli('kill', 'acme', kid, '--reason', 'the backup was stolen', ...more)
  expect(await kill()).toEqual({
    code: 0,
    stdout: `acme: key ${kid} is killed; another one signs from now on.\n`,
    stderr: '',
  })
  const next = await kidInUse()
  expect(next).not.toBe(kid)
  expect(await kill()).toEqual({
    code: 1,
    stdout: '',
    stderr: `${kid} is not the key acme signs with now: nothing was killed; see actchain keys list acme.\n`,
  })
  expect(await kidInUse()).toBe(next)
  const entry = server.audit().find(({ action }) => action === 'kill_key')
  expect(entry).toMatchObject({ author: 'operator', kid, ended_because: 'the backup was stolen' })
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
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^-Bcdefgh is not the key acme signs/)])
})

test('a tenant that is not there is said in one sentence', async () => {
  const sentence = `${server.config.publicUrl} has no tenant nobody; actchain apply makes one.\n`
  for (const args of [
    ['list', 'nobody'],
    ['kill', 'nobody', 'AAAAAAAA', '--reason', 'x'],
  ]) {
    expect(await cli(...args)).toEqual({ code: 1, stdout: '', stderr: sentence })
  }
})
