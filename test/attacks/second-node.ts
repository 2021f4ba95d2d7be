/** Starts a second node beside a running server, and posts forms to any address. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Answer, Parameters } from '../support/agent-client.ts'
import { freePort, type TestServer } from '../support/authorization-server.ts'
import { PROCESS_ENV } from '../support/process-env.ts'

const WORKER = fileURLToPath(new URL('./node.ts', import.meta.url))
const NODE = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))

export interface SecondNode {
  /** Where this node listens; its issuers are those of the first. */
  readonly origin: string
  close(): Promise<void>
  /** Ends it at once, in the middle of whatever it does. */
  kill(): Promise<void>
}

export async function startSecondNode({ config }: TestServer): Promise<SecondNode> {
  const [port, management] = await Promise.all([freePort(), freePort()])
  const child = spawn(NODE, ['--conditions=actchain:source', WORKER], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...PROCESS_ENV,
      ACTCHAIN_MODE: 'development',
      ACTCHAIN_PORT: String(port),
      ACTCHAIN_MANAGEMENT_PORT: String(management),
      ACTCHAIN_PUBLIC_URL: config.publicUrl,
      ACTCHAIN_DATA: config.dataFolder,
      ACTCHAIN_TENANTS: config.tenantsFolder,
    },
  })
  await isReady(child)
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

async function isReady(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the second node ended with ${code}`)))
    child.once('error', reject)
  })
}

/** POST of a form to any URL, with nothing added. */
export async function postForm(
  url: string,
  form: Parameters,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(form)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) body.append(name, item)
    }
  }
  const response = await fetch(url, { method: 'POST', body, headers })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : {},
  }
}
