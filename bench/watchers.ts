/** Processes of watching verifiers, asked together. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { PROCESS_ENV } from '../test/support/process-env.ts'
import { type Cores, commandOn, everyCore } from './cores.ts'
import type { Outcome, WatchAsk, WatchMessage, WatchReplies, WatchSettings } from './watch.ts'

type Waiting = (message: WatchMessage) => void

class WatchProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #ids = 0
  #said = ''

  private constructor(cores: Cores, settings: WatchSettings) {
    const path = join(import.meta.dirname, 'watch-process.ts')
    const [program, ...args] = commandOn(
      // Resource servers have machines of their own: all of this one is little for so many.
      everyCore(cores),
      '--conditions=actchain:source',
      path,
      JSON.stringify(settings),
    )
    this.#child = spawn(program, args, {
      env: { ...PROCESS_ENV },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-4000)
    })
    this.#child.on('message', (message) => this.#take(message as WatchMessage))
    this.#child.once('exit', (code) => {
      for (const id of this.#waiting.keys()) this.#take({ id, fault: `it ended with ${code}` })
    })
  }

  static async start(cores: Cores, settings: WatchSettings): Promise<WatchProcess> {
    const process = new WatchProcess(cores, settings)
    await process.#next(0)
    return process
  }

  ask<Name extends keyof WatchReplies>(
    asked: Extract<WatchAsk, { readonly ask: Name }>,
  ): Promise<WatchReplies[Name]> {
    this.#ids += 1
    const reply = this.#next(this.#ids)
    this.#child.send({ ...asked, id: this.#ids })
    return reply as Promise<WatchReplies[Name]>
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    await this.ask({ ask: 'close' })
    await ended
  }

  #next(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ reply, fault }) => {
        if (fault === undefined) resolve(reply)
        else reject(new Error(`watching verifiers failed: ${fault}\n${this.#said}`))
      })
    })
  }

  #take(message: WatchMessage): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    waiting?.(message)
  }
}

export class Watchers {
  readonly #processes: readonly WatchProcess[]

  private constructor(processes: readonly WatchProcess[]) {
    this.#processes = processes
  }

  static async start(cores: Cores, processes: number, settings: WatchSettings): Promise<Watchers> {
    const starting = Array.from({ length: processes }, () => WatchProcess.start(cores, settings))
    return new Watchers(await Promise.all(starting))
  }

  /** One reply of each verifier there is. */
  async ask<Name extends 'until' | 'drop' | 'judge' | 'counted' | 'bytes'>(
    asked: Extract<WatchAsk, { readonly ask: Name }>,
  ): Promise<WatchReplies[Name]> {
    const replies = await Promise.all(this.#processes.map((process) => process.ask(asked)))
    return (replies as unknown[][]).flat() as unknown as WatchReplies[Name]
  }

  async watch(name: string, token: string): Promise<void> {
    const asked = { ask: 'watch', name, token } as const
    await Promise.all(this.#processes.map((process) => process.ask(asked)))
  }

  /** Counts what is accepted after this time, until `counted` is asked. */
  async count(after: number): Promise<void> {
    const asked = { ask: 'count', after } as const
    await Promise.all(this.#processes.map((process) => process.ask(asked)))
  }

  /** When each verifier had come to it. */
  until(name: string, outcome: Outcome): Promise<readonly number[]> {
    return this.ask({ ask: 'until', name, outcome })
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.close()))
  }
}
