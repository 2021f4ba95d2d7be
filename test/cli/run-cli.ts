/** Runs the command line as its user does: a child process of this project's Node. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { PROCESS_ENV } from '../support/process-env.ts'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  readonly script?: string
}

export const CLI = fileURLToPath(new URL('../../server/cli/actchain.ts', import.meta.url))

export function spawnCli(args: readonly string[], { env = {}, script = CLI }: RunOptions = {}) {
  return spawn(process.execPath, ['--conditions=actchain:source', script, ...args], {
    env: { ...PROCESS_ENV, ...env },
  })
}

export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawnCli(args, options)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  child.stdin.on('error', () => {}) // The command may refuse before it has read everything.
  child.stdin.end(options.stdin ?? '')
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}
