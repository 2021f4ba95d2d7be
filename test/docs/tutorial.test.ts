/** docs/policies.md, done as it says: against a server, by a shell, with every output compared. */
import { execFile } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CLI } from '../cli/run-cli.ts'
import { type Child, freePort, startChild } from '../support/child-server.ts'
import { PROCESS_ENV } from '../support/process-env.ts'
import { ROOT, readPage } from './pages.ts'
import { isPrinted, readActs, withVersions, writeText } from './tutorial.ts'

const PAGE = 'docs/policies.md'
const END = 'What decides: guards, then rules'

const folder = mkdtempSync(join(tmpdir(), 'actchain-tutorial-'))
let server: Child
let publicUrl: string

beforeAll(async () => {
  cpSync(join(ROOT, 'tenants'), join(folder, 'tenants'), { recursive: true })
  const [port, management, idp] = [await freePort(), await freePort(), await freePort()]
  publicUrl = `http://127.0.0.1:${port}`
  server = await startChild({
    script: 'server/cli/actchain.ts',
    args: ['serve', '--json', '--idp-port', `${idp}`],
    env: {
      ACTCHAIN_MODE: 'development',
      ACTCHAIN_PORT: `${port}`,
      ACTCHAIN_MANAGEMENT_PORT: `${management}`,
      ACTCHAIN_TENANTS: join(folder, 'tenants'),
      ACTCHAIN_DATA: join(folder, '.actchain'),
    },
  })
  installNpx(join(folder, 'bin'))
})

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** `npx actchain` as in a checkout: the same program, without npm's own second each time. */
function installNpx(bin: string): void {
  mkdirSync(bin)
  const line = `exec '${process.execPath}' --conditions=actchain:source '${CLI}' "$@"`
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\n${line}\n`)
  chmodSync(join(bin, 'npx'), 0o755)
}

/** What it prints, whatever its exit code. */
function runShell(text: string): Promise<string> {
  const env = {
    ...PROCESS_ENV,
    PATH: [join(folder, 'bin'), PROCESS_ENV['PATH']].join(delimiter),
    ACTCHAIN_PUBLIC_URL: publicUrl,
  }
  return new Promise((resolve) => {
    execFile('sh', ['-c', `exec 2>&1\n${text}`], { cwd: folder, env }, (_, stdout) =>
      resolve(stdout),
    )
  })
}

test('everything on the page happens as it says', { timeout: 120_000 }, async () => {
  const acts = readActs(PAGE, readPage(PAGE), END)
  const shown = acts.filter((act) => act.kind === 'commands' && act.printed !== undefined)
  expect(shown.length).toBeGreaterThan(8)
  const versions = new Map<string, string>()
  for (const act of acts) {
    if (act.kind === 'text') {
      writeText(join(folder, 'tenants/globex'), act)
      continue
    }
    const printed = await runShell(withVersions(act.text, versions))
    if (act.printed === undefined) continue
    const isAsShown = isPrinted(act.printed, printed, versions)
    expect(isAsShown ? act.printed : `${act.at}\n${printed}`).toBe(act.printed)
  }
})

test('an output that differs in a word, a line or a version is not as shown', () => {
  const versions = new Map([['58ffde355922', '0123456789ab']])
  const shown = 'globex: version 58ffde355922\n…\nends'
  const timed = 'at 2026-11-22T09:19:50.000Z'
  expect(isPrinted(timed, 'at 2027-01-01T00:00:00Z\n', versions)).toBe(true)
  expect(isPrinted(timed, 'by 2027-01-01T00:00:00Z\n', versions)).toBe(false)
  expect(isPrinted(shown, 'globex: version 0123456789ab\na\nb\nends\n', versions)).toBe(true)
  expect(isPrinted(shown, 'globex: version 0123456789ab\nends\n', versions)).toBe(true)
  expect(isPrinted(shown, 'globex: version 0123456789ac\nends\n', versions)).toBe(false)
  expect(isPrinted(shown, 'globex; version 0123456789ab\nends\n', versions)).toBe(false)
  expect(isPrinted(shown, 'globex: version 0123456789ab\nends\nmore\n', versions)).toBe(false)
})
