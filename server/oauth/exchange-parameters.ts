/**
 * The form parameters of our grants, read once into what the use cases take. A parameter without a value is absent
 * (RFC 6749 §3.2); only `audience` and `resource` may repeat (RFC 8693 §2.1); unknown ones are ignored.
 */
import { MAX_TOKEN_LENGTH } from '../../lib/src/compact-jws.ts'
import { isRefusal, type Refusal, refuse } from '../core/refusal.ts'
import { parseScope } from '../core/scope-request.ts'
import type { TargetRequest } from '../core/target.ts'
import type { ForeignType } from './foreign-token.ts'

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

/** RFC 8693 §3: declared types and what they declare. URIs compare exactly. */
const SUBJECT_TYPES: ReadonlyMap<string, 'access_token' | ForeignType> = new Map([
  [ACCESS_TOKEN_TYPE, 'access_token'],
  ['urn:ietf:params:oauth:token-type:id_token', 'id_token'],
  ['urn:ietf:params:oauth:token-type:jwt', 'jwt'],
])

export const COMMON_PARAMETERS = ['scope', 'resource', 'audience', 'task_type', 'purpose'] as const
export const EXCHANGE_PARAMETERS = [
  ...COMMON_PARAMETERS,
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
] as const
export const REPEATABLE_PARAMETERS = ['resource', 'audience'] as const

const MAX_PARAMETERS = 64
const MAX_TARGETS = 32
/** Printable, with spaces: it goes on record as written. */
const PURPOSE = /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,512}$/u
const TASK_TYPE = /^[a-z][a-z0-9-]{0,62}$/
/** A known name with a bracket is some other parser's spelling of a parameter; it would be ignored silently. */
const BRACKETED = new RegExp(`^(${EXCHANGE_PARAMETERS.join('|')}|grant_type|client_id)\\[`)

export type Form = Readonly<Record<string, unknown>>

export interface CommonParameters {
  readonly target: TargetRequest
  readonly scope: readonly string[] | undefined
  readonly taskType: string | undefined
  readonly purpose: string | undefined
}

export interface ExchangeParameters extends CommonParameters {
  readonly subject: { readonly text: string; readonly type: 'access_token' | ForeignType }
  /** An actor token is an access token of ours. */
  readonly actor: string | undefined
}

/** Shape, sizes and allow-lists of what every grant of ours takes. */
export function readCommon(form: Form): CommonParameters | Refusal {
  const names = Object.keys(form)
  if (names.length > MAX_PARAMETERS) return refuse('request_malformed', 'too_many_parameters')
  if (names.some((name) => BRACKETED.test(name))) {
    return refuse('request_malformed', 'bracketed_parameter')
  }
  if (form['authorization_details'] !== undefined && form['authorization_details'] !== '') {
    return refuse('authorization_details_unsupported')
  }
  const target = { audience: list(form['audience']), resource: list(form['resource']) }
  if (target.audience.length + target.resource.length > MAX_TARGETS) {
    return refuse('target_ambiguous', 'too_many_targets')
  }
  const scope = parseScope(single(form, 'scope'))
  if (isRefusal(scope)) return scope
  const purpose = single(form, 'purpose')
  if (purpose !== undefined && !PURPOSE.test(purpose)) return refuse('purpose_malformed')
  const taskType = single(form, 'task_type')
  if (taskType !== undefined && !TASK_TYPE.test(taskType)) return refuse('task_type_not_permitted')
  return { target, scope, taskType, purpose }
}

export function readExchange(form: Form): ExchangeParameters | Refusal {
  const common = readCommon(form)
  if (isRefusal(common)) return common
  const requested = single(form, 'requested_token_type')
  // RFC 8693 §2.1: a type that cannot be issued is refused, not replaced by another.
  if (requested !== undefined && requested !== ACCESS_TOKEN_TYPE) {
    return refuse('requested_token_type_unsupported')
  }
  const text = single(form, 'subject_token')
  const declared = single(form, 'subject_token_type')
  if (text === undefined || declared === undefined) return refuse('parameter_missing')
  const type = SUBJECT_TYPES.get(declared)
  if (type === undefined) return refuse('token_type_unsupported', 'subject_token_type')
  if (text.length > MAX_TOKEN_LENGTH) return refuse('subject_token_unacceptable', 'token_too_long')
  const actor = readActor(form)
  if (isRefusal(actor)) return actor
  return { ...common, subject: { text, type }, actor }
}

/** RFC 8693 §2.1: actor_token and actor_token_type only together. */
function readActor(form: Form): string | undefined | Refusal {
  const text = single(form, 'actor_token')
  const declared = single(form, 'actor_token_type')
  if (text === undefined && declared === undefined) return undefined
  if (text === undefined || declared === undefined) return refuse('actor_token_incomplete')
  if (declared !== ACCESS_TOKEN_TYPE) return refuse('token_type_unsupported', 'actor_token_type')
  return text.length > MAX_TOKEN_LENGTH
    ? refuse('actor_token_unacceptable', 'token_too_long')
    : text
}

/** Repetition was refused before; a list here would be a fault of that check, so it counts as malformed by type. */
function single(form: Form, name: string): string | undefined {
  const value = form[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function list(value: unknown): readonly string[] {
  const values = Array.isArray(value) ? value : [value]
  return values.filter((item): item is string => typeof item === 'string' && item !== '')
}
