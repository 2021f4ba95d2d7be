/**
 * A second reader of delegated tokens, written from docs/chain-format.md and the RFCs alone. It shares no line with the verifier
 * that resource servers import, and is built the other way round: slow, plain, one sentence after the other. Where the two
 * disagree, one of them is wrong.
 */
import type { Case, Configuration, Report } from '../vectors/vector.ts'
import { bindingFault } from './binding.ts'
import { namesOf } from './bounds.ts'
import { type Chain, readChain } from './chain.ts'
import { claimsFault, timesFault } from './claims.ts'
import { type Compact, hasType, readCompact } from './compact.ts'
import type { JsonObject } from './json.ts'
import { isSignedBy, type Key, keyFor, keysOf } from './key.ts'
import { numberAt, textAt } from './sentence.ts'
import { isAccepted, statusFault, wantedScope } from './status-list.ts'

export type Verdict =
  | { readonly verdict: 'accept'; readonly report: Report }
  | { readonly verdict: 'reject'; readonly reason: string }

const LONGEST_TOKEN = 16_384
const MOST_HOPS = 8

/** What a verifier has to answer to this case. Never throws, whatever the token is. */
export function readCase(given: Case): Verdict {
  const { token, configuration } = given
  const jws = readCompact(token, LONGEST_TOKEN)
  if (jws === undefined) return rejected('token_malformed')
  const key = keyFor(jws, keysOf(given.jwks))
  const unsigned = signatureFault(jws, key, configuration)
  if (unsigned !== undefined) return rejected(unsigned)
  const claims = jws.payload
  const mistyped = claimsFault(claims, configuration)
  if (mistyped !== undefined) return rejected(mistyped)
  const chain = readChain(claims, textAt(claims, 'sub'))
  if (typeof chain === 'string') return rejected(chain)
  const fault =
    timesFault(claims, configuration, given.now) ??
    (configuration.revocation === 'required'
      ? statusFault(claims, chain.bounds, key?.kid, given)
      : undefined) ??
    bindingFault(claims, given) ??
    needFault(claims, chain, configuration)
  if (fault !== undefined) return rejected(fault)
  return { verdict: 'accept', report: reportOf(claims, chain, configuration) }
}

function rejected(reason: string): Verdict {
  return { verdict: 'reject', reason }
}

/** Of docs/chain-format.md §2, what comes before the first claim is believed. */
function signatureFault(
  jws: Compact,
  key: Key | undefined,
  configuration: Configuration,
): string | undefined {
  if (!hasType(jws, 'at+jwt')) return 'token_type_wrong'
  if (!isAccepted(jws, configuration)) return 'algorithm_refused'
  if (jws.payload.get('iss') !== configuration.issuer) return 'issuer_mismatch'
  if (key === undefined) return 'key_unknown'
  return isSignedBy(jws, key) ? undefined : 'signature_invalid'
}

/** What the resource and the route ask for beyond a token that holds. */
function needFault(
  claims: JsonObject,
  { bounds, agents }: Chain,
  configuration: Configuration,
): string | undefined {
  const { max_hops = MOST_HOPS, delegated } = configuration
  if (bounds.hops.length > max_hops) return 'chain_too_long'
  if (delegated === true && agents[0] === claims.get('sub')) return 'delegation_required'
  const scope = textAt(claims, 'scope').split(' ')
  const wanted = wantedScope(configuration)
  return wanted.every((name) => scope.includes(name)) ? undefined : 'scope_insufficient'
}

function reportOf(
  claims: JsonObject,
  { bounds, agents }: Chain,
  configuration: Configuration,
): Report {
  return {
    subject: textAt(claims, 'sub'),
    actor: agents[0] ?? '',
    chain: agents,
    scope: textAt(claims, 'scope').split(' '),
    ceilings: bounds.hops.map((hop) => ({
      scope: namesOf(bounds.scope, hop.scope),
      reach: namesOf(bounds.reach, hop.reach),
      audience: bounds.reach[Number(hop.aud)] ?? '',
      expires_at: bounds.root.iat + hop.exp,
    })),
    basis: bounds.basis,
    txn: textAt(claims, 'txn'),
    jti: textAt(claims, 'jti'),
    expires_at: numberAt(claims, 'exp'),
    revocation: configuration.revocation === 'required' ? 'checked' : 'not_checked',
  }
}
