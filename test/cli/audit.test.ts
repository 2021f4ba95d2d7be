/** `actchain audit` against a real server, as the people who may read its log. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyCheckpoint, verifyEvidence } from '../../lib/src/audit/index.ts'
import { headline, wrapped } from '../../server/cli/audit-entry-text.ts'
import { storyText } from '../../server/cli/audit-story-text.ts'
import { type Stage, setStage, tokenOf } from '../attacks/fixture.ts'
import { GROUPS, MANAGEMENT_CLIENT } from '../support/admin-client.ts'
import { operatorAt } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'
import type { Ran } from './run-cli.ts'
import { runHere } from './run-here.ts'

let stage: Stage
let folder: string
let txn: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-audit-'))
  stage = await setStage()
  const first = await stage.first()
  txn = String(payloadOf(first)['txn'])
  const second = tokenOf(await stage.researcher.exchange(first, { audience: 'coder-a2a' }))
  tokenOf(await stage.coder.exchange(second, { audience: 'files-api', scope: 'files:read' }))
  await stage.coder.exchange(second, { audience: 'files-api', scope: 'files:delete' })
  const operator = await operatorAt(stage.server)
  await operator.post(`tasks/${txn}/revoke`, { reason: 'it looked wrong' })
})
afterAll(async () => {
  await stage.close()
  rmSync(folder, { recursive: true, force: true })
})

let tokens = 0
function signedIn(user: string, role: keyof typeof GROUPS): string {
  const file = join(folder, `${user}-${(tokens += 1)}.jwt`)
  writeFileSync(
    file,
    stage.server.idToken(user, MANAGEMENT_CLIENT, { groups: [GROUPS[role]], jti: `cli-${tokens}` }),
  )
  return file
}

function cli(...args: readonly string[]): Promise<Ran> {
  return cliAs('dave', 'reviewer', ...args)
}

function cliAs(user: string, role: keyof typeof GROUPS, ...args: readonly string[]): Promise<Ran> {
  const who = ['--tenant', 'acme', '--id-token', signedIn(user, role)]
  return runHere(['audit', ...args, ...who], {
    ACTCHAIN_PUBLIC_URL: stage.server.config.publicUrl,
  })
}

const longest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

describe('audit task', () => {
  test('tells the story as a tree and in order, within 100 columns', async () => {
    const { code, stdout, stderr } = await cli('task', txn)
    expect([code, stderr]).toEqual([0, ''])
    expect(longest(stdout)).toBeLessThanOrEqual(100)
    const steady = stdout
      .replaceAll(txn, 'TXN')
      .replaceAll(/#\d+/g, '#N')
      .replaceAll(/(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\dZ?/g, 'TIME')
    const tree = steady.slice(steady.indexOf('Who acted'), steady.indexOf('In order'))
    expect(tree).toMatch(/^ {2}planner\n {4}#N TIME token: files:read/m)
    expect(tree).toMatch(/^ {4}researcher\n {6}#N TIME token: /m)
    expect(tree).toMatch(/^ {6}coder\n {8}#N TIME token: .*files:read at/m)
    expect(tree).toMatch(/^ {8}#N TIME refused: scope_/m)
    expect(tree).toMatch(/^ {2}#N TIME task\.revoked by operator/m)
    const order = steady.slice(steady.indexOf('In order')).split('\n')
    expect(order.filter((line) => line.startsWith('#N'))).toEqual([
      '#N  TIME  token.issued  planner',
      '#N  TIME  token.issued  planner/researcher',
      '#N  TIME  token.issued  planner/researcher/coder',
      expect.stringMatching(/^#N {2}TIME {2}token\.refused {2}planner\/researcher/),
      '#N  TIME  task.revoked  operator',
    ])
    expect(steady).toMatch(/^ {2}scope {7}\S.* -> files:read$/m)
  })

  test('prints it as JSON', async () => {
    const { code, stdout } = await cli('task', txn, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ txn, is_cut: false })
  })

  test('says that there is no such task', async () => {
    const none = 'AAAAAAAAAAAAAAAAAAAAAA'
    expect(await cli('task', none)).toMatchObject({
      code: 1,
      stderr: `The log of acme has no task ${none}; see actchain audit search.\n`,
    })
  })

  test('is for reviewers', async () => {
    const { code, stderr } = await cliAs('carol', 'admin', 'task', txn)
    expect(code).toBe(1)
    expect(stderr).toContain('(role_required)')
  })
})

describe('audit search', () => {
  test('finds entries by what is given, newest first', async () => {
    const { code, stdout } = await cli('search', '--txn', txn, '--outcome', 'refuse', '--json')
    expect(code).toBe(0)
    const items = stdout.trim().split('\n')
    expect(items).toHaveLength(1)
    expect(JSON.parse(items[0] ?? '')).toMatchObject({ code: 'token.refused', txn })
    const shown = await cli('search', '--txn', txn, '--limit', '2')
    expect(shown.stdout).toMatch(/^#\d+ .*task\.revoked/)
    expect(shown.stdout).toContain('There may be more than 2')
    const none = await cli('search', '--agent', 'nobody')
    expect(none.stdout).toBe('No such entry.\n')
  })

  test('says what a search cannot be', async () => {
    expect((await cli('search', '--limit', 'x')).code).toBe(2)
    expect((await cli('search', '--outcome', 'maybe')).code).toBe(2)
    const { code, stderr } = await cli('search', '--from', 'yesterday')
    expect([code, stderr]).toEqual([1, expect.stringContaining('(request_malformed)')])
  })
})

describe('what is taken away', () => {
  test('an export, on stdout or in a new file', async () => {
    const { code, stdout } = await cli('export', '--txn', txn)
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(5)
    const file = join(folder, 'export.jsonl')
    const written = await cli('export', '--format', 'ocsf', '--txn', txn, '-o', file)
    expect([written.code, written.stdout]).toEqual([0, ''])
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(5)
    expect(await cli('export', '-o', file)).toMatchObject({
      code: 1,
      stderr: `${file} is there already.\n`,
    })
  })

  test('evidence that is verified without the server', async () => {
    const file = join(folder, 'evidence.json')
    const { code, stdout } = await cli('evidence', txn, '-o', file, '--json')
    expect([code, JSON.parse(stdout)]).toEqual([0, { file, entries: 5, missing_versions: [] }])
    const report = await verifyEvidence(JSON.parse(readFileSync(file, 'utf8')))
    expect(report.txn).toBe(txn)
  })

  test('a checkpoint, and the key that verifies it', async () => {
    const { code, stdout } = await cli('checkpoint')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\S+\/t\/acme\/audit\n\d+\n\S+\n\n— /)
    const key = await cli('key')
    const { size } = await verifyCheckpoint(stdout, key.stdout.trim())
    expect(size).toBeGreaterThan(5)
  })
})

describe('audit erase', () => {
  test('is for admins, and of one task or subject', async () => {
    const erased = await cliAs('carol', 'admin', 'erase', '--txn', txn, '--json')
    expect([erased.code, JSON.parse(erased.stdout)]).toEqual([0, { entries: 1 }])
    expect((await cliAs('carol', 'admin', 'erase')).code).toBe(2)
    expect((await cli('erase', '--subject', 'alice')).stderr).toContain('(role_required)')
  })
})

describe('what people see', () => {
  const HOSTILE = 'a\nb\r\u001b[31m\u2028=HYPERLINK("x")\u202e'

  test('N01 no text of an entry moves the cursor or writes a line of its own', () => {
    const entry = {
      index: 1,
      time: 1,
      code: HOSTILE,
      subject: HOSTILE,
      chain: [HOSTILE],
      event: 'token',
      texts: { purpose: HOSTILE },
      target: HOSTILE,
    }
    const place = { place: [HOSTILE], tokens: [1], refusals: [], actions: [], endings: [] }
    const told = storyText({ txn: 'T', entries: [entry], places: [place], task: [] })
    expect(told).not.toMatch(/[^\n\x20-\x7e]/)
    expect(told.split('\n').filter((line) => line.startsWith('b'))).toEqual([])
    expect(headline(entry)).not.toMatch(/[^\x20-\x7e]/)
  })

  test('lines are broken between words', () => {
    const words = Array.from({ length: 40 }, () => 'sixsix').join(' ')
    const lines = wrapped('', words, '    ')
    expect(lines.every((line) => line.length <= 100)).toBe(true)
    expect(lines.join(' ').replaceAll(/ +/g, ' ')).toBe(words)
    expect(wrapped('- ', `x ${'y'.repeat(120)}`, '  ')).toEqual(['- x', `  ${'y'.repeat(120)}`])
  })
})
