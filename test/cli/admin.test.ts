/** The commands that talk to a server, against a real one: apply, versions, rollback, diff, explain --live, agents. */
import { chmodSync, cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../server/cli/admin-client.ts'
import { Failure } from '../../server/cli/failure.ts'
import { activate, findLive } from '../../server/cli/live-version.ts'
import { operatorOf, tenantFiles } from '../support/admin-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { newKey } from '../support/signing.ts'
import type { Ran } from './run-cli.ts'
import { runHere } from './run-here.ts'
import { addStarter, changeFiles, replacing } from './starter-folder.ts'

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer()
})
afterAll(() => server.close())

/** As an operator on the server's machine would call it. */
function cli(...args: readonly string[]): Promise<Ran> {
  const { publicUrl, dataFolder } = server.config
  return runHere(args, { ACTCHAIN_PUBLIC_URL: publicUrl, ACTCHAIN_DATA: dataFolder })
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'actchain-admin-'))
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')
const jsonOf = ({ stdout }: Ran) => JSON.parse(stdout)

/** A copy of a tenant's folder at the server. */
function copyOf(tenant: string): string {
  const folder = join(newFolder(), tenant)
  cpSync(join(server.config.tenantsFolder, tenant), folder, { recursive: true })
  return folder
}

const rulesOf = (folder: string): string => join(folder, 'policies', 'more.cedar')
const NO_MAIL = '@id("no-mail")\nforbid (principal, action, resource == Resource::"mail-api");\n'

describe('a tenant from nothing', () => {
  test('is compared, applied, changed, and rolled back', async () => {
    const folder = addStarter(newFolder(), 'initech')
    const first = await cli('diff', folder)
    expect([first.code, first.stderr]).toEqual([0, ''])
    expect(linesOf(first.stdout)[0]).toBe('initech is new: nothing of it is live.')
    expect(linesOf(first.stdout)[1]).toMatch(
      /^compared (\d+) of \1 combinations; [1-9]\d* decisions change$/,
    )

    const applied = jsonOf(await cli('apply', folder, '--note', 'to begin with', '--json'))
    expect(applied).toMatchObject({ tenant: 'initech' })
    expect(applied).not.toHaveProperty('previous')
    expect((await cli('apply', folder)).stdout).toBe(
      `initech: version ${applied.version.slice(0, 12)} is live already.\n`,
    )

    changeFiles(folder, {
      'policies/questions.cedar': replacing('\n@max_ttl("60s")', '\n@max_ttl("30s")'),
    })
    const second = await cli('apply', folder, '--note', 'shorter')
    expect([second.code, second.stderr]).toEqual([0, ''])
    expect(linesOf(second.stdout)).toEqual([
      expect.stringMatching(/^initech: version [0-9a-f]{12} is live\.$/),
      expect.stringContaining('assistant-comments changed'),
    ])

    const listed = linesOf((await cli('versions', 'initech')).stdout)
    expect(listed).toEqual([
      expect.stringMatching(/^\* live {2}[0-9a-f]{12} {2}\S+Z {2}operator {2}shorter$/),
      expect.stringMatching(/^ {8}[0-9a-f]{12} {2}\S+Z {2}operator {2}to begin with$/),
    ])
    const back = await cli('rollback', 'initech', applied.version.slice(0, 8))
    expect([back.code, back.stderr, linesOf(back.stdout)[0]]).toEqual([
      0,
      '',
      `initech: version ${applied.version.slice(0, 12)} is live.`,
    ])
    const [newest, oldest] = linesOf((await cli('versions', 'initech', '--json')).stdout).map(
      (line) => JSON.parse(line),
    )
    expect([newest.live, oldest.live, oldest.version]).toEqual([false, true, applied.version])
  })
})

describe('a tenant of the server', () => {
  test('is told what a rule would change, and changes with the next exchange', async () => {
    const folder = copyOf('acme')
    const before = await cli('diff', folder)
    expect(linesOf(before.stdout)[0]).toMatch(/^acme: no difference; /)
    expect(linesOf(before.stdout)[1]).toMatch(/; 0 decisions change$/)

    writeFileSync(rulesOf(folder), NO_MAIL)
    const after = linesOf((await cli('diff', folder)).stdout)
    expect(after).toContain('  policies: + no-mail')
    expect(after).toContainEqual(
      expect.stringMatching(
        / mail:send at mail-api: permit mail:send -> refuse \(target_closed_by_rules\)$/,
      ),
    )

    const ask = [
      '--tenant',
      'acme',
      '--actor',
      'planner',
      '--subject',
      'alice',
      '--resource',
      'mail-api',
    ]
    const live = (...more: readonly string[]) => cli('explain', '--live', ...ask, ...more)
    expect((await live()).stdout).toMatch(/^PERMIT mail:send\n/)
    const stated = ['--from', 'idp', '--at', '2026-11-22T09:00:00Z', '--key', 'none']
    expect(jsonOf(await live(...stated, '--json'))).toMatchObject({ guard: 'proof_required' })
    expect((await live(...stated.slice(0, 4))).stdout).toMatch(/^PERMIT mail:send\n/)
    expect((await cli('apply', folder)).code).toBe(0)
    const refused = await live('--json')
    expect([refused.code, jsonOf(refused)]).toEqual([
      1,
      expect.objectContaining({ decision: 'refuse', guard: 'target_closed_by_rules' }),
    ])
  })

  test('is not made live over what somebody else made live meanwhile', async () => {
    const { publicUrl, dataFolder } = server.config
    const operator = await operatorOf(server)
    const seen = String((await operator.get('/tenants/globex')).body['version'])
    const add = async (name: string, note: string): Promise<string> => {
      const files = { ...tenantFiles(server, 'globex'), [`policies/${name}.cedar`]: NO_MAIL }
      const { body } = await operator.post('/tenants/globex/versions', { files, note })
      return String(body['version'])
    }
    const [ours, theirs] = [await add('ours', 'ours'), await add('theirs', 'mine first')]
    expect((await operator.activate('globex', theirs, seen)).status).toBe(200)
    const client = await connect({ server: publicUrl, data: dataFolder })
    const attempt = activate(client, 'globex', { version: ours, seen })
    await expect(attempt).rejects.toEqual(
      new Failure(
        `globex was changed meanwhile: version ${theirs.slice(0, 12)} by operator (mine first) is live now. ` +
          'Nothing was made live; run actchain diff again.',
      ),
    )
    expect((await findLive(client, 'globex'))?.version).toBe(theirs)
  })

  test('L02 a folder with problems, or whose own cases fail, is never sent', async () => {
    const folder = copyOf('acme')
    changeFiles(folder, { 'agents.yaml': (text) => text.replace('orchestrator', 'conductor') })
    const failing = addStarter(newFolder(), 'acme', {
      'tests/questions.yaml': replacing(
        '    scope: [files:delete]\n    expect: refuse',
        '    scope: [files:delete]\n    expect: permit',
      ),
    })
    const apply = (tenant: string) => cli('apply', tenant, '--server', 'https://nowhere.invalid')
    const [broken, failed] = [await apply(folder), await apply(failing)]
    const sentence = 'Nothing was sent: the folder has problems, or test cases of it fail.\n'
    expect([broken.code, broken.stderr]).toEqual([1, sentence])
    expect([failed.code, failed.stderr]).toEqual([1, sentence])
    expect(broken.stdout).toMatch(/agents\.yaml:\d+:\d+: .*"orchestrator"/)
    expect(failed.stdout).toMatch(/questions\.yaml:\d+:5: case "nobody deletes": expected permit/)
  })
})

describe('agents', () => {
  test('E09 one is disabled by hand, and no apply and no rollback lifts it', async () => {
    const disabled = await cli('agents', 'disable', 'acme', 'researcher')
    expect([disabled.code, disabled.stderr]).toEqual([0, ''])
    expect(disabled.stdout).toMatch(
      /^researcher +disabled by hand +retrieval +team@acme\.example\n$/,
    )
    const folder = copyOf('acme')
    changeFiles(folder, {
      'tenant.yaml': (text) => text.replace('display_name: Acme', 'display_name: ACME'),
    })
    expect((await cli('apply', folder)).code).toBe(0)
    const listed = linesOf((await cli('agents', 'list', 'acme')).stdout)
    expect(listed.map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
      ['coder', 'active'],
      ['planner', 'active'],
      ['researcher', 'disabled by hand'],
      ['rogue', 'active'],
    ])
    const enabled = await cli('agents', 'enable', 'acme', 'researcher', '--json')
    expect(jsonOf(enabled)).toMatchObject({
      id: 'researcher',
      disabled: false,
      disabled_by_hand: false,
    })
  })
})

describe('what is not there', () => {
  test('is said in one sentence, and the exit code is 1', async () => {
    const asked = [
      ['versions', 'nobody'],
      ['agents', 'list', 'nobody'],
      ['agents', 'disable', 'acme', 'nobody'],
      ['rollback', 'acme', 'ffffff'],
      ['explain', '--live', '--tenant', 'nobody', '--actor', 'planner', '--resource', 'files-api'],
    ]
    const answers: Ran[] = []
    for (const args of asked) answers.push(await cli(...args))
    const { publicUrl } = server.config
    expect(answers.map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual([
      [1, '', `${publicUrl} has no tenant nobody; actchain apply makes one.\n`],
      [1, '', `${publicUrl} has no tenant nobody; actchain apply makes one.\n`],
      [1, '', `${publicUrl} has no agent nobody in acme; see actchain agents list acme.\n`],
      [1, '', 'acme has no version ffffff; see actchain versions acme.\n'],
      [1, '', `${publicUrl} has no tenant nobody; actchain apply makes one.\n`],
    ])
  })

  test('a version is named by 6 characters or more', async () => {
    const { code, stderr } = await cli('rollback', 'acme', 'abc')
    expect([code, stderr]).toEqual([2, expect.stringContaining('at least its first 6 characters')])
  })
})

describe('the operator', () => {
  test('without a key, with another one, or with one that is open to others, is told what to do', async () => {
    const folder = newFolder()
    const other = join(folder, 'other.jwk')
    writeFileSync(other, JSON.stringify(newKey().privateKey.export({ format: 'jwk' })), {
      mode: 0o600,
    })
    const open = join(folder, 'open.jwk')
    cpSync(join(server.config.dataFolder, 'operator.jwk'), open)
    chmodSync(open, 0o644)
    const as = (key: string) => cli('agents', 'list', 'acme', '--operator-key', key)
    const [none, stranger, readable] = [
      await as(join(folder, 'no.jwk')),
      await as(other),
      await as(open),
    ]
    expect([none.code, stranger.code, readable.code]).toEqual([1, 1, 1])
    expect(none.stderr).toMatch(
      /^There is no operator key at .*; the first start of the server writes one/,
    )
    expect(stranger.stderr).toMatch(
      /^The server did not let the operator in; check --operator-key\. /,
    )
    expect(readable.stderr).toMatch(
      /is not a private ES256 key that is closed to others \(chmod 600\)\.\n$/,
    )
    const { d } = JSON.parse(readFileSync(other, 'utf8'))
    for (const { stdout, stderr } of [none, stranger, readable])
      expect(stdout + stderr).not.toContain(d)
  })

  test.each([
    'http://as.example.com',
    'https://as.example.com/t/acme',
    'as.example.com',
    'ftp://127.0.0.1',
  ])('sends nothing to %s', async (url) => {
    const { code, stdout, stderr } = await cli('versions', 'acme', '--server', url)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^--server must be an https origin/)
  })

  test('is told that nothing answers, and follows no redirect', async () => {
    const nothing = await cli('versions', 'acme', '--server', 'http://127.0.0.1:1')
    expect([nothing.code, nothing.stderr]).toEqual([
      1,
      'No server answers at http://127.0.0.1:1; start it, or name another with --server.\n',
    ])
    let asked = 0
    const redirecting = createServer((_, res) => {
      asked += 1
      res.writeHead(307, { location: `${server.config.publicUrl}/admin/v1/token` }).end()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => redirecting.once('listening', resolve))
    const { port } = redirecting.address() as AddressInfo
    const { code, stdout } = await cli('versions', 'acme', '--server', `http://127.0.0.1:${port}`)
    redirecting.close()
    expect({ code, stdout, asked }).toEqual({ code: 1, stdout: '', asked: 1 })
  })
})
