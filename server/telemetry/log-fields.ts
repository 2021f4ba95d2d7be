/**
 * What a log may say: a closed list of fields, and of the values in them. Nothing else gets out, so a token, an
 * assertion, a proof or a key cannot (attack case N05), whatever a caller passes by mistake.
 */

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Ids, counts and reasons only. A token is named by `jti`, a key by `kid`, a task by `txn`, a request by `ref`. */
export interface LogFields {
  readonly event: string
  readonly tenant?: string
  /** Of a request: which endpoint it came to, and how it was answered. */
  readonly endpoint?: string
  readonly outcome?: string
  readonly client?: string
  readonly ref?: string
  readonly reason?: string
  readonly status?: number
  /** How long it took, in milliseconds. */
  readonly ms?: number
  readonly txn?: string
  readonly jti?: string
  readonly kid?: string
}

export const TEXT_FIELDS = [
  'event',
  'tenant',
  'endpoint',
  'outcome',
  'client',
  'ref',
  'reason',
  'txn',
  'jti',
  'kid',
] as const
export const NUMBER_FIELDS = ['status', 'ms'] as const

const LONGEST_TEXT = 512
/** `eyJ` is how base64url of `{"` begins: any JWT, JWS or JWE, whole or cut. */
const TOKEN_SHAPE = /eyJ/
/** Ends of lines for some reader of them, and what colours a terminal: no id has any. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u
const COVER = '[withheld]'

export type AllowedFields = Readonly<Record<string, string | number>>

/** The listed fields alone. A text too long, with controls in it or shaped like a token becomes `[withheld]`; other types are left out. */
export function allowedFields(fields: Partial<LogFields>): AllowedFields {
  const allowed: Record<string, string | number> = {}
  for (const name of TEXT_FIELDS) {
    const value: unknown = fields[name]
    if (typeof value !== 'string') continue
    allowed[name] = canBeTold(value) ? value : COVER
  }
  for (const name of NUMBER_FIELDS) {
    const value: unknown = fields[name]
    if (typeof value === 'number' && Number.isFinite(value)) allowed[name] = value
  }
  return allowed
}

function canBeTold(text: string): boolean {
  return text.length <= LONGEST_TEXT && !TOKEN_SHAPE.test(text) && !CONTROL.test(text)
}

/**
 * A `reason` for a fault: the error's code or class and where it was thrown. Never its message, which may quote
 * what a caller sent.
 */
export function faultReason(error: unknown): string {
  if (!(error instanceof Error)) return 'not an error'
  const code =
    'code' in error && typeof error.code === 'string' ? error.code : error.constructor.name
  const name = /^[A-Za-z0-9_]{1,48}$/.test(code) ? code : 'Error'
  const frames = error.stack?.split('\n    at ').slice(1) ?? []
  const place = frames.map((frame) => /([\w.-]+:\d+):\d+\)?$/.exec(frame)?.[1]).find(Boolean)
  return place === undefined ? name : `${name} at ${place}`
}
