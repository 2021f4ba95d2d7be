/** The clock (docs/chain-format.md §2, rule 8): the last second in which something holds, and the first in which it does not. */
import type { Configuration } from '../../../conformance/vectors/vector.ts'
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import {
  aChain,
  agent,
  aProof,
  aToken,
  type Changes,
  changed,
  NOW,
  reportOf,
  withProof,
} from './material.ts'
import { accepted, type Draft, rejected, type Theme } from './theme.ts'

const RULE = 'chain-format §2.8'

interface Edge {
  readonly title: string
  readonly now: number
  readonly reason?: VerificationReason
  readonly changes?: Changes
  readonly configuration?: Partial<Configuration>
}

/** Of a token of three hops: made at NOW - 8, ending at NOW + 288. */
function edges(): readonly Edge[] {
  const [begin, end] = [NOW - 8, NOW + 288]
  const strict = { clock_tolerance: 0 }
  const loose = { clock_tolerance: 2 }
  const notBefore = { nbf: NOW + 20 }
  const expired = 'token_expired'
  const early = 'token_not_yet_valid'
  return [
    { title: 'the last second of a token', now: end - 1 },
    { title: 'the end of a token, within the tolerance', now: end },
    { title: 'the last second of the tolerance after a token’s end', now: end + 4 },
    { title: 'the end of the tolerance after a token’s end', now: end + 5, reason: expired },
    { title: 'long after a token’s end', now: end + 86_400, reason: expired },
    { title: 'the last second of a token, without tolerance', now: end - 1, configuration: strict },
    {
      title: 'the end of a token, without tolerance',
      now: end,
      reason: expired,
      configuration: strict,
    },
    {
      title: 'a part of a second before the end, without tolerance',
      now: end - 0.25,
      configuration: strict,
    },
    {
      title: 'a part of a second after the end, without tolerance',
      now: end + 0.25,
      reason: expired,
      configuration: strict,
    },
    { title: 'a second after the end, two are tolerated', now: end + 1, configuration: loose },
    {
      title: 'two seconds after the end, two are tolerated',
      now: end + 2,
      reason: expired,
      configuration: loose,
    },
    { title: 'the second in which a token is made', now: begin },
    { title: 'five seconds before a token is made', now: begin - 5 },
    { title: 'six seconds before a token is made', now: begin - 6, reason: early },
    {
      title: 'the second in which a token is made, without tolerance',
      now: begin,
      configuration: strict,
    },
    {
      title: 'a second before a token is made, without tolerance',
      now: begin - 1,
      reason: early,
      configuration: strict,
    },
    {
      title: 'a part of a second before a token is made, without tolerance',
      now: begin - 0.25,
      reason: early,
      configuration: strict,
    },
    { title: 'a day before a token is made', now: begin - 86_400, reason: early },
    { title: 'the second before which a token is not valid', now: NOW + 20, changes: notBefore },
    { title: 'five seconds before a token is valid', now: NOW + 15, changes: notBefore },
    {
      title: 'six seconds before a token is valid',
      now: NOW + 14,
      reason: early,
      changes: notBefore,
    },
    {
      title: 'a second before a token is valid, without tolerance',
      now: NOW + 19,
      reason: early,
      changes: notBefore,
      configuration: strict,
    },
    {
      title: 'a token that is valid only after its end',
      now: NOW,
      reason: early,
      changes: { nbf: NOW + 900 },
    },
    {
      title: 'an end and a beginning of which neither holds',
      now: NOW + 293,
      reason: expired,
      changes: { nbf: NOW + 900 },
    },
    { title: 'a sign-in that is ahead of the clock', now: NOW, changes: { auth_time: NOW + 900 } },
  ]
}

function drafted({ title, now, reason, changes = {}, configuration }: Edge): Draft {
  const claims = changed(aChain(), changes)
  const circumstances = { now, configuration: { bearer: 'allowed' as const, ...configuration } }
  const rules = [RULE, 'RFC 7519 §4.1']
  return reason === undefined
    ? accepted(title, rules, { token: aToken(claims), ...circumstances }, reportOf(claims))
    : rejected(title, rules, { token: aToken(claims), ...circumstances }, [reason])
}

/** Between hops there is one clock, the issuer's: nothing is tolerated. */
function hops(): Draft[] {
  const row = (title: string, changes: Changes, reason: VerificationReason): Draft =>
    rejected(
      title,
      ['chain-format §2.4', RULE],
      {
        token: aToken(changed(aChain(), changes)),
        configuration: { bearer: 'allowed', clock_tolerance: 5 },
      },
      [reason],
    )
  return [
    row(
      'a hop that ends a second after its parent',
      { 'act_bounds.hops.1.exp': 301 },
      'hop_outlives_parent',
    ),
    row(
      'a hop that begins a second before its parent',
      { 'act_bounds.hops.2.iat': 1, 'act_bounds.hops.1.iat': 0 },
      'hop_issued_outside_parent',
    ),
    row(
      'a first hop that ends a second after the root',
      { 'act_bounds.root.exp': NOW + 289 },
      'hop_outlives_parent',
    ),
    row('a token that ends a second before its hop', { exp: NOW + 287 }, 'token_times_mismatch'),
    row('a token that begins a second before its hop', { iat: NOW - 9 }, 'token_times_mismatch'),
  ]
}

/** An earlier hop’s end is no time of the token: the chain only has to narrow. */
function history(): Draft[] {
  const claims = changed(aChain(), { 'act_bounds.hops.0.exp': 11, exp: NOW + 1 })
  const circumstances = { now: NOW, configuration: { bearer: 'allowed' as const } }
  const rest = changed(aChain(), { 'act_bounds.root.exp': NOW + 290 })
  return [
    accepted(
      'a token that ends long before its chain',
      ['chain-format §2.4'],
      { token: aToken(claims), ...circumstances },
      reportOf(claims),
    ),
    accepted(
      'a root that ends with the first hop',
      ['chain-format §2.4'],
      { token: aToken(rest), ...circumstances },
      reportOf(rest),
    ),
  ]
}

/** RFC 9449 §11.1: a proof holds for a minute either way, with no tolerance on top. */
function proofs(): Draft[] {
  const claims: Claims = aChain({ cnf: { jkt: agent.thumbprint } })
  const token = aToken(claims)
  const request = (ahead: number) => ({ request: withProof(aProof(token, { iat: NOW + ahead })) })
  return [
    ...[-60, -59, 59, 60].map((ahead) =>
      accepted(
        `a proof made ${ahead} seconds from now`,
        ['RFC 9449 §11.1'],
        { token, ...request(ahead) },
        reportOf(claims),
      ),
    ),
    ...[-66, -65, -61, 61, 65].map((ahead) =>
      rejected(
        `a proof made ${ahead} seconds from now`,
        ['RFC 9449 §11.1', RULE],
        { token, ...request(ahead) },
        ['proof_time_refused'],
      ),
    ),
    rejected(
      'a proof that is a part of a second too old',
      ['RFC 9449 §11.1'],
      { token, ...request(-60.5) },
      ['proof_time_refused'],
    ),
    rejected(
      'a token that ended, with a proof made just now',
      [RULE],
      { token, request: withProof(aProof(token, { iat: NOW + 293 })), now: NOW + 293 },
      ['token_expired'],
    ),
  ]
}

export function clock(): Theme {
  return {
    name: 'clock',
    description:
      'The last second in which a token or a proof holds, and the first in which it does not. Edges of status lists are in status.json.',
    vectors: [...edges().map(drafted), ...hops(), ...history(), ...proofs()],
  }
}
