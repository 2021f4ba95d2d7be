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

const CLASSES = {
  absent: { error: undefined, status: 401 },
  request: { error: 'invalid_request', status: 400 },
  token: { error: 'invalid_token', status: 401 },
  proof: { error: 'invalid_dpop_proof', status: 401 },
  scope: { error: 'insufficient_scope', status: 403 },
  outage: { error: 'temporarily_unavailable', status: 503 },
} as const satisfies Record<string, Omit<ReasonEntry, 'text'>>

/** Chain reasons, one for each sentence of docs/chain-format.md §2, rules 1 to 5. */
const CHAIN_TEXTS = {
  // Rule 1
  bounds_missing: ['token', 'txn, status or act_bounds is missing'],
  bounds_malformed: ['token', 'txn, status or act_bounds is malformed'],
  bounds_version_unsupported: ['token', 'version of act_bounds is not supported'],
  bounds_member_unknown: ['token', 'act_bounds has an unknown member'],
  bounds_number_invalid: ['token', 'a number in act_bounds is out of range'],
  root_scope_invalid: ['token', 'scope list of the root is not acceptable'],
  root_reach_invalid: ['token', 'reach list of the root is not acceptable'],
  // Rule 2
  hop_count_invalid: ['token', 'the chain has no hop or too many'],
  actor_count_mismatch: ['token', 'actors and hops do not match'],
  depth_exceeded: ['token', 'the chain is deeper than it allows itself'],
  chain_too_long: ['scope', 'the chain is longer than this resource accepts'],
  // Rule 3
  actor_malformed: ['token', 'an actor is malformed'],
  actor_member_unknown: ['token', 'an actor has an unknown member'],
  actor_issuer_mismatch: ['token', 'an actor is not of the issuer of the token'],
  // Rule 4
  hop_mask_invalid: ['token', 'a mask of a hop is out of range'],
  hop_scope_widened: ['token', 'a hop widens the scope of its parent'],
  hop_reach_widened: ['token', 'a hop widens the reach of its parent'],
  hop_audience_invalid: ['token', 'the audience of a hop is not within its reach'],
  hop_issued_outside_parent: ['token', 'a hop was issued outside the lifetime of its parent'],
  hop_lifetime_invalid: ['token', 'a hop ends before it begins'],
  hop_outlives_parent: ['token', 'a hop outlives its parent'],
  hop_depth_raised: ['token', 'a hop raises the depth its parent allows'],
  // Rule 5
  hop_id_repeated: ['token', 'two hops share an id'],
  hop_index_repeated: ['token', 'two hops share a status index'],
  token_id_mismatch: ['token', 'the token is not its newest hop: id'],
  token_index_mismatch: ['token', 'the token is not its newest hop: status index'],
  token_times_mismatch: ['token', 'the token is not its newest hop: times'],
  token_audience_mismatch: ['token', 'the token is not its newest hop: audience'],
  token_scope_mismatch: ['token', 'the token is not its newest hop: scope'],
  client_mismatch: ['token', 'the client is not the outermost actor'],
  subject_in_chain: ['token', 'the subject is one of its own actors'],
} as const

const OTHER_TEXTS = {
  // Request (RFC 6750 §2, RFC 9449 §7)
  token_missing: ['absent', 'an access token is required'],
  request_ambiguous: ['request', 'the request carries more than one set of credentials'],
  authorization_malformed: ['request', 'the Authorization header is malformed'],
  // Token (RFC 9068 §4, RFC 8725 §3)
  token_malformed: ['token', 'the token is malformed'],
  token_type_wrong: ['token', 'the token is not an access token'],
  algorithm_refused: ['token', 'the signature algorithm is not accepted'],
  key_unknown: ['token', 'the signing key is not known'],
  signature_invalid: ['token', 'the signature does not verify'],
  keys_unavailable: ['outage', 'the keys of the issuer cannot be read'],
  issuer_mismatch: ['token', 'the token is of another issuer'],
  audience_mismatch: ['token', 'the token is for another audience'],
  claim_malformed: ['token', 'a claim of the token is missing or malformed'],
  token_expired: ['token', 'the token has expired'],
  token_not_yet_valid: ['token', 'the token is not valid yet'],
  // Sender constraint (RFC 7800 §3.1, RFC 8705 §3, RFC 9449 §7)
  binding_missing: ['token', 'the token is not bound to a key'],
  binding_unsupported: ['token', 'the token is bound in a way that cannot be checked'],
  certificate_missing: ['token', 'the token is bound to a certificate and none was presented'],
  certificate_mismatch: ['token', 'the token is bound to another certificate'],
  scheme_mismatch: ['token', 'the token was presented under the wrong scheme'],
  proof_missing: ['proof', 'a proof of possession is required'],
  proof_malformed: ['proof', 'the proof is malformed'],
  proof_type_wrong: ['proof', 'the proof is not a DPoP proof'],
  proof_algorithm_refused: ['proof', 'the algorithm of the proof is not accepted'],
  proof_key_refused: ['proof', 'the key of the proof is not acceptable'],
  proof_signature_invalid: ['proof', 'the signature of the proof does not verify'],
  proof_method_mismatch: ['proof', 'the proof is for another method'],
  proof_url_mismatch: ['proof', 'the proof is for another URL'],
  proof_token_mismatch: ['proof', 'the proof is for another token'],
  proof_time_refused: ['proof', 'the proof was not made just now'],
  proof_key_mismatch: ['token', 'the token is bound to another key'],
  proof_replayed: ['proof', 'the proof has been used before'],
  replay_unavailable: ['outage', 'the use of the proof cannot be recorded'],
  // What the route asks for
  delegation_required: ['scope', 'the token was not delegated'],
  scope_insufficient: ['scope', 'the token lacks the scope this needs'],
} as const

export type ChainReason = keyof typeof CHAIN_TEXTS
export type VerificationReason = ChainReason | keyof typeof OTHER_TEXTS

export const VERIFICATION_REASONS: Readonly<Record<VerificationReason, ReasonEntry>> =
  Object.fromEntries(
    Object.entries({ ...OTHER_TEXTS, ...CHAIN_TEXTS }).map(([reason, [kind, text]]) => [
      reason,
      { ...CLASSES[kind], text },
    ]),
  ) as Record<VerificationReason, ReasonEntry>

/** A refusal. It carries its reason and nothing of what was refused: it is safe to log and to answer with. */
export class VerificationError extends Error {
  override readonly name: string = 'VerificationError'
  readonly reason: VerificationReason

  constructor(reason: VerificationReason) {
    super(VERIFICATION_REASONS[reason].text)
    this.reason = reason
  }
}
