/** `actchain serve`: the server, and in development its identity provider; what to try next; an orderly end. */
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import type { RunningServer } from '../main.ts'
import { sampleExchange } from './dev-curl.ts'
import { startIdentityProvider } from './identity-provider-process.ts'
import { print, printJson } from './print.ts'
import { configOrFail } from './settings-or-fail.ts'

export type StartServer = (config: Config) => Promise<RunningServer>

export function addServe(program: Command, loadStart: () => Promise<StartServer>): void {
  program
    .command('serve')
    .description('run the authorization server')
    .option('--mode <mode>', 'production or development')
    .option('--host <address>', 'address to listen on')
    .option('--port <port>', 'port to listen on')
    .option('--public-url <url>', 'origin that clients use')
    .option('--management-port <port>', 'port of health and metrics')
    .option('--data <folder>', 'data folder')
    .option('--tenants <folder>', 'folder of tenants')
    .option('--store <store>', 'where state is kept: embedded')
    .option('--idp-port <port>', 'port of the development identity provider')
    .option('--json', 'print what was started as one line of JSON')
    .addHelpText('after', '\nExample:\n  actchain serve --mode development --port 8460')
    .action(async ({ json, ...flags }: Readonly<Record<string, string>> & { json?: true }) => {
      const config = configOrFail(flags)
      await serve({ config, start: await loadStart(), json: json === true })
    })
}

export interface ServeInput {
  readonly config: Config
  readonly start: StartServer
  readonly json: boolean
}

/** Resolves when everything answers; the process then runs until a signal. Throws what the start refused. */
export async function serve({ config, start, json }: ServeInput): Promise<void> {
  const server = await start(config)
  const idp = await startIdp(config).catch(async (error: unknown) => {
    await server.close()
    throw error
  })
  stopOnSignal({
    close: async () => void (await Promise.all([server.close(), idp?.close()])),
    kill: () => idp?.kill(),
  })
  const facts = await describe(config, server, idp?.issuer)
  if (json) printJson(facts)
  else print(startText(config, facts))
}

async function startIdp({ devIdp, dataFolder }: Config) {
  return devIdp === undefined ? undefined : startIdentityProvider(devIdp, dataFolder)
}

interface Facts {
  readonly issuers: readonly string[]
  readonly well_known: readonly string[]
  readonly identity_provider?: string
  /** One exchange, good for a minute. */
  readonly curl?: string
}

async function describe(config: Config, server: RunningServer, idp?: string): Promise<Facts> {
  const { issuers } = server
  const facts = { issuers, well_known: issuers.map(wellKnownOf) }
  const [issuer] = issuers
  if (idp === undefined || issuer === undefined) return facts
  // A tenant without the sample agents has no sample exchange; the server runs all the same.
  const sample = await sampleExchange(config, idp, issuer).catch(() => undefined)
  return { ...facts, identity_provider: idp, ...(sample && { curl: sample.curl }) }
}

/** RFC 8414 §3.1: the well-known path goes between host and the issuer's own path. */
function wellKnownOf(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname}`
}

function startText(config: Config, facts: Facts): string {
  const lines = [
    `Actchain is running in ${config.mode}.`,
    ...facts.issuers.map((issuer) => `Issuer             ${issuer}`),
    ...facts.well_known.map((address) => `Well-known         ${address}`),
  ]
  if (facts.identity_provider !== undefined) {
    lines.push(`Identity provider  ${facts.identity_provider}`)
  }
  if (facts.curl !== undefined) {
    lines.push(
      '',
      'One exchange, good for a minute and once (a new one: actchain dev curl):',
      facts.curl,
    )
  }
  return lines.join('\n')
}

interface Stoppable {
  close(): Promise<void>
  kill(): void
}

/** The first signal ends in order, the second at once. */
function stopOnSignal(running: Stoppable): void {
  let stopping = false
  const stop = () => {
    if (stopping) {
      running.kill()
      process.exit(1)
    }
    stopping = true
    running.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
}
