/**
 * Runs the command line in this process, for the many tests about what it says: a process of its own takes a second to load.
 * One at a time.
 */
import { vi } from 'vitest'
import { runProgram } from '../../server/cli/program.ts'
import type { Ran } from './run-cli.ts'

/** `env` holds for this run alone; there are no other settings. */
export async function runHere(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const before = settings()
  const written = { stdout: '', stderr: '' }
  const restore = [capture('stdout', written), capture('stderr', written)]
  for (const name of Object.keys(before)) delete process.env[name]
  Object.assign(process.env, env)
  try {
    const code = await runProgram(['node', 'actchain', ...args], () => {
      throw new Error('no test serves here')
    })
    return { code, ...written }
  } finally {
    for (const name of Object.keys(settings())) delete process.env[name]
    Object.assign(process.env, before)
    for (const undo of restore) undo()
  }
}

function settings(): Record<string, string> {
  const named = Object.entries(process.env).filter(([name]) => name.startsWith('ACTCHAIN_'))
  return Object.fromEntries(named.map(([name, value = '']) => [name, value]))
}

function capture(stream: 'stdout' | 'stderr', written: Record<typeof stream, string>): () => void {
  const spy = vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
    written[stream] += String(chunk)
    return true
  })
  return () => spy.mockRestore()
}
