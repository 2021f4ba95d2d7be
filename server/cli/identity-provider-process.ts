/**
 * The development identity provider as a child process of `serve`: started unless one answers already, stopped with its
 * parent, whatever ends it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../config.ts'
import { Failure } from './failure.ts'

export interface IdentityProviderProcess {
  readonly issuer: string
  close(): Promise<void>
  /** Ends it at once. */
  kill(): void
}

const MAIN = fileURLToPath(new URL('../dev-idp/main.ts', import.meta.url))
/** How server/dev-idp/main.ts begins its sentence about a taken port. */
const PORT_TAKEN = 'The port is taken'
const PROBE_MS = 1000

/** Resolves when it answers. Throws a `Failure` when its port is taken by something else. */
export async function startIdentityProvider(
  issuer: string,
  dataFolder: string,
): Promise<IdentityProviderProcess> {
  if (await answers(issuer)) return { issuer, close: async () => {}, kill: () => {} }
  const { port } = new URL(issuer)
  const child = spawn(
    process.execPath,
    ['--conditions=actchain:source', MAIN, '--port', port, '--data', dataFolder],
    // Over `ipc` it says when it listens, and learns of our end even when we are killed.
    { env: childEnvironment(), stdio: ['ignore', 'inherit', 'pipe', 'ipc'] },
  )
  await started(child, port)
  child.stderr?.pipe(process.stderr)
  return {
    issuer,
    close: () => ended(child, 'SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
  }
}

async function answers(issuer: string): Promise<boolean> {
  try {
    const address = `${issuer}/.well-known/openid-configuration`
    const response = await fetch(address, {
      redirect: 'error',
      signal: AbortSignal.timeout(PROBE_MS),
    })
    const metadata: unknown = await response.json()
    return typeof metadata === 'object' && metadata !== null && 'issuer' in metadata
      ? metadata.issuer === issuer
      : false
  } catch {
    return false // Nothing there, or something else: starting ours will tell which.
  }
}

function started(child: ChildProcess, port: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const listen = (chunk: Buffer) => {
      said += chunk.toString()
    }
    const failed = () => {
      const taken = said === '' || said.startsWith(PORT_TAKEN)
      const why = `Port ${port} is taken; free it or set --idp-port.`
      reject(new Failure(taken ? why : said.trim()))
    }
    child.stderr?.on('data', listen)
    // `close`, not `exit`: by then all it said has been read.
    child.once('close', failed).once('error', failed)
    child.once('message', () => {
      child.off('close', failed).off('error', failed)
      child.stderr?.off('data', listen)
      resolve()
    })
  })
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}
