/** The conformance runner as a process of its own, as its users run it. */
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import type { RunResult } from '../../conformance/run/result.ts'
import { PROCESS_ENV } from './process-env.ts'

const ROOT = resolve(import.meta.dirname, '../..')

export interface RunnerEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export function runConformance(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunnerEnd> {
  const script = join(ROOT, 'conformance/run/main.ts')
  const options = { cwd: ROOT, env: { ...PROCESS_ENV, ...env }, maxBuffer: 2 ** 24 }
  return new Promise((done) => {
    execFile(process.execPath, [script, ...args], options, (fault, stdout, stderr) => {
      done({ code: fault === null ? 0 : Number(fault.code ?? 1), stdout, stderr })
    })
  })
}

/** The outcome of each row, from `--json`. */
export function outcomesOf({ stdout, stderr }: RunnerEnd): Readonly<Record<string, string>> {
  if (!stdout.startsWith('{')) throw new Error(`no result: ${stderr}`)
  const { rows } = JSON.parse(stdout) as RunResult
  return Object.fromEntries(rows.map(({ id, outcome }) => [id, outcome]))
}
