/**
 * The chain inside one token (docs/chain-format.md §2, rules 1 to 5): pure, synchronous, iterative and bounded.
 * Claims come from a verified signature; each broken sentence has its own reason.
 */
import type { ActBounds, Actor, BoundsHop, BoundsRoot, DelegatedClaims } from './act-bounds.ts'
import { readChainActors } from './actors.ts'
import { isCount, MAX_HOPS, readBounds } from './bounds-form.ts'
import type { ChainReason } from './errors.ts'
import { addsNothing, fullMask, isMask, scopeNames } from './scope.ts'
import type { JsonObject } from './strict-json.ts'

export interface ChainLimits {
  /** Hops the caller accepts; never more than 8, whatever it says. */
  readonly maxHops?: number
}

export interface Chain {
  readonly bounds: ActBounds
  /** Outermost first; one fewer than hops when the root's basis is `client`. */
  readonly actors: readonly Actor[]
}

export type ChainReading =
  | { readonly ok: true; readonly chain: Chain }
  | { readonly ok: false; readonly reason: ChainReason }

/** Reads the chain, or names the first sentence of rules 1 to 5 it breaks. */
export function readChain(claims: JsonObject, limits: ChainLimits = {}): ChainReading {
  const bounds = readBounds(claims)
  if (typeof bounds === 'string') return { ok: false, reason: bounds }
  const { root, hops } = bounds
  const actors = readChainActors(claims, hops.length - (root.basis === 'client' ? 1 : 0))
  if (typeof actors === 'string') return { ok: false, reason: actors }
  const fault =
    depthFault(bounds) ??
    narrowingFault(bounds) ??
    repetitionFault(bounds) ??
    tokenFault(claims, bounds) ??
    partiesFault(claims, actors)
  if (fault !== undefined) return { ok: false, reason: fault }
  // The caller's own limit comes last: a token that breaks its own bounds is invalid, not merely too long.
  if (hops.length > (limits.maxHops ?? MAX_HOPS)) return { ok: false, reason: 'chain_too_long' }
  return { ok: true, chain: { bounds, actors } }
}

/** Rule 2: no more hops than the root or any hop allows. */
function depthFault({ root, hops }: ActBounds): ChainReason | undefined {
  const allowed = hops.reduce(
    (least, hop) => Math.min(least, hop.max_depth ?? least),
    root.max_depth,
  )
  return hops.length > allowed ? 'depth_exceeded' : undefined
}

/** What a hop is held against: its parent, or for the oldest the root with every bit set. */
type Parent = Pick<BoundsHop, 'scope' | 'reach' | 'iat' | 'exp'> & { readonly max_depth: number }

/** Rule 4, from the oldest hop to the newest. */
function narrowingFault({ root, hops }: ActBounds): ChainReason | undefined {
  let parent: Parent = {
    scope: fullMask(root.scope),
    reach: fullMask(root.reach),
    iat: 0,
    exp: root.exp - root.iat,
    max_depth: root.max_depth,
  }
  for (let at = hops.length - 1; at >= 0; at--) {
    const hop = hops[at] as BoundsHop
    const fault = hopFault(parent, hop, root)
    if (fault !== undefined) return fault
    // A hop that says no depth has its parent's.
    parent = { ...parent, ...hop }
  }
  return undefined
}

function hopFault(parent: Parent, hop: BoundsHop, root: BoundsRoot): ChainReason | undefined {
  // Numbers first: `1 << 31` is negative and `1 << 32` is 1, so a bit operation would hide a wide mask.
  if (!isMask(hop.scope, root.scope.length)) return 'hop_mask_invalid'
  if (!isMask(hop.reach, root.reach.length)) return 'hop_mask_invalid'
  if (!addsNothing(parent.scope, hop.scope)) return 'hop_scope_widened'
  if (!addsNothing(parent.reach, hop.reach)) return 'hop_reach_widened'
  if (!isCount(hop.aud) || hop.aud >= root.reach.length) return 'hop_audience_invalid'
  if ((hop.reach & (1 << hop.aud)) === 0) return 'hop_audience_invalid'
  if (hop.iat < parent.iat || hop.iat >= parent.exp) return 'hop_issued_outside_parent'
  if (hop.exp <= hop.iat) return 'hop_lifetime_invalid'
  if (hop.exp > parent.exp) return 'hop_outlives_parent'
  if (hop.max_depth !== undefined && hop.max_depth > parent.max_depth) return 'hop_depth_raised'
  return undefined
}

/** Rule 5: ids and status indexes are each used once. */
function repetitionFault({ root, hops }: ActBounds): ChainReason | undefined {
  const all = [root, ...hops]
  if (new Set(all.map(({ jti }) => jti)).size < all.length) return 'hop_id_repeated'
  if (new Set(all.map(({ idx }) => idx)).size < all.length) return 'hop_index_repeated'
  return undefined
}

/** Rule 5: the token is its newest hop. */
function tokenFault(claims: JsonObject, { root, hops }: ActBounds): ChainReason | undefined {
  const hop = hops[0] as BoundsHop
  if (claims['jti'] !== hop.jti) return 'token_id_mismatch'
  const status = claims['status'] as unknown as DelegatedClaims['status']
  if (status.status_list.idx !== hop.idx) return 'token_index_mismatch'
  if (claims['iat'] !== root.iat + hop.iat || claims['exp'] !== root.iat + hop.exp)
    return 'token_times_mismatch'
  // RFC 7519 §4.1.3 allows a list; this format has one string.
  if (claims['aud'] !== root.reach[hop.aud]) return 'token_audience_mismatch'
  if (claims['scope'] !== scopeNames(root.scope, hop.scope).join(' ')) return 'token_scope_mismatch'
  return undefined
}

function partiesFault(claims: JsonObject, actors: readonly Actor[]): ChainReason | undefined {
  const { sub, client_id } = claims
  if (client_id !== (actors[0]?.sub ?? sub)) return 'client_mismatch'
  if (actors.some((actor) => actor.sub === sub)) return 'subject_in_chain'
  return undefined
}
