/** Servers as child processes of this project's Node: started until they print their line of JSON, stopped by signal. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { PROCESS_ENV } from './process-env.ts'
import type { RunCertificates } from './run-certificates.ts'

export interface Child {
  /** What it printed, parsed. */
  readonly facts: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

export interface ChildCommand {
  /** Path from the project's root. */
  readonly script: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const ROOT = resolve(import.meta.dirname, '../..')

/** Rejects, with what it wrote to stderr, when it ends before it has started. */
export async function startChild({ script, args, env = {} }: ChildCommand): Promise<Child> {
  const child = spawn(
    process.execPath,
    ['--conditions=actchain:source', join(ROOT, script), ...args],
    { env: { ...PROCESS_ENV, ...env }, cwd: ROOT },
  )
  const exit = once(child, 'exit')
  let told = ''
  child.stderr.on('data', (chunk) => {
    told = (told + String(chunk)).slice(-4000)
  })
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    const facts = JSON.parse(line)
    // A warning of the log, which is no answer yet.
    if ('level' in facts) continue
    child.stdout.resume()
    return {
      facts,
      stop: async () => {
        child.kill('SIGTERM')
        await exit
      },
    }
  }
  throw new Error(`${script} ended before it had started: ${told}`)
}

export interface ServeActchain {
  readonly tls: RunCertificates
  readonly tenants: string
  readonly data: string
  readonly port: number | undefined
  readonly management: number | undefined
  readonly publicUrl: string
}

/** `actchain serve`, in production mode and with no development default. */
export function serveActchain(settings: ServeActchain): Promise<Child> {
  return startChild({
    script: 'server/cli/actchain.ts',
    args: ['serve', '--json'],
    env: serverEnvironment(settings),
  })
}

/** What tells a server of ours all of that. */
export function serverEnvironment(settings: ServeActchain): Readonly<Record<string, string>> {
  const { tls, tenants, data, port, management, publicUrl } = settings
  return {
    ACTCHAIN_MODE: 'production',
    ACTCHAIN_PORT: String(port),
    ACTCHAIN_MANAGEMENT_PORT: String(management),
    ACTCHAIN_PUBLIC_URL: publicUrl,
    ACTCHAIN_TLS_CERT_FILE: tls.cert,
    ACTCHAIN_TLS_KEY_FILE: tls.key,
    ACTCHAIN_TENANTS: tenants,
    ACTCHAIN_DATA: data,
    ACTCHAIN_KEY_SECRET: 'a secret of this run and of no other one',
    NODE_EXTRA_CA_CERTS: tls.ca,
  }
}

/** A port nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  await once(probe.close(), 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
