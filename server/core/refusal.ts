/**
 * Refusals are values; this is the only list of their public reasons. Types, OAuth errors, statuses, texts,
 * docs/errors.md and the coverage test derive from it. RFC 8693 §2.2.2 fixes most of the codes.
 */

interface ReasonEntry {
  readonly error: string
  readonly status: 400 | 401 | 413 | 429 | 503
  readonly text: string
}

export const REASONS = {
  request_malformed: entry(
    'invalid_request',
    'the request is malformed or a parameter is repeated',
  ),
  request_too_large: entry('invalid_request', 'the request is larger than this server accepts'),
  parameter_missing: entry('invalid_request', 'subject_token and subject_token_type are required'),
  actor_token_incomplete: entry('invalid_request', 'actor_token and actor_token_type go together'),
  token_type_unsupported: entry('invalid_request', 'this token type is not handled here'),
  requested_token_type_unsupported: entry('invalid_request', 'only access tokens are issued here'),
  subject_token_unacceptable: entry('invalid_request', 'the subject token is not acceptable'),
  subject_token_expired: entry('invalid_request', 'the subject token has expired'),
  subject_token_revoked: entry('invalid_request', 'the subject token is revoked or not on record'),
  actor_token_unacceptable: entry('invalid_request', 'the actor token is not acceptable'),
  may_act_mismatch: entry('invalid_request', 'the subject token names another actor'),
  actor_already_in_chain: entry('invalid_request', 'the caller is already part of this chain'),
  actor_inactive: entry('invalid_request', 'an agent of this chain is disabled or expired'),
  subject_inactive: entry('invalid_request', 'nothing may be done for this subject'),
  chain_too_long: entry('invalid_request', 'the chain has as many agents as its task allows'),
  token_too_large: entry('invalid_request', 'the token would be larger than a request can carry'),
  task_ended: entry('invalid_request', 'the task is over'),
  task_suspended: entry('invalid_request', 'the task is suspended: something in it looked wrong'),
  subject_token_spent: entry(
    'invalid_request',
    'the task this subject token opened was revoked: sign in again',
  ),
  task_limit_reached: entry('invalid_request', 'the task has as many tokens as it may have'),
  task_type_required: entry('invalid_request', 'several task types fit: name one in task_type'),
  task_type_not_permitted: entry(
    'invalid_request',
    'no such task may be opened by this agent for this subject',
  ),
  role_required: entry('invalid_request', 'this person has no role in this tenant'),
  purpose_malformed: entry('invalid_request', 'purpose is too long or has control characters'),
  facts_changed: entry('invalid_request', 'the rules changed during the exchange: try again'),
  target_malformed: entry('invalid_target', 'resource is an absolute URI without fragment'),
  target_ambiguous: entry(
    'invalid_target',
    'name exactly one target; audience and resource must agree',
  ),
  target_not_permitted: entry(
    'invalid_target',
    'the target is not available to this token and caller',
  ),
  scope_malformed: entry(
    'invalid_scope',
    'scope is a list of distinct scope tokens with one space between',
  ),
  scope_not_permitted: entry(
    'invalid_scope',
    'a requested scope is beyond what may be granted here',
  ),
  scope_nothing_left: entry(
    'invalid_scope',
    'nothing of the parent scope may be used at this target',
  ),
  approval_required: entry('invalid_scope', 'a requested scope needs the approval of a human'),
  authorization_details_unsupported: entry(
    'invalid_authorization_details',
    'authorization_details are not handled here',
  ),
  client_authentication_failed: entry(
    'invalid_client',
    'client authentication failed: use the one way this client has; an assertion has the issuer as its only audience and lives 5 minutes at most',
    401,
  ),
  grant_not_permitted: entry('unauthorized_client', 'this client may not use this grant'),
  grant_unsupported: entry('unsupported_grant_type', 'this grant type is not handled here'),
  proof_invalid: entry('invalid_dpop_proof', 'the DPoP proof is not acceptable'),
  proof_required: entry('invalid_dpop_proof', 'this client proves its key with every request'),
  proof_replayed: entry('invalid_dpop_proof', 'the DPoP proof was used before'),
  proof_nonce_required: entry(
    'use_dpop_nonce',
    'make the proof again with the nonce of the DPoP-Nonce header',
  ),
  certificate_required: entry(
    'invalid_request',
    'tokens of this client are bound to a certificate: use mutual TLS',
  ),
  rate_limited: entry('temporarily_unavailable', 'too many requests: slow down', 429),
  unavailable: entry('temporarily_unavailable', 'the server cannot decide now: try again', 503),
} as const satisfies Record<string, ReasonEntry>

export type Reason = keyof typeof REASONS

/** The exact guard goes to the audit entry and never leaves the server. */
export interface Refusal {
  readonly kind: 'refusal'
  readonly reason: Reason
  readonly guard: string
  /** Ids of the tenant's rules that took part; absent where none did. As private as the guard. */
  readonly policies?: readonly string[]
  /** Of `rate_limited`. */
  readonly limit?: {
    /** Seconds. */
    readonly retryAfter: number
    /** `told`: another request's entry stands for this one too, so that a flood does not fill the record. */
    readonly entry: 'new' | 'told'
  }
}

export function refuse(
  reason: Reason,
  guard: string = reason,
  policies: readonly string[] = [],
): Refusal {
  return { kind: 'refusal', reason, guard, ...(policies.length === 0 ? {} : { policies }) }
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'refusal'
}

function entry<Error extends string, Status extends ReasonEntry['status'] = 400>(
  error: Error,
  text: string,
  status: Status = 400 as Status,
): { readonly error: Error; readonly status: Status; readonly text: string } {
  return { error, status, text }
}
