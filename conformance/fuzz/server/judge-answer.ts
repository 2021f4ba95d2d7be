/** Whether a server may answer so: an error is one of those the RFCs know, comes in good time, and says nothing that was said to it. */
import type { RequestInput } from './request-mutations.ts'
import type { Answer, NoAnswer } from './wire.ts'

/** RFC 6749 §5.2, RFC 6750 §3.1, RFC 8693 §2.2.2, RFC 9396 §5, RFC 9449 §5 and §8, RFC 7009 §2.2.1. */
const ERRORS: ReadonlySet<unknown> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'insufficient_scope',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'invalid_authorization_details',
  'unsupported_token_type',
  'temporarily_unavailable',
])
const STACK =
  /\n\s+at |node_modules|\.(?:ts|js):\d+|(?:Type|Range|Reference|Syntax)Error|Cannot read prop/
const TOKEN = /"access_token"|eyJ[\w-]{16,}\./

/** Milliseconds for an answer, whatever was asked and however busy the machine is. */
const SLOW = 10_000

export interface AnswerFault {
  readonly kind: string
  readonly detail: string
}

/** What is wrong with this answer of a server with this issuer. */
export function answerFault(
  issuer: string,
  input: RequestInput,
  answer: Answer | NoAnswer,
): AnswerFault | undefined {
  if (answer.status === 0) {
    const isLate = 'because' in answer && answer.because === 'late'
    return isLate ? { kind: 'hang', detail: 'no answer' } : undefined
  }
  const { status, text, headers, milliseconds } = answer as Answer
  const fault = (kind: string, detail: string): AnswerFault => ({
    kind,
    detail: `${status}: ${detail}`,
  })
  if (milliseconds > SLOW) return fault('slow', `${Math.round(milliseconds)} ms`)
  if (status >= 500 && !isAllowedOutage(input, answer as Answer))
    return fault('server_error', text.slice(0, 200))
  if (STACK.test(text)) return fault('stack_trace', text.slice(0, 200))
  if (input.secrets.some((secret) => text.includes(secret))) return fault('repeats_a_secret', '')
  if (status < 400) return undefined
  if (TOKEN.test(text)) return fault('token_in_error', '')
  const isEndpoint = ['token', 'introspect', 'revoke'].some(
    (name) => input.url.split('?')[0] === `${issuer}/${name}`,
  )
  if (!isEndpoint || input.method !== 'POST' || isBeforeReading(input, status)) return undefined
  if (!/^application\/json\b/.test(headers['content-type'] ?? ''))
    return fault('no_json', text.slice(0, 100))
  const error = errorOf(text)
  return ERRORS.has(error) ? undefined : fault('unknown_error', String(error))
}

/** RFC 9110 §10.1.1, RFC 6585 §5: said of the header alone, before anybody asks what the request is. */
function isBeforeReading({ headers }: RequestInput, status: number): boolean {
  const size = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (status === 417) return headers.some(([name]) => name === 'expect')
  return status === 431 && size > LARGE_HEADER
}

/** Characters: node takes 16 KB of header lines. */
const LARGE_HEADER = 15_000

/** 503 says when to come again; 501 is the feed's word for a history it has not got (Token Status List §8.4). */
function isAllowedOutage({ url }: RequestInput, { status, headers }: Answer): boolean {
  if (status === 503) return headers['retry-after'] !== undefined
  return status === 501 && /\/(status|events)/.test(url)
}

/** The error of a body; undefined where there is none. */
export function errorOf(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? Reflect.get(body, 'error') : undefined
  } catch {
    return undefined
  }
}

/** Of an answer to bytes that are no HTTP: refused or closed, and no more said than that. */
export function bytesFault(text: string | undefined): AnswerFault | undefined {
  if (text === undefined) return { kind: 'hang', detail: 'a connection that is not closed' }
  const [, status = ''] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? []
  if (status.startsWith('5') && status !== '505' && !/retry-after/i.test(text))
    return { kind: 'server_error', detail: text.slice(0, 200) }
  return STACK.test(text) ? { kind: 'stack_trace', detail: text.slice(0, 200) } : undefined
}
