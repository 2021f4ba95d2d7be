/** The one door from what a route says to bytes. Answers are for the caller that asked: not kept, not for pages. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  MANAGEMENT_REASONS,
  type ManagementReason,
  type ManagementRefusal,
} from '../../core/management-refusal.ts'
import type { Reply } from './route.ts'

const SHARED_HEADERS = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
} as const

export function send(
  res: ServerResponse,
  { status, body, headers = {} }: Reply,
  type = 'application/json',
): void {
  // RFC 9110 §15.3.5: 204 has no content, so none has a type.
  const content = body === undefined ? {} : { 'content-type': type }
  res.writeHead(status, { ...sharedHeaders(res), ...content, ...headers })
  res.end(body === undefined ? undefined : JSON.stringify(body))
}

/** Of every answer. */
export function sharedHeaders(res: ServerResponse): Readonly<Record<string, string>> {
  // What was not read of a refused body must not be the start of a next request.
  return res.req.complete ? SHARED_HEADERS : { ...SHARED_HEADERS, connection: 'close' }
}

/** RFC 9457. Texts are literals of one table; of a request only names of its members are repeated, escaped. */
export function sendProblem(
  res: ServerResponse,
  refusal: ManagementRefusal,
  { ref, allow }: { readonly ref: string; readonly allow?: string },
): void {
  const { reason, version, errors, limit, from } = refusal
  const { status, text } = MANAGEMENT_REASONS[reason]
  const body = {
    type: 'about:blank',
    status,
    reason,
    detail: text,
    error_ref: ref,
    ...version,
    errors,
    retry_from: from === undefined ? undefined : new Date(from * 1000).toISOString(),
  }
  const headers = {
    ...(status === 401 ? { 'www-authenticate': challengeOf(reason) } : {}),
    ...(status === 503 ? { 'retry-after': '1' } : {}),
    ...(limit === undefined ? {} : { 'retry-after': String(limit.retryAfter) }),
    ...(allow === undefined ? {} : { allow }),
  }
  send(res, { status, body, headers }, 'application/problem+json')
}

/** RFC 9449 §7.1; without a token there is no error to name (RFC 6750 §3.1). */
function challengeOf(reason: ManagementReason): string {
  const challenge = 'DPoP algs="ES256 EdDSA RS256"'
  if (reason === 'token_required') return challenge
  const error = reason.startsWith('proof_') ? 'invalid_dpop_proof' : 'invalid_token'
  return `${challenge}, error="${error}"`
}

/** A header's value; undefined where it is absent. One that stands twice is joined, and so no value of ours. */
export function headerOf({ headersDistinct }: IncomingMessage, name: string): string | undefined {
  return headersDistinct[name]?.join(', ')
}
