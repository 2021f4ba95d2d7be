/**
 * What a check says beyond yes or no: warnings, where a lenient run lets pass what a strict one does not, and a failure
 * in words that anybody may read. Tokens and secrets that went over the wire are known here, and come out nowhere.
 */
import { stripVTControlCharacters } from 'node:util'
import { given } from './given.ts'

/** Where one of these is answered instead of the code a row names, a lenient run warns: most are those of row 8693-2.2.2-06. */
const TAKEN_FOR_ANOTHER: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'invalid_authorization_details',
  'insufficient_user_authentication',
  'invalid_grant',
  'invalid_token',
  'access_denied',
])
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403])

const isLenient = process.env['CONFORMANCE_MODE'] === 'lenient'

export interface Check {
  readonly warnings: string[]
}

let check: Check = { warnings: [] }

/** The check that runs now; checks of one file run one after another. */
export function startCheck(): Check {
  check = { warnings: [] }
  return check
}

export interface Refusal {
  readonly status: number
  readonly error: unknown
}

/** Whether another refusal than the expected one is let pass, with a warning. */
export function isExcused(expected: Refusal, came: Refusal): boolean {
  const { status, error } = came
  if (!isLenient || !REFUSALS.has(status) || !TAKEN_FOR_ANOTHER.has(String(error))) return false
  const [wanted, got] = [expected, came].map((one) => `${one.status} ${String(one.error)}`)
  if (wanted !== got) check.warnings.push(`expected ${wanted}, got ${got}`)
  return true
}

const SECRET_NAMES: ReadonlySet<string> = new Set(['client_secret', 'token', 'd', 'p', 'q', 'k'])
const secrets = new Set<string>(secretsIn(given))

/** Remembers what may not be told: members of an answer that are tokens. */
export function keepSecret(value: unknown): void {
  if (typeof value === 'string' && value.length >= 8) secrets.add(value)
}

function secretsIn(value: unknown, name = ''): readonly string[] {
  if (typeof value === 'string') return SECRET_NAMES.has(name) && value.length >= 8 ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([member, inner]) => secretsIn(inner, member))
}

const JWT_LIKE = /\beyJ[\w-]{5,}\.[\w-]*(?:\.[\w-]*)*/g
const LONGEST = 2000

/** Without tokens and secrets. */
export function redacted(text: string): string {
  let told = text
  for (const secret of secrets) told = told.replaceAll(secret, '<token>')
  return told.replace(JWT_LIKE, '<token>')
}

/** What was expected and what came, in words. */
export function asFailure(fault: unknown): string {
  if (!(fault instanceof Error)) return redacted(String(fault))
  const { message, expected, actual } = fault as Error & { expected?: unknown; actual?: unknown }
  const first = stripVTControlCharacters(message)
  const both = [expected, actual].map((value) =>
    typeof value === 'string' ? value : JSON.stringify(value),
  )
  const told =
    expected === undefined && actual === undefined
      ? first
      : `${first}: expected ${both[0]}, got ${both[1]}`
  return redacted(told).slice(0, LONGEST)
}
