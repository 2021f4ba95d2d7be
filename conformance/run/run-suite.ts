/** Runs the suite, in a process of its own, against the servers of a profile. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { citations } from '../citations.ts'
import { REQUIREMENTS } from '../requirements.ts'
import type { GivenProfile } from '../suite/profile.ts'
import { readDocuments } from '../suite/read-documents.ts'
import { isAsked, resultOf, type VitestReport } from './read-report.ts'
import type { RunResult, RunShape } from './result.ts'

/** It says what the server offers, so every run has it. */
const ALWAYS = 'offers.test.ts'
const FEW = 8
const VITEST = join(
  dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
)

/** Throws where the server does not answer, or the suite itself does not run. */
export async function runSuite(profile: GivenProfile, shape: RunShape): Promise<RunResult> {
  const documents = profile.documents ?? (await readDocuments(profile))
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  try {
    const path = join(folder, 'profile.json')
    // Secrets of the profile are in it.
    writeFileSync(path, JSON.stringify({ ...profile, documents }), { mode: 0o600 })
    const report = await runVitest(folder, path, shape)
    return resultOf(report, profile.issuer, shape)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Files with checks of what is asked for. */
function filesFor(shape: RunShape): readonly string[] {
  const asked = citations().filter(
    ({ id }) => Object.hasOwn(REQUIREMENTS, id) && isAsked(id, shape),
  )
  return [...new Set(asked.map(({ file }) => file)), ALWAYS].map((file) => `suite/${file}`)
}

async function runVitest(folder: string, path: string, shape: RunShape): Promise<VitestReport> {
  const output = join(folder, 'report.json')
  const { level, mode, only } = shape
  const files = filesFor(shape)
  const complaints = await run(
    [
      VITEST,
      'run',
      `--config=${join(import.meta.dirname, 'vitest.config.ts')}`,
      `--outputFile.json=${output}`,
      // Few files take less time than another worker takes to load.
      ...(files.length <= FEW ? ['--maxWorkers=1'] : []),
      ...files,
    ],
    {
      CONFORMANCE_PROFILE: path,
      CONFORMANCE_LEVEL: level,
      CONFORMANCE_MODE: mode,
      ...(only.length === 0 ? {} : { CONFORMANCE_ONLY: only.join(',') }),
    },
  )
  try {
    return JSON.parse(readFileSync(output, 'utf8')) as VitestReport
  } catch {
    throw new Error(`the suite did not run: ${complaints}`)
  }
}

/** Passes on what it tells on stderr; returns the rest, which is of use only where there is no report. */
function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const cwd = join(import.meta.dirname, '..')
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  // Whoever stops the runner stops the suite.
  const stop = (): void => void child.kill('SIGTERM')
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      process.off('SIGTERM', stop)
      process.off('SIGINT', stop)
      resolve(Buffer.concat(chunks).toString().slice(-2000))
    })
  })
}
