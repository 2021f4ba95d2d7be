/** Foreign servers as processes of this user, on ports of the target, with their files in a folder of their own. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { target } from '../given.ts'

// Debian keeps servers where only the administrator's PATH looks.
const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }

export function isInstalled(command: string): boolean {
  return spawnSync(command, ['-v'], { env: ENVIRONMENT }).error === undefined
}

/** A folder that a server may read which has given up its rights; holds the certificates of this run. */
export interface Folder {
  readonly path: string
  write(name: string, text: string): string
  remove(): void
}

export function newFolder(name: string): Folder {
  const path = mkdtempSync(join(tmpdir(), `actchain-${name}-`))
  chmodSync(path, 0o755)
  writeFileSync(join(path, 'ca.pem'), readFileSync(target.ca), { mode: 0o644 })
  cpSync(target.tls.cert, join(path, 'cert.pem'))
  cpSync(target.tls.key, join(path, 'key.pem'))
  return {
    path,
    write: (file, text) => {
      const place = join(path, file)
      writeFileSync(place, text)
      return place
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** The blocks of docs/interop.md in this language, with values of this run in the place of those the page has. */
export function documented(
  language: string,
  here: Readonly<Record<string, string>>,
): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/interop.md'), 'utf8')
  const fence = new RegExp(`\`\`\`${language}\\n([^\`]+)\`\`\``, 'g')
  const blocks = [...page.matchAll(fence)].map(([, block = '']) => block)
  return Object.entries(here).reduce((texts, [there, value]) => {
    if (!texts.some((text) => text.includes(there))) throw new Error(`the page has no ${there}`)
    return texts.map((text) => text.replaceAll(there, () => value))
  }, blocks)
}

export interface Run {
  readonly port: number
  /** That ends it in order. */
  readonly signal: NodeJS.Signals
  /** Path of what it writes instead of speaking on stderr. */
  readonly log: string
}

/** Resolves when something listens on the port, with what ends the process; rejects with what it said where it ended before. */
export async function start(
  command: string,
  args: readonly string[],
  { port, signal, log }: Run,
): Promise<() => Promise<void>> {
  const child = spawn(command, args, { env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill(signal)
    await ended
  }
  for (let tries = 0; tries < 400 && child.exitCode === null; tries += 1) {
    if (await isOpen(port)) return stop
    await pause(25)
  }
  await stop()
  throw new Error(`${command} did not start: ${existsSync(log) ? readFileSync(log, 'utf8') : ''}`)
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
