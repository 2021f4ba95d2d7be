/**
 * The demo's child processes: started one by one, ended all together whatever happened. Each leads a process group of its
 * own, so that Ctrl-C reaches the demo alone and the demo ends them in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Said to the user as it is. */
export class DemoFault extends Error {}

const PATIENCE_MS = 5000
const MOST_SAID = 4096

interface Child {
  readonly process: ChildProcess
  /** The end of what it wrote to stderr. */
  said: string
}

export class Processes {
  readonly #children: Child[] = []
  #closing: Promise<void> | undefined

  constructor() {
    // A demo that fails in a way nobody thought of leaves no process either.
    process.once('exit', () => {
      for (const child of this.#children) child.process.kill('SIGKILL')
    })
  }

  /** A program of this demo; resolves to the origin of its door. */
  async openDoor(program: string, options: Readonly<Record<string, string>>): Promise<string> {
    const named = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
    const child = this.#start(new URL(program, import.meta.url), named, 'ipc')
    const ready = once(child.process, 'message').then(([message]: unknown[]) => {
      const { origin } = message as { readonly origin: string }
      return origin
    })
    return Promise.race([ready, this.#endedEarly(child, `${program} ${options['id'] ?? ''}`)])
  }

  /** The `actchain` command, as it runs on; resolves to the first line that holds `mark`. */
  async actchain(options: readonly string[], mark: string): Promise<string> {
    const child = this.#start(ACTCHAIN, options, 'ignore')
    const found = new Promise<string>((resolve) => {
      const { stdout } = child.process
      if (stdout === null) return
      // Read to the end: a full pipe would stop the server.
      createInterface({ input: stdout }).on('line', (line) => {
        if (line.includes(mark)) resolve(line)
      })
    })
    const name = `actchain ${options[0] ?? ''}`
    return Promise.race([found, this.#endedEarly(child, name)])
  }

  /** What the children complained of. */
  get complaints(): string {
    return this.#children.map(({ said }) => said).join('')
  }

  /** Resolves when every child has ended. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#children.map(({ process }) => end(process))).then(
      () => undefined,
    )
    return this.#closing
  }

  #start(program: URL, options: readonly string[], channel: 'ipc' | 'ignore'): Child {
    if (this.#closing !== undefined) throw new DemoFault('The demo was stopped.')
    const started = spawn(
      process.execPath,
      ['--conditions=actchain:source', fileURLToPath(program), ...options],
      { detached: true, env: environment(), stdio: ['ignore', 'pipe', 'pipe', channel] },
    )
    const child: Child = { process: started, said: '' }
    this.#children.push(child)
    started.stderr?.on('data', (chunk: Buffer) => {
      child.said = (child.said + chunk.toString()).slice(-MOST_SAID)
    })
    return child
  }

  /** Never resolves: rejects when the child ends, with what it said last. */
  async #endedEarly(child: Child, name: string): Promise<never> {
    await once(child.process, 'close')
    const { said } = child
    child.said = ''
    throw new DemoFault(`${name.trim()} ended before it had started.\n${said}`.trim())
  }
}

const ACTCHAIN = new URL('../../server/cli/actchain.ts', import.meta.url)

/** Settings of the user's shell are for the user's own server. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  child.kill('SIGTERM')
  await ended
  clearTimeout(patience)
}
