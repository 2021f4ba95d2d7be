/**
 * `npm test`: every test of the house and the verifier's vectors on every runtime found here, then one closing line,
 * `N passed, N failed`, over all that ran. Arguments go to vitest. A part that says nothing has failed; with
 * TESTS=whole so has a test that was left out, unless tally.ts knows a standing reason.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { resultOf, type VitestReport } from '../conformance/run/read-report.ts'
import { conformancePage, REPORT } from './conformance-report.ts'
import { addTallies, closingLine, exitCodeOf, type Tally, vitestTally } from './tally.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const RUNTIMES_LINE = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/

/** Runs one program of this project's Node to its end, shows what it prints, and keeps its last line. */
function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly last: string }> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  let last = ''
  createInterface({ input: child.stdout }).on('line', (line) => {
    console.log(line)
    if (line.trim() !== '') last = line.trim()
  })
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: 1, last }))
    // A signal ends it without a code: that is no success.
    child.once('close', (code) => resolve({ code: code ?? 1, last }))
  })
}

async function runVitest(args: readonly string[]): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'actchain-test-'))
  const report = join(folder, 'report.json')
  try {
    // Tests start hundreds of processes of ours, and most of a start is reading the same sources.
    const { code } = await run(
      [
        join(ROOT, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...args,
      ],
      { NODE_COMPILE_CACHE: join(folder, 'compiled') },
    )
    const text = await readFile(report, 'utf8').catch(() => undefined)
    const tally = vitestTally(text, code)
    // Part of the suite is no result.
    return text === undefined || args.length > 0
      ? tally
      : addTallies(tally, await comparePage(text))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** One check more: docs/conformance.md tells what this run found out. */
async function comparePage(text: string): Promise<Tally> {
  const fault = await findPageFault(JSON.parse(text) as VitestReport)
  if (fault !== undefined) console.log(`docs/conformance.md: ${fault}`)
  const failed = fault === undefined ? 0 : 1
  return { passed: 1 - failed, failed, skipped: 0, skips: [] }
}

async function findPageFault({ testResults }: VitestReport): Promise<string | undefined> {
  const suite = join(ROOT, 'conformance/suite')
  const report = { testResults: testResults.filter(({ name }) => name.startsWith(suite)) }
  const shape = { level: 'delegation', mode: 'strict', only: [] } as const
  try {
    const page = conformancePage(resultOf(report, 'this server', shape))
    if (page === (await readFile(REPORT, 'utf8'))) return undefined
    return 'this run found out otherwise: npm run conformance -- --report docs/conformance.md'
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault)
  }
}

async function runRuntimes(): Promise<Tally> {
  const { code, last } = await run([...process.execArgv, join(ROOT, 'tools/runtimes.ts')])
  const [, passed = '0', failed = '0', skipped = '0'] = RUNTIMES_LINE.exec(last) ?? []
  const tally = { passed: +passed, failed: +failed, skipped: +skipped, skips: [] }
  const isSilent = tally.passed === 0 && tally.failed === 0
  return isSilent || (code !== 0 && tally.failed === 0) ? { ...tally, failed: 1 } : tally
}

const total = addTallies(await runVitest(process.argv.slice(2)), await runRuntimes())
for (const skip of total.skips) console.log(`skipped: ${skip.replace(ROOT, '')}`)
// A newcomer's machine may lack a runtime, nginx or SoftHSM; the one that decides about a change may not.
process.exitCode = exitCodeOf(total, process.env['TESTS'] === 'whole')
console.log(closingLine(total))
