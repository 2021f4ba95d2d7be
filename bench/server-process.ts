/** A server in a process of its own, on its own core, that says what CPU time it used. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { PROCESS_ENV } from '../test/support/process-env.ts'
import { type Cores, commandOn } from './cores.ts'
import type { Ask, Replies } from './servers/measured.ts'

/** In bench/servers. */
export type ServerScript =
  | 'actchain.ts'
  | 'actchain-unrecorded.ts'
  | 'plain-http.ts'
  | 'base-library.ts'

export interface ServerCommand {
  readonly script: ServerScript
  readonly env: Readonly<Record<string, string>>
  readonly cores: Cores
}

interface Message {
  readonly reply?: unknown
  readonly fault?: string
}

export class ServerProcess {
  readonly #child: ChildProcess
  #said = ''

  private constructor({ script, env, cores }: ServerCommand) {
    const path = join(import.meta.dirname, 'servers', script)
    const [program, ...args] = commandOn(cores, '--conditions=actchain:source', path)
    this.#child = spawn(program, args, {
      env: { ...PROCESS_ENV, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-4000)
    })
  }

  /** Rejects, with what it wrote to stderr, when it ends before it is up. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command)
    await server.#next()
    return server
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** One ask at a time. */
  async ask<Name extends keyof Replies>(asked: Ask & { ask: Name }): Promise<Replies[Name]> {
    this.#child.send(asked)
    return (await this.#next()) as Replies[Name]
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit')
    if (this.#child.exitCode !== null) return
    await this.ask({ ask: 'close' })
    await ended
  }

  async #next(): Promise<unknown> {
    const aborter = new AbortController()
    const { signal } = aborter
    try {
      const message = await Promise.race([
        once(this.#child, 'message', { signal }).then(([first]) => first as Message),
        once(this.#child, 'exit', { signal }).then((): Message => ({ fault: 'it ended' })),
      ])
      if (message.fault === undefined) return message.reply
      throw new Error(`a measured server failed: ${message.fault}\n${this.#said}`)
    } finally {
      aborter.abort()
    }
  }
}
