/**
 * Every way a verification can end badly: one closed table from reason to OAuth error, HTTP status and text
 * (RFC 6750 §3.1, RFC 9449 §7.1). Documentation, challenges and the coverage test derive from it.
 * Texts are literals or a reason's own name, so nothing of a token, a proof or a key can get into one.
 */

export type ReasonError =
  /** RFC 6750 §3.1: a request without credentials is told no error code. */
  | undefined
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'temporarily_unavailable'

export interface ReasonEntry {
  readonly error: ReasonError
  readonly status: 400 | 401 | 403 | 503
  readonly text: string
}

/**
 * One reason for each sentence of docs/chain-format.md §2, rules 1 to 5. A token of a sound issuer breaks none: the reason's
 * own words are the text.
 */
const CHAIN_REASONS = [
  // Rule 1
  'bounds_missing',
  'bounds_malformed',
  'bounds_version_unsupported',
  'bounds_member_unknown',
  'bounds_number_invalid',
  'root_scope_invalid',
  'root_reach_invalid',
  // Rule 2
  'hop_count_invalid',
  'actor_count_mismatch',
  'depth_exceeded',
  // Rule 3
  'actor_malformed',
  'actor_member_unknown',
  'actor_issuer_mismatch',
  // Rule 4
  'hop_mask_invalid',
  'hop_scope_widened',
  'hop_reach_widened',
  'hop_audience_invalid',
  'hop_issued_outside_parent',
  'hop_lifetime_invalid',
  'hop_outlives_parent',
  'hop_depth_raised',
  // Rule 5
  'hop_id_repeated',
  'hop_index_repeated',
  'token_id_mismatch',
  'token_index_mismatch',
  'token_times_mismatch',
  'token_audience_mismatch',
  'token_scope_mismatch',
  'client_mismatch',
  'subject_in_chain',
] as const

const CHAIN_TEXTS = Object.fromEntries(
  CHAIN_REASONS.map((reason) => [reason, `chain refused: ${reason.replaceAll('_', ' ')}`]),
) as Record<(typeof CHAIN_REASONS)[number], string>

/** RFC 9068 §4, RFC 8725 §3; its status (docs/chain-format.md §2, rule 6); what binds the token: RFC 7800 §3.1, RFC 8705 §3, RFC 9449 §7. */
const TOKEN_TEXTS = {
  token_malformed: 'the token is malformed',
  token_type_wrong: 'this is no access token',
  algorithm_refused: 'the signature algorithm is refused',
  key_unknown: 'the signing key is not known',
  signature_invalid: 'the signature does not verify',
  issuer_mismatch: 'the token is of another issuer',
  audience_mismatch: 'the token is for another audience',
  claim_malformed: 'a claim of the token is missing or malformed',
  token_expired: 'the token has expired',
  token_not_yet_valid: 'the token is not valid yet',
  token_revoked: 'the token was revoked',
  token_suspended: 'the token is suspended',
  binding_missing: 'the token is not bound to a key',
  binding_unsupported: 'the binding of the token cannot be checked',
  certificate_missing: 'a client certificate is required',
  certificate_mismatch: 'the token is bound to another certificate',
  scheme_mismatch: 'the scheme does not fit the token',
  proof_key_mismatch: 'the token is bound to another key',
} as const

/** RFC 9449 §4.3 */
const PROOF_TEXTS = {
  proof_missing: 'a proof of possession is required',
  proof_malformed: 'the proof is malformed',
  proof_type_wrong: 'the proof is not a DPoP proof',
  proof_algorithm_refused: 'the algorithm of the proof is refused',
  proof_key_refused: 'the key of the proof is refused',
  proof_signature_invalid: 'the signature of the proof does not verify',
  proof_method_mismatch: 'the proof is for another method',
  proof_url_mismatch: 'the proof is for another URL',
  proof_token_mismatch: 'the proof is for another token',
  proof_time_refused: 'the proof was not made just now',
  proof_replayed: 'the proof was used before',
} as const

/** RFC 9449 §9 */
const NONCE_TEXTS = {
  proof_nonce_required: 'the proof needs a nonce of this resource',
} as const

/** What the route or the resource asks for beyond a valid token. */
const SCOPE_TEXTS = {
  chain_too_long: 'the chain is longer than this resource accepts',
  delegation_required: 'the token was not delegated',
  scope_insufficient: 'the token lacks the scope this needs',
} as const

/** RFC 6750 §2, RFC 9449 §7.2 */
const REQUEST_TEXTS = {
  request_ambiguous: 'more than one set of credentials',
  authorization_malformed: 'the Authorization header is malformed',
} as const

const ABSENT_TEXTS = {
  token_missing: 'an access token is required',
} as const

const OUTAGE_TEXTS = {
  keys_unavailable: 'the keys of the issuer cannot be read',
  replay_unavailable: 'the use of the proof cannot be recorded',
  revocation_unknown: 'the status of the token is not known',
} as const

export type ChainReason = (typeof CHAIN_REASONS)[number] | 'chain_too_long'
export type VerificationReason =
  | ChainReason
  | keyof typeof TOKEN_TEXTS
  | keyof typeof PROOF_TEXTS
  | keyof typeof NONCE_TEXTS
  | keyof typeof SCOPE_TEXTS
  | keyof typeof REQUEST_TEXTS
  | keyof typeof ABSENT_TEXTS
  | keyof typeof OUTAGE_TEXTS

export const VERIFICATION_REASONS: Readonly<Record<VerificationReason, ReasonEntry>> = {
  ...entries('invalid_token', 401, CHAIN_TEXTS),
  ...entries('invalid_token', 401, TOKEN_TEXTS),
  ...entries('invalid_dpop_proof', 401, PROOF_TEXTS),
  ...entries('use_dpop_nonce', 401, NONCE_TEXTS),
  ...entries('insufficient_scope', 403, SCOPE_TEXTS),
  ...entries('invalid_request', 400, REQUEST_TEXTS),
  ...entries(undefined, 401, ABSENT_TEXTS),
  ...entries('temporarily_unavailable', 503, OUTAGE_TEXTS),
}

function entries<Reason extends string>(
  error: ReasonError,
  status: ReasonEntry['status'],
  texts: Readonly<Record<Reason, string>>,
): Record<Reason, ReasonEntry> {
  return Object.fromEntries(
    Object.entries(texts).map(([reason, text]) => [reason, { error, status, text }]),
  ) as Record<Reason, ReasonEntry>
}

/** A refusal. It carries its reason and nothing of what was refused: it is safe to log and to answer with. */
export class VerificationError extends Error {
  override readonly name: string = 'VerificationError'
  readonly reason: VerificationReason
  /** Of `proof_nonce_required`: what to send as `DPoP-Nonce`; public. */
  readonly nonce: string | undefined

  constructor(reason: VerificationReason, nonce?: string) {
    super(VERIFICATION_REASONS[reason].text)
    this.reason = reason
    this.nonce = nonce
  }
}
