/**
 * Names and raw texts of the settings: which exist, and where each text comes from (flag, environment, `_FILE`).
 * What the texts mean is server/config.ts; this file reads no environment by itself.
 */
import { readFileSync, statSync } from 'node:fs'

export interface ConfigProblem {
  /** The environment variable, or the flag where there is no variable. */
  readonly setting: string
  /** Reads on from the setting: what is wrong, and what to do. Holds no secret. */
  readonly text: string
}

const VARIABLES = [
  'ACTCHAIN_MODE',
  'ACTCHAIN_HOST',
  'ACTCHAIN_PORT',
  'ACTCHAIN_PUBLIC_URL',
  'ACTCHAIN_TLS_CERT',
  'ACTCHAIN_TLS_KEY',
  'ACTCHAIN_MANAGEMENT_PORT',
  'ACTCHAIN_DATA',
  'ACTCHAIN_TENANTS',
  'ACTCHAIN_STORE',
  'ACTCHAIN_KEY_SECRET',
  'ACTCHAIN_PROXIES',
  'ACTCHAIN_PROXY_CA',
  'ACTCHAIN_TRUST',
  'ACTCHAIN_AUDIT_ANCHORS',
  'ACTCHAIN_INTERNAL_ORIGINS',
  'ACTCHAIN_PKCS11_MODULE',
  'ACTCHAIN_PKCS11_TOKEN',
  'ACTCHAIN_PKCS11_PIN',
  'ACTCHAIN_LOG_LEVEL',
  'ACTCHAIN_OTLP_URL',
] as const

export type Variable = (typeof VARIABLES)[number]
export type Setting = Variable | '--idp-port'

/** Flags of the command line. A secret has none: other users can read a process's arguments. */
export const FLAG_NAMES = {
  mode: 'ACTCHAIN_MODE',
  host: 'ACTCHAIN_HOST',
  port: 'ACTCHAIN_PORT',
  publicUrl: 'ACTCHAIN_PUBLIC_URL',
  managementPort: 'ACTCHAIN_MANAGEMENT_PORT',
  data: 'ACTCHAIN_DATA',
  tenants: 'ACTCHAIN_TENANTS',
  store: 'ACTCHAIN_STORE',
  idpPort: '--idp-port',
} as const satisfies Record<string, Setting>

export type Flags = { readonly [name in keyof typeof FLAG_NAMES]?: string | undefined }
export type Settings = ReadonlyMap<Setting, string>
/** Takes a problem, as ConfigProblem has it; reading goes on, so that every problem is told at once. */
export type Report = (setting: Setting, text: string) => void

/** What the reader of a problem wrote: the flag where one was given, the variable otherwise. */
export function givenName(setting: Setting, flags: Flags): string {
  const given = Object.entries(FLAG_NAMES).find(
    ([flag, name]) => name === setting && flags[flag as keyof Flags] !== undefined,
  )
  return given === undefined ? setting : flagOf(given[0])
}

/** `publicUrl` is written `--public-url`. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

type Environment = Readonly<Record<string, string | undefined>>

const LARGEST_FILE = 64 * 1024

/** Every setting that has a text. An empty variable counts as absent; what is wrong is added to `problems`. */
export function readSettings(env: Environment, flags: Flags, problems: ConfigProblem[]): Settings {
  problems.push(...unknownVariables(env))
  const settings = new Map<Setting, string>()
  for (const variable of VARIABLES) {
    const text = readVariable(env, variable, problems)
    if (text) settings.set(variable, text)
  }
  for (const [flag, setting] of Object.entries(FLAG_NAMES)) {
    const text = flags[flag as keyof typeof FLAG_NAMES]
    if (text !== undefined) settings.set(setting, text)
  }
  return settings
}

function readVariable(
  env: Environment,
  variable: Variable,
  problems: ConfigProblem[],
): string | undefined {
  const file = env[`${variable}_FILE`]
  if (!file) return env[variable]
  if (env[variable]) {
    problems.push({ setting: variable, text: `is set twice; unset it or ${variable}_FILE.` })
    return undefined
  }
  try {
    const { size } = statSync(file)
    if (size <= LARGEST_FILE) return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    problems.push({
      setting: `${variable}_FILE`,
      text: 'names a file above 64 KiB; check the path.',
    })
  } catch {
    const text = `names a file that cannot be read; check that ${JSON.stringify(file)} exists.`
    problems.push({ setting: `${variable}_FILE`, text })
  }
  return undefined
}

function unknownVariables(env: Environment): readonly ConfigProblem[] {
  const known: readonly string[] = VARIABLES.flatMap((name) => [name, `${name}_FILE`])
  return Object.keys(env)
    .filter((name) => name.startsWith('ACTCHAIN_') && !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known)
      const cure = nearest === undefined ? 'unset it.' : `did you mean ${nearest}?`
      return {
        setting: JSON.stringify(name.slice(0, 100)).slice(1, -1),
        text: `is not a setting; ${cure}`,
      }
    })
}

/** The known name a typing slip away, if any. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > 64) return undefined
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best && best.distance <= 4 ? best.candidate : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution))
    }
    row = next
  }
  return row[b.length] ?? 0
}
