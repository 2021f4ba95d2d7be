/** Other server processes over the folder of a test: started, asked, killed. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Order } from './worker.ts'

/** Resolves when it has opened the store. */
export async function startWorker(dataFolder: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'worker.ts'), [dataFolder], {
    execArgv: ['--conditions=actchain:source'],
  })
  await once(child, 'message')
  return child
}

export async function ask<Result>(child: ChildProcess, order: Order): Promise<Result> {
  const answer = once(child, 'message')
  child.send(order)
  const [message] = (await answer) as [{ readonly result: Result }]
  return message.result
}

/** By SIGKILL: nothing it would do at its end is done. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
