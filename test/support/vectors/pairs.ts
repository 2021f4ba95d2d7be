/** Two rules broken in one token: the order of the checks says which reason is given. */
import type { VectorRequest } from '../../../conformance/vectors/vector.ts'
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import { aListToken, published } from './lists.ts'
import {
  API,
  aChain,
  agent,
  aProof,
  aToken,
  type Changes,
  changed,
  es256,
  ISSUER,
  NOW,
  stranger,
} from './material.ts'
import { base64urlSha256 } from './signer.ts'
import { type Circumstances, type Draft, rejected, type Theme } from './theme.ts'

/** One rule broken, by changes that leave the others alone. */
interface Fault {
  readonly reason: VerificationReason
  readonly rule: string
  readonly title: string
  readonly claims?: Changes
  readonly header?: Claims
  /** By a stranger, under the issuer's kid. */
  readonly forged?: true
  readonly later?: number
  readonly revoked?: true
  readonly proof?: Claims
  readonly request?: Partial<VectorRequest>
  readonly need?: Circumstances['configuration']
}

/** In the order of the checks. */
const FAULTS: readonly Fault[] = [
  { reason: 'token_malformed', rule: 'RFC 7515 §4.1.11', title: 'crit', header: { crit: ['x'] } },
  { reason: 'token_type_wrong', rule: 'RFC 9068 §4', title: 'typ JWT', header: { typ: 'JWT' } },
  {
    reason: 'algorithm_refused',
    rule: 'RFC 8725 §3.1',
    title: 'alg HS256',
    header: { alg: 'HS256' },
  },
  {
    reason: 'issuer_mismatch',
    rule: 'RFC 9068 §4',
    title: 'another issuer',
    claims: { iss: `${ISSUER}2` },
  },
  {
    reason: 'key_unknown',
    rule: 'RFC 7515 §4.1.4',
    title: 'a kid nobody knows',
    header: { kid: 'other' },
  },
  {
    reason: 'signature_invalid',
    rule: 'RFC 7515 §5.2',
    title: 'a stranger’s signature',
    forged: true,
  },
  {
    reason: 'audience_mismatch',
    rule: 'RFC 9068 §4',
    title: 'another audience',
    claims: { aud: `${API}2` },
  },
  {
    reason: 'claim_malformed',
    rule: 'RFC 9068 §2.2',
    title: 'an acr that is a number',
    claims: { acr: 1 },
  },
  {
    reason: 'bounds_missing',
    rule: 'chain-format §2.1',
    title: 'no txn',
    claims: { txn: undefined },
  },
  {
    reason: 'bounds_malformed',
    rule: 'chain-format §2.1',
    title: 'an empty uri of the list',
    claims: { 'status.status_list.uri': '' },
  },
  {
    reason: 'bounds_version_unsupported',
    rule: 'chain-format §2.1',
    title: 'version 2',
    claims: { 'act_bounds.v': 2 },
  },
  {
    reason: 'bounds_member_unknown',
    rule: 'chain-format §2.1',
    title: 'a member of act_bounds that is not listed',
    claims: { 'act_bounds.x': 1 },
  },
  {
    reason: 'hop_count_invalid',
    rule: 'chain-format §2.2',
    title: 'nine hops',
    claims: {
      'act_bounds.hops': Array.from({ length: 9 }, (_, at) => ({
        jti: `j${at}`,
        idx: at,
        scope: 1,
        reach: 1,
        aud: 0,
        iat: 0,
        exp: 9,
      })),
    },
  },
  {
    reason: 'bounds_number_invalid',
    rule: 'chain-format §2.1',
    title: 'a negative index of the root',
    claims: { 'act_bounds.root.idx': -1 },
  },
  {
    reason: 'root_scope_invalid',
    rule: 'chain-format §2.1',
    title: 'a scope of the root with a quote',
    claims: { 'act_bounds.root.scope.0': 'a"b' },
  },
  {
    reason: 'root_reach_invalid',
    rule: 'chain-format §2.1',
    title: 'a relative place',
    claims: { 'act_bounds.root.reach.0': '/a' },
  },
  {
    reason: 'actor_malformed',
    rule: 'chain-format §2.3',
    title: 'an empty sub of an actor',
    claims: { 'act.act.sub': '' },
  },
  {
    reason: 'actor_member_unknown',
    rule: 'chain-format §2.3',
    title: 'an end in an actor',
    claims: { 'act.act.exp': NOW },
  },
  {
    reason: 'actor_issuer_mismatch',
    rule: 'chain-format §2.3',
    title: 'an actor of another issuer',
    claims: { 'act.act.iss': `${ISSUER}2` },
  },
  {
    reason: 'actor_count_mismatch',
    rule: 'chain-format §2.2',
    title: 'one level of act more than hops',
    claims: { 'act.act.act.act': { sub: 'x', iss: ISSUER } },
  },
  {
    reason: 'depth_exceeded',
    rule: 'chain-format §2.2',
    title: 'a root that allows one hop less',
    claims: { 'act_bounds.root.max_depth': 2 },
  },
  {
    reason: 'hop_mask_invalid',
    rule: 'chain-format §2.4',
    title: 'an empty scope of the oldest hop',
    claims: { 'act_bounds.hops.2.scope': 0 },
  },
  {
    reason: 'hop_scope_widened',
    rule: 'chain-format §2.4',
    title: 'a scope the parent lost',
    claims: { 'act_bounds.hops.1.scope': 14, 'act_bounds.hops.2.scope': 13 },
  },
  {
    reason: 'hop_reach_widened',
    rule: 'chain-format §2.4',
    title: 'a place the parent lost',
    claims: { 'act_bounds.hops.1.reach': 15, 'act_bounds.hops.2.reach': 14 },
  },
  {
    reason: 'hop_audience_invalid',
    rule: 'chain-format §2.4',
    title: 'an audience past the list',
    claims: { 'act_bounds.hops.1.aud': 4 },
  },
  {
    reason: 'hop_issued_outside_parent',
    rule: 'chain-format §2.4',
    title: 'a hop made before its parent',
    claims: { 'act_bounds.hops.2.iat': 2 },
  },
  {
    reason: 'hop_lifetime_invalid',
    rule: 'chain-format §2.4',
    title: 'a newest hop that ends when it begins',
    claims: { 'act_bounds.hops.0.exp': 2 },
  },
  {
    reason: 'hop_outlives_parent',
    rule: 'chain-format §2.4',
    title: 'a newest hop that outlives its parent',
    claims: { 'act_bounds.hops.0.exp': 301 },
  },
  {
    reason: 'hop_depth_raised',
    rule: 'chain-format §2.4',
    title: 'a newest hop that raises the depth',
    claims: { 'act_bounds.hops.0.max_depth': 9 },
  },
  {
    reason: 'hop_id_repeated',
    rule: 'chain-format §2.5',
    title: 'an id twice',
    claims: { 'act_bounds.hops.1.jti': 'root-Tz4bXq' },
  },
  {
    reason: 'hop_index_repeated',
    rule: 'chain-format §2.5',
    title: 'an index twice',
    claims: { 'act_bounds.hops.1.idx': 2 },
  },
  {
    reason: 'token_id_mismatch',
    rule: 'chain-format §2.5',
    title: 'another jti',
    claims: { jti: 'other' },
  },
  {
    reason: 'token_index_mismatch',
    rule: 'chain-format §2.5',
    title: 'another index',
    claims: { 'status.status_list.idx': 60 },
  },
  {
    reason: 'token_times_mismatch',
    rule: 'chain-format §2.5',
    title: 'an end of its own',
    claims: { exp: NOW + 280 },
  },
  {
    reason: 'token_scope_mismatch',
    rule: 'chain-format §2.5',
    title: 'a scope more',
    claims: { scope: 'docs:read crm:read ledger:read ledger:propose' },
  },
  {
    reason: 'client_mismatch',
    rule: 'chain-format §2.5',
    title: 'another client_id',
    claims: { client_id: 'planner' },
  },
  {
    reason: 'subject_in_chain',
    rule: 'chain-format §2.5',
    title: 'a subject that is an actor',
    claims: { sub: 'planner' },
  },
  { reason: 'token_expired', rule: 'chain-format §2.8', title: 'after its end', later: 600 },
  {
    reason: 'token_not_yet_valid',
    rule: 'chain-format §2.8',
    title: 'not valid for an hour',
    claims: { nbf: NOW + 3600 },
  },
  { reason: 'token_revoked', rule: 'chain-format §2.6', title: 'revoked', revoked: true },
  {
    reason: 'binding_unsupported',
    rule: 'chain-format §2.8',
    title: 'an unknown member of cnf',
    claims: { 'cnf.kid': 'x' },
  },
  {
    reason: 'scheme_mismatch',
    rule: 'chain-format §2.8',
    title: 'under Bearer',
    request: { scheme: 'Bearer' },
  },
  {
    reason: 'certificate_missing',
    rule: 'chain-format §2.8',
    title: 'no certificate',
    claims: { 'cnf.x5t#S256': base64urlSha256('x') },
  },
  {
    reason: 'proof_method_mismatch',
    rule: 'RFC 9449 §4.3',
    title: 'a proof for another method',
    proof: { htm: 'POST' },
  },
  {
    reason: 'proof_url_mismatch',
    rule: 'RFC 9449 §4.3',
    title: 'a proof for another URL',
    proof: { htu: API },
  },
  {
    reason: 'proof_time_refused',
    rule: 'RFC 9449 §4.3',
    title: 'an old proof',
    proof: { iat: NOW - 61 },
  },
  {
    reason: 'proof_token_mismatch',
    rule: 'RFC 9449 §4.3',
    title: 'a proof for another token',
    proof: { ath: base64urlSha256('x') },
  },
  {
    reason: 'chain_too_long',
    rule: 'chain-format §2.2',
    title: 'longer than this resource takes',
    need: { max_hops: 2 },
  },
  {
    reason: 'scope_insufficient',
    rule: 'RFC 6750 §3.1',
    title: 'a scope nobody has',
    need: { required_scope: 'mail:send' },
  },
]

/** How far apart the two are in the list: next to each other, and in every other stage. */
const STRIDES = [1, 7, 19]
const TOUCHING: readonly (readonly [VerificationReason, VerificationReason])[] = [
  // Both about one member: there is no token that breaks both.
  ['hop_lifetime_invalid', 'hop_outlives_parent'],
]

function areApart(one: Fault, other: Fault): boolean {
  const paths = (fault: Fault): readonly string[] => [
    ...Object.keys(fault.claims ?? {}),
    ...Object.keys(fault.header ?? {}).map((name) => `header.${name}`),
  ]
  const isUnder = (path: string, other: string): boolean =>
    path === other || path.startsWith(`${other}.`)
  const clash = paths(one).some((a) => paths(other).some((b) => isUnder(a, b) || isUnder(b, a)))
  return !clash && !TOUCHING.some(([a, b]) => a === one.reason && b === other.reason)
}

function both(one: Fault, other: Fault): Draft {
  const faults = [one, other]
  const needsProof = faults.some(
    ({ proof, request, claims }) =>
      proof !== undefined ||
      request !== undefined ||
      Object.keys(claims ?? {}).some((path) => path.startsWith('cnf')),
  )
  const changes: Changes = { ...one.claims, ...other.claims }
  const claims = changed(aChain(needsProof ? { cnf: { jkt: agent.thumbprint } } : {}), changes)
  const header = { ...one.header, ...other.header }
  const isForged = faults.some(({ forged }) => forged === true)
  const token = isForged
    ? aToken(claims, { kid: es256.kid, ...header }, stranger)
    : aToken(claims, header)
  const proof = aProof(token, { ...one.proof, ...other.proof })
  const given: VectorRequest = {
    method: 'GET',
    url: `${API}/entries`,
    ...(needsProof ? { scheme: 'DPoP', proof } : { scheme: 'Bearer' }),
    ...one.request,
    ...other.request,
  }
  const later = one.later ?? other.later
  const isRevoked = faults.some(({ revoked }) => revoked === true)
  return rejected(
    `${one.title}; ${other.title}`,
    [one.rule, other.rule],
    {
      token,
      ...(later === undefined ? {} : { now: NOW + later }),
      request: given,
      configuration: {
        ...one.need,
        ...other.need,
        ...(isRevoked ? { revocation: 'required' } : {}),
      },
      ...(isRevoked ? { status_lists: published(aListToken({ statuses: { 2: 1 } })) } : {}),
    },
    [one.reason, other.reason],
  )
}

export function pairs(): Theme {
  const vectors = STRIDES.flatMap((stride) =>
    FAULTS.flatMap((one, at) => {
      const other = FAULTS[at + stride]
      return other !== undefined && areApart(one, other) ? [both(one, other)] : []
    }),
  )
  return {
    name: 'pairs',
    description:
      'Two different rules broken in one token. `reason` is of the check that comes first, `or` has the other one.',
    configuration: { bearer: 'allowed' },
    vectors,
  }
}
