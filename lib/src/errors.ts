/**
 * Every way a verification can end badly: one closed table from reason to OAuth error, HTTP status and text
 * (RFC 6750 §3.1, RFC 9449 §7.1). Documentation, challenges and the coverage test derive from it.
 * Texts are literals, so nothing of a token, a proof or a key can get into one.
 */

export type ReasonError =
  /** RFC 6750 §3.1: a request without credentials is told no error code. */
  | undefined
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'temporarily_unavailable'

export interface ReasonEntry {
  readonly error: ReasonError
  readonly status: 400 | 401 | 403 | 503
  readonly text: string
}

/** One reason for each sentence of docs/chain-format.md §2, rules 1 to 5. */
const CHAIN_TEXTS = {
  // Rule 1
  bounds_missing: 'txn, status or act_bounds is missing',
  bounds_malformed: 'txn, status or act_bounds is malformed',
  bounds_version_unsupported: 'version of act_bounds is not supported',
  bounds_member_unknown: 'act_bounds has an unknown member',
  bounds_number_invalid: 'a number in act_bounds is out of range',
  root_scope_invalid: 'scope list of the root is not acceptable',
  root_reach_invalid: 'reach list of the root is not acceptable',
  // Rule 2
  hop_count_invalid: 'the chain has no hop or too many',
  actor_count_mismatch: 'actors and hops do not match',
  depth_exceeded: 'the chain is deeper than it allows itself',
  // Rule 3
  actor_malformed: 'an actor is malformed',
  actor_member_unknown: 'an actor has an unknown member',
  actor_issuer_mismatch: 'an actor is not of the issuer of the token',
  // Rule 4
  hop_mask_invalid: 'a mask of a hop is out of range',
  hop_scope_widened: 'a hop widens the scope of its parent',
  hop_reach_widened: 'a hop widens the reach of its parent',
  hop_audience_invalid: 'the audience of a hop is not within its reach',
  hop_issued_outside_parent: 'a hop was issued outside the lifetime of its parent',
  hop_lifetime_invalid: 'a hop ends before it begins',
  hop_outlives_parent: 'a hop outlives its parent',
  hop_depth_raised: 'a hop raises the depth its parent allows',
  // Rule 5
  hop_id_repeated: 'two hops share an id',
  hop_index_repeated: 'two hops share a status index',
  token_id_mismatch: 'the token is not its newest hop: id',
  token_index_mismatch: 'the token is not its newest hop: status index',
  token_times_mismatch: 'the token is not its newest hop: times',
  token_audience_mismatch: 'the token is not its newest hop: audience',
  token_scope_mismatch: 'the token is not its newest hop: scope',
  client_mismatch: 'the client is not the outermost actor',
  subject_in_chain: 'the subject is one of its own actors',
} as const

/** RFC 9068 §4, RFC 8725 §3; what binds the token: RFC 7800 §3.1, RFC 8705 §3, RFC 9449 §7. */
const TOKEN_TEXTS = {
  token_malformed: 'the token is malformed',
  token_type_wrong: 'the token is not an access token',
  algorithm_refused: 'the signature algorithm is not accepted',
  key_unknown: 'the signing key is not known',
  signature_invalid: 'the signature does not verify',
  issuer_mismatch: 'the token is of another issuer',
  audience_mismatch: 'the token is for another audience',
  claim_malformed: 'a claim of the token is missing or malformed',
  token_expired: 'the token has expired',
  token_not_yet_valid: 'the token is not valid yet',
  binding_missing: 'the token is not bound to a key',
  binding_unsupported: 'the token is bound in a way that cannot be checked',
  certificate_missing: 'the token is bound to a certificate and none was presented',
  certificate_mismatch: 'the token is bound to another certificate',
  scheme_mismatch: 'the token was presented under the wrong scheme',
  proof_key_mismatch: 'the token is bound to another key',
} as const

/** RFC 9449 §4.3 */
const PROOF_TEXTS = {
  proof_missing: 'a proof of possession is required',
  proof_malformed: 'the proof is malformed',
  proof_type_wrong: 'the proof is not a DPoP proof',
  proof_algorithm_refused: 'the algorithm of the proof is not accepted',
  proof_key_refused: 'the key of the proof is not acceptable',
  proof_signature_invalid: 'the signature of the proof does not verify',
  proof_method_mismatch: 'the proof is for another method',
  proof_url_mismatch: 'the proof is for another URL',
  proof_token_mismatch: 'the proof is for another token',
  proof_time_refused: 'the proof was not made just now',
  proof_replayed: 'the proof has been used before',
} as const

/** What the route or the resource asks for beyond a valid token. */
const SCOPE_TEXTS = {
  chain_too_long: 'the chain is longer than this resource accepts',
  delegation_required: 'the token was not delegated',
  scope_insufficient: 'the token lacks the scope this needs',
} as const

/** RFC 6750 §2, RFC 9449 §7.2 */
const REQUEST_TEXTS = {
  request_ambiguous: 'the request carries more than one set of credentials',
  authorization_malformed: 'the Authorization header is malformed',
} as const

const ABSENT_TEXTS = {
  token_missing: 'an access token is required',
} as const

const OUTAGE_TEXTS = {
  keys_unavailable: 'the keys of the issuer cannot be read',
  replay_unavailable: 'the use of the proof cannot be recorded',
} as const

export type ChainReason = keyof typeof CHAIN_TEXTS | 'chain_too_long'
export type VerificationReason =
  | ChainReason
  | keyof typeof TOKEN_TEXTS
  | keyof typeof PROOF_TEXTS
  | keyof typeof SCOPE_TEXTS
  | keyof typeof REQUEST_TEXTS
  | keyof typeof ABSENT_TEXTS
  | keyof typeof OUTAGE_TEXTS

export const VERIFICATION_REASONS: Readonly<Record<VerificationReason, ReasonEntry>> = {
  ...entries('invalid_token', 401, CHAIN_TEXTS),
  ...entries('invalid_token', 401, TOKEN_TEXTS),
  ...entries('invalid_dpop_proof', 401, PROOF_TEXTS),
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
  const pairs = Object.entries<string>(texts).map(([reason, text]) => [
    reason,
    { error, status, text },
  ])
  return Object.fromEntries(pairs) as Record<Reason, ReasonEntry>
}

/** A refusal. It carries its reason and nothing of what was refused: it is safe to log and to answer with. */
export class VerificationError extends Error {
  override readonly name: string = 'VerificationError'
  readonly reason: VerificationReason

  constructor(reason: VerificationReason) {
    super(VERIFICATION_REASONS[reason].text)
    this.reason = reason
  }
}
