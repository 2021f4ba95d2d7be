/** A server of ours to be fuzzed: `actchain serve` in production mode with the suite's tenants, and a look at its process. */
import 'reflect-metadata'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Target, Watch } from '../conformance/fuzz/server/target.ts'
import { freePort, serverEnvironment } from '../test/support/child-server.ts'
import { conformanceCertificates } from '../test/support/conformance-certificates.ts'
import { conformanceTenants } from '../test/support/conformance-tenants.ts'
import { PROCESS_ENV } from '../test/support/process-env.ts'
import { makeCertificates } from '../test/support/run-certificates.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** What a log says of what nobody caught. */
const UNCAUGHT = /unhandled|uncaught|ERR_UNHANDLED/i
const STARTED_WITHIN = 60_000

export interface FuzzTarget {
  readonly target: Target
  readonly watch: Watch
  stop(): Promise<void>
}

/** Rejects, with what the server wrote, when it does not start. */
export async function startFuzzTarget(): Promise<FuzzTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-fuzz-'))
  const tls = await makeCertificates(join(folder, 'tls'))
  const [port, management] = await Promise.all([freePort(), freePort()])
  const publicUrl = `https://127.0.0.1:${port}`
  const tenants = join(folder, 'tenants')
  const data = join(folder, 'data')
  mkdirSync(tenants)
  const certified = await conformanceCertificates(
    join(folder, 'tls'),
    join(data, 'trust', 'umbrella'),
  )
  const parties = conformanceTenants(tenants, 'https://files.api', certified.change)
  parties.writeTrust(join(data, 'trust'))
  const { agents, idp, api } = parties.profile((tenant) => `${publicUrl}/t/${tenant}`)
  const child = spawn(
    process.execPath,
    ['--conditions=actchain:source', join(ROOT, 'server/cli/actchain.ts'), 'serve', '--json'],
    {
      cwd: ROOT,
      // A ctrl-C is for the fuzzer, which ends its server itself.
      detached: true,
      env: {
        ...PROCESS_ENV,
        ...serverEnvironment({ tls, tenants, data, port, management, publicUrl }),
      },
    },
  )
  const exit = once(child, 'exit')
  const log = new Log()
  child.stdout.on('data', (chunk) => log.take(String(chunk)))
  child.stderr.on('data', (chunk) => log.take(String(chunk)))
  const ready = `http://127.0.0.1:${management}/readyz`
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM')
    await exit
    rmSync(folder, { recursive: true, force: true })
  }
  const begun = performance.now()
  while (!(await isReady(ready))) {
    const isLate = performance.now() - begun > STARTED_WITHIN
    if (child.exitCode !== null || isLate) {
      await stop()
      throw new Error(`the server did not start: ${log.tail()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    target: {
      issuer: `${publicUrl}/t/acme`,
      ca: tls.ca,
      agents: agents as Target['agents'],
      idp,
      api,
    },
    watch: {
      memory: () => ownMemoryOf(child.pid),
      fault: async () => {
        if (child.exitCode !== null) return `it ended with ${child.exitCode}: ${log.tail()}`
        const bad = log.fault()
        if (bad !== undefined) return `its log says: ${bad}`
        return (await isReady(ready)) ? undefined : 'it is not ready'
      },
    },
    stop,
  }
}

/** Lines of a process, of which the last are remembered, and the first that no log of a sound server has. */
class Log {
  #text = ''
  #fault: string | undefined

  take(text: string): void {
    this.#text = (this.#text + text).slice(-4_000)
    this.#fault ??= text.split('\n').find((line) => UNCAUGHT.test(line) || isError(line))
  }

  tail(): string {
    return this.#text
  }

  fault(): string | undefined {
    return this.#fault?.slice(0, 1_000)
  }
}

/** pino's levels: 50 is an error. */
function isError(line: string): boolean {
  const level = /"level":(?:(\d+)|"(error|fatal)")/.exec(line)
  return level !== null && (level[2] !== undefined || Number(level[1]) >= 50)
}

async function isReady(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** Bytes that are no file's: a store maps its files, and they count as resident too. 0 where there is no /proc. */
function ownMemoryOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
