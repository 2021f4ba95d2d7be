/**
 * The server's settings, and the only reader of the process environment. Flags override the environment, the environment
 * overrides the defaults; a wrong or unknown setting is a problem with a cure, never a guess.
 * What a tenant configures is not here: that is its folder (server/tenants).
 */
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { Secret } from './core/secret.ts'
import { type Pkcs11Settings, readPkcs11 } from './pkcs11-settings.ts'
import {
  type ConfigProblem,
  FLAG_NAMES,
  type Flags,
  givenName,
  type Report,
  readSettings,
  type Settings,
} from './settings.ts'
import type { LogLevel } from './telemetry/log-fields.ts'
import { readLogLevel, readOtlpUrl } from './telemetry-settings.ts'
import { readProxyCa, readTls, type TlsPair } from './tls-settings.ts'

export type { ConfigProblem, Flags } from './settings.ts'

export type Mode = 'production' | 'development'

export interface Config {
  readonly mode: Mode
  readonly host: string
  readonly port: number
  /** Origin that clients use; every issuer begins with it. The `Host` header is never used instead. */
  readonly publicUrl: string
  /** Absent: plain http, behind a proxy that ends TLS. */
  readonly tls?: TlsPair
  readonly managementPort: number
  /** Absolute paths. */
  readonly dataFolder: string
  readonly tenantsFolder: string
  readonly store: 'embedded'
  /** Seals the signing keys. Present in production; in development its absence means: make one in the data folder. */
  readonly keySecret?: Secret
  /** Addresses that speak for many callers: no limit is kept for them as one peer. */
  readonly proxies: readonly string[]
  /** PEM: who signs the certificates by which those proxies prove themselves. Absent: no header of a proxy is believed. */
  readonly proxyCa?: string
  /** Absolute path; `{tenant}/{file}` in it are bundles, revocation lists and tokens that tenants name. */
  readonly trustFolder: string
  /** Origins that may answer from private addresses: those of the operator's own network. */
  readonly internalOrigins: readonly string[]
  /** Absolute path of the file that says who gets checkpoints of the logs, and which logs are witnessed here. */
  readonly anchorsFile?: string
  readonly logLevel: LogLevel
  /** Where spans are sent (OTLP over HTTP); absent: nothing is traced. */
  readonly otlpUrl?: string
  /** Where signing keys are that never leave their device. */
  readonly pkcs11?: Pkcs11Settings
  /** Origins that may be plain http; empty in production. */
  readonly loopbackOrigins: readonly string[]
  /** Issuer of the development identity provider; development only. */
  readonly devIdp?: string
}

const LEAST_SECRET_LENGTH = 32

/** The configuration, or every problem found at once. Never throws; no problem repeats a secret. */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  flags: Flags = {},
): Config | readonly ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const settings = readSettings(env, flags, problems)
  const report: Report = (setting, text) =>
    problems.push({ setting: givenName(setting, flags), text })
  const config = build(settings, report)
  return problems.length > 0 ? problems : config
}

/** `readConfig` of this process. */
export function readProcessConfig(flags: Flags = {}): Config | readonly ConfigProblem[] {
  return readConfig(process.env, flags)
}

/**
 * For development commands, which need no mode to be stated and refuse a production one: development unless the flags or
 * the environment say otherwise.
 */
export function readDevelopmentConfig(flags: Flags = {}): Config | readonly ConfigProblem[] {
  const stated = readSettings(process.env, flags, []).get('ACTCHAIN_MODE')
  if (stated === undefined) return readProcessConfig({ ...flags, mode: 'development' })
  if (stated !== 'production') return readProcessConfig(flags)
  const text = 'is production; this command works in development only.'
  return [{ setting: givenName('ACTCHAIN_MODE', flags), text }]
}

/** Nothing a command needs that only talks to a server or reads a tenant's folder; secrets are not its business. */
const SERVER_ONLY =
  /^ACTCHAIN_(?:MODE|HOST|STORE|PROXIES|PROXY_CA|KEY_SECRET|TLS_CERT|TLS_KEY|AUDIT_ANCHORS|INTERNAL_ORIGINS|PKCS11_(?:MODULE|TOKEN|PIN)|LOG_LEVEL|OTLP_URL)(?:_FILE)?$/

/** Where the server answers and where things are, for commands beside it: no setting of the server alone can stop them. */
export function readCommandConfig(
  flags: Pick<Flags, 'data' | 'tenants' | 'publicUrl'> = {},
): Config | readonly ConfigProblem[] {
  const env = Object.entries(process.env).filter(([name]) => !SERVER_ONLY.test(name))
  return readConfig(Object.fromEntries(env), { ...flags, mode: 'development' })
}

/** The environment a child process gets: what any program needs to run, and none of our secrets. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env
  return {
    ACTCHAIN_MODE: 'development',
    ...(PATH !== undefined && { PATH }),
    ...(HOME !== undefined && { HOME }),
    ...(TMPDIR !== undefined && { TMPDIR }),
  }
}

/**
 * The library that sends spans reads `OTEL_` variables by itself: headers, certificates, compression. What counts is what this
 * file read, so they are taken out before it is loaded.
 */
export function dropTraceVariables(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('OTEL_')) delete process.env[name]
  }
}

export function isProblems(
  outcome: Config | readonly ConfigProblem[],
): outcome is readonly ConfigProblem[] {
  return Array.isArray(outcome)
}

/** One sentence a line: `ACTCHAIN_PORT must be …`. */
export function describeProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(({ setting, text }) => `${setting} ${text}`).join('\n')
}

function build(settings: Settings, report: Report): Config {
  const mode = readMode(settings, report)
  const host = readHost(settings, report)
  const port = readPort(settings, 'ACTCHAIN_PORT', report)
  const managementPort = readPort(settings, 'ACTCHAIN_MANAGEMENT_PORT', report)
  if (port === managementPort) {
    report('ACTCHAIN_MANAGEMENT_PORT', 'must differ from ACTCHAIN_PORT; choose another port.')
  }
  const tls = readTls(settings, report)
  const scheme = tls === undefined ? 'http' : 'https'
  const publicUrl = readPublicUrl(settings, mode, `${scheme}://127.0.0.1:${port}`, report)
  const keySecret = readKeySecret(settings, mode, report)
  readStore(settings, report)
  const proxies = readProxies(settings, report)
  const proxyCa = readProxyCa(settings, report)
  const internalOrigins = readInternalOrigins(settings, report)
  const pkcs11 = readPkcs11(settings, report)
  const logLevel = readLogLevel(settings, report)
  const otlpUrl = readOtlpUrl(settings, report)
  const anchorsFile = settings.get('ACTCHAIN_AUDIT_ANCHORS')
  const devIdp = mode === 'development' ? readDevIdp(settings, report) : undefined
  const dataFolder = resolve(settings.get('ACTCHAIN_DATA') ?? '.actchain')
  return Object.freeze({
    mode,
    host,
    port,
    publicUrl,
    ...(tls && { tls }),
    managementPort,
    dataFolder,
    tenantsFolder: resolve(settings.get('ACTCHAIN_TENANTS') ?? 'tenants'),
    store: 'embedded' as const,
    ...(keySecret && { keySecret }),
    proxies: Object.freeze(proxies),
    ...(proxyCa !== undefined && { proxyCa }),
    trustFolder: resolve(settings.get('ACTCHAIN_TRUST') ?? join(dataFolder, 'trust')),
    internalOrigins: Object.freeze(internalOrigins),
    ...(anchorsFile !== undefined && { anchorsFile: resolve(anchorsFile) }),
    ...(pkcs11 && { pkcs11 }),
    logLevel,
    ...(otlpUrl !== undefined && { otlpUrl }),
    loopbackOrigins: Object.freeze(devIdp === undefined ? [] : [publicUrl, devIdp]),
    ...(devIdp !== undefined && { devIdp }),
  })
}

function readMode(settings: Settings, report: Report): Mode {
  const mode = settings.get('ACTCHAIN_MODE') ?? 'production'
  if (mode === 'production' || mode === 'development') return mode
  report('ACTCHAIN_MODE', `is ${quoted(mode)}; set it to production or development.`)
  return 'production'
}

function readHost(settings: Settings, report: Report): string {
  const host = settings.get('ACTCHAIN_HOST') ?? '127.0.0.1'
  if (!/^[0-9A-Za-z.:-]{1,253}$/.test(host)) {
    report('ACTCHAIN_HOST', `is ${quoted(host)}; set it to an address or name to listen on.`)
  }
  return host
}

const DEFAULT_PORTS = {
  ACTCHAIN_PORT: 8460,
  ACTCHAIN_MANAGEMENT_PORT: 8461,
  '--idp-port': 8462,
} as const

function readPort(settings: Settings, setting: keyof typeof DEFAULT_PORTS, report: Report): number {
  const text = settings.get(setting)
  if (text === undefined) return DEFAULT_PORTS[setting]
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65535) {
    report(setting, `is ${quoted(text)}; set it to a port from 1 to 65535.`)
    return DEFAULT_PORTS[setting]
  }
  return port
}

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

function readPublicUrl(settings: Settings, mode: Mode, fallback: string, report: Report): string {
  const stated = settings.get('ACTCHAIN_PUBLIC_URL')
  const url = stated ?? fallback
  const parsed = URL.parse(url)
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol)) {
    report('ACTCHAIN_PUBLIC_URL', `is ${quoted(url)}; set it to an https origin.`)
    return fallback
  }
  if (parsed.origin !== url) {
    // Issuers are compared as exact strings (RFC 8414 §3.3), so there is one way to write this one.
    report('ACTCHAIN_PUBLIC_URL', `must be an origin alone; write it as ${parsed.origin}.`)
    return fallback
  }
  if (parsed.protocol === 'https:') return url
  if (mode === 'production') {
    const is = stated === undefined ? 'is not set' : `is ${quoted(url)}`
    report('ACTCHAIN_PUBLIC_URL', `${is}; production needs the https origin clients use.`)
  } else if (!LOOPBACK_NAMES.has(parsed.hostname)) {
    report('ACTCHAIN_PUBLIC_URL', 'is plain http away from loopback; use https or 127.0.0.1.')
  }
  return url
}

function readKeySecret(settings: Settings, mode: Mode, report: Report): Secret | undefined {
  const value = settings.get('ACTCHAIN_KEY_SECRET')
  if (value === undefined) {
    if (mode === 'production') {
      report('ACTCHAIN_KEY_SECRET', 'is not set; set it to at least 32 random characters.')
    }
    return undefined
  }
  if (value.length < LEAST_SECRET_LENGTH) {
    report('ACTCHAIN_KEY_SECRET', 'is too short; set it to at least 32 random characters.')
  }
  return new Secret(value)
}

function readStore(settings: Settings, report: Report): void {
  const store = settings.get('ACTCHAIN_STORE') ?? 'embedded'
  if (store === 'embedded') return
  // A store's address may hold a password: it is not repeated.
  report('ACTCHAIN_STORE', 'names a store that is not available yet; set it to embedded.')
}

function readProxies(settings: Settings, report: Report): readonly string[] {
  const stated = settings.get('ACTCHAIN_PROXIES')
  if (stated === undefined) return []
  const addresses = stated.split(',').map((address) => address.trim())
  const wrong = addresses.find((address) => isIP(address) === 0)
  if (wrong !== undefined) {
    report('ACTCHAIN_PROXIES', `has ${quoted(wrong)}; set it to IP addresses, comma separated.`)
  }
  return addresses
}

function readInternalOrigins(settings: Settings, report: Report): readonly string[] {
  const stated = settings.get('ACTCHAIN_INTERNAL_ORIGINS')
  if (stated === undefined) return []
  const origins = stated.split(',').map((origin) => origin.trim())
  for (const origin of origins) {
    const parsed = URL.parse(origin)
    // Compared as exact strings, and never without TLS: whoever is in that network could answer.
    if (parsed?.protocol === 'https:' && parsed.origin === origin) continue
    const text = `has ${quoted(origin)}; set it to https origins, comma separated.`
    report('ACTCHAIN_INTERNAL_ORIGINS', text)
  }
  return origins
}

function readDevIdp(settings: Settings, report: Report): string {
  return `http://127.0.0.1:${readPort(settings, FLAG_NAMES.idpPort, report)}`
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
