/**
 * Refusals of the management API, which speaks problems of RFC 9457: the only list of their public reasons. What a token
 * endpoint refuses is in refusal.ts; the same thing has the same name in both.
 */

import type { Problem } from './problem.ts'
import type { Refusal } from './refusal.ts'

interface ManagementReasonEntry {
  readonly status: number
  readonly text: string
}

export const MANAGEMENT_REASONS = {
  request_malformed: { status: 400, text: 'the request is not what this path takes' },
  token_required: { status: 401, text: 'send a management token under the DPoP scheme' },
  token_unacceptable: { status: 401, text: 'the token is not one this API takes: sign in again' },
  token_expired: { status: 401, text: 'the token has expired: sign in again' },
  proof_required: { status: 401, text: 'send a DPoP proof with every request' },
  proof_invalid: { status: 401, text: 'the DPoP proof is not acceptable' },
  proof_replayed: { status: 401, text: 'the DPoP proof was used before' },
  role_required: { status: 403, text: 'none of your roles allows this' },
  trust_change_not_permitted: {
    status: 403,
    text: 'tenant.yaml differs from the live one: an admin or the operator has to apply that',
  },
  not_found: { status: 404, text: 'there is nothing here, or nothing of yours' },
  method_not_allowed: { status: 405, text: 'this path is not asked with that method' },
  request_timeout: { status: 408, text: 'the body did not arrive in time' },
  task_over: { status: 409, text: 'the task is over already, or not in a state this changes' },
  key_waiting: {
    status: 409,
    text: 'a key waits to sign already: ask again when it signs, at `retry_from`',
  },
  keys_full: {
    status: 409,
    text: 'as many keys are published as verifiers take: ask again when one goes, at `retry_from`',
  },
  stream_exists: { status: 409, text: 'this receiver has a stream: read, change or delete that' },
  precondition_failed: { status: 412, text: 'it has changed since you read it: read it again' },
  request_too_large: { status: 413, text: 'the body is larger than this path takes' },
  media_type_unsupported: { status: 415, text: 'send the body as application/json, not encoded' },
  key_unacceptable: {
    status: 422,
    text: 'this is not a private key the tenant can sign with, or it is not its own alone',
  },
  version_invalid: { status: 422, text: 'the version has problems: nothing was stored' },
  precondition_required: {
    status: 428,
    text: 'name the live version in If-Match, or send If-None-Match: * for a tenant without one',
  },
  rate_limited: { status: 429, text: 'too many requests: slow down' },
  unavailable: { status: 503, text: 'the server cannot do this now: try again' },
} as const satisfies Record<string, ManagementReasonEntry>

export type ManagementReason = keyof typeof MANAGEMENT_REASONS

/** The exact guard goes to the audit entry and never leaves the server. */
export interface ManagementRefusal {
  readonly kind: 'management_refusal'
  readonly reason: ManagementReason
  readonly guard: string
  /** Of a version: what is wrong with its files, and what is doubtful. */
  readonly version?: {
    readonly problems: readonly Problem[]
    readonly warnings: readonly Problem[]
  }
  /** Of a body or query: which of its members are not taken, and why. */
  readonly errors?: readonly MemberError[]
  readonly limit?: Refusal['limit']
  /** Seconds since the epoch: from when a key can be asked for again. */
  readonly from?: number
}

export interface MemberError {
  /** RFC 6901, into the body; of a query parameter `?name`. */
  readonly pointer: string
  readonly text: string
}

export function refuseManagement(
  reason: ManagementReason,
  guard: string = reason,
): ManagementRefusal {
  return { kind: 'management_refusal', reason, guard }
}

export function refuseKey(reason: 'key_waiting' | 'keys_full', from: number): ManagementRefusal {
  return { ...refuseManagement(reason), from }
}

export function refuseMembers(errors: readonly MemberError[]): ManagementRefusal {
  return { ...refuseManagement('request_malformed', 'members'), errors }
}

export function refuseVersion(
  problems: readonly Problem[],
  warnings: readonly Problem[],
): ManagementRefusal {
  return { ...refuseManagement('version_invalid'), version: { problems, warnings } }
}

export function isManagementRefusal(value: unknown): value is ManagementRefusal {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'management_refusal'
  )
}
