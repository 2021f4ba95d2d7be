/** `actchain check` as an identity team waits for it: a whole process, from its start to its end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { PROCESS_ENV } from '../test/support/process-env.ts'
import { type Cores, commandOn, everyCore } from './cores.ts'
import type { Used } from './cpu-at-exit.ts'

const ROOT = join(import.meta.dirname, '..')

export interface CheckRun {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly maxMegabytes: number
}

/** On every core, as it is run by hand. Throws where the folder has a problem. */
export async function runCheck(cores: Cores, folder: string): Promise<CheckRun> {
  const [program, ...args] = commandOn(
    everyCore(cores),
    '--conditions=actchain:source',
    `--import=${join(import.meta.dirname, 'cpu-at-exit.ts')}`,
    join(ROOT, 'server/cli/actchain.ts'),
    'check',
    folder,
  )
  const start = performance.now()
  const child = spawn(program, args, {
    env: { ...PROCESS_ENV },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const [, said, complaints, report] = child.stdio
  const texts = await Promise.all([said, complaints, report].map((end) => text(end as Readable)))
  const [code] = await ended
  const seconds = (performance.now() - start) / 1000
  if (code !== 0) throw new Error(`check ended with ${code}\n${texts.join('\n').slice(0, 4000)}`)
  const { cpu, maxMemory } = JSON.parse(texts[2] ?? '') as Used
  return { seconds, cpuSeconds: cpu / 1e6, maxMegabytes: maxMemory / 1024 }
}
