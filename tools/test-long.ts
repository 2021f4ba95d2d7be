/**
 * `npm run test:long`: races that chance decides, so often that chance has no place left to hide in. Not part of `npm test`: a
 * thousand rounds take more than half an hour. RACE_ROUNDS, CRASH_ROUNDS and RACE_SEED choose others; arguments go to vitest.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LONG = ['test/attacks/h-race.test.ts', 'test/attacks/n-crash.test.ts']

const child = spawn(
  process.execPath,
  [
    `${ROOT}node_modules/vitest/vitest.mjs`,
    'run',
    '--project=unit',
    '--reporter=dot',
    '--bail=1',
    ...LONG,
    ...process.argv.slice(2),
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: { RACE_ROUNDS: '1000', CRASH_ROUNDS: '200', ...process.env },
  },
)
child.once('error', () => {
  process.exitCode = 1
})
// A signal ends it without a code: that is no success.
child.once('close', (code) => {
  process.exitCode = code ?? 1
})
