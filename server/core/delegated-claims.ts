/**
 * The claims of a new delegated token (docs/chain-format.md §1). The prior `act` is nested whole and the prior hops are
 * carried unchanged: nobody can drop, reorder or edit them.
 */
import type { Actor, BoundsHop, BoundsRoot, DelegatedClaims } from '../../lib/src/act-bounds.ts'
import type { Attenuated } from './attenuate.ts'
import type { Authentication, ProvenKey } from './input-token.ts'
import type { Tenant } from './tenant.ts'

/** What a new token stands on: the token presented, or a root just opened. */
export interface Lineage {
  readonly root: BoundsRoot
  readonly subject: string
  readonly txn: string
  /** Status list id of the task. */
  readonly list: string
  /** Actors above the new holder's level, outermost first; undefined where the holder opens the chain. */
  readonly act: Actor | undefined
  /** Hops below the new one, newest first. */
  readonly hops: readonly BoundsHop[]
  /** Of the parent, seconds since the epoch: a child is never older. */
  readonly issuedAt: number
  readonly authentication: Authentication
}

export interface NewToken {
  readonly tenant: Tenant
  readonly lineage: Lineage
  readonly holder: string
  readonly attenuated: Attenuated
  readonly jti: string
  readonly idx: number
  readonly key: ProvenKey
  readonly now: number
}

export function delegatedClaims(token: NewToken): DelegatedClaims {
  const { tenant, lineage, holder, attenuated, jti, idx, key, now } = token
  const { root, subject } = lineage
  const iat = Math.max(now, lineage.issuedAt)
  const { ceiling, audience } = attenuated
  const hop: BoundsHop = {
    jti,
    idx,
    scope: ceiling.scope,
    reach: ceiling.reach,
    aud: audience,
    iat: iat - root.iat,
    exp: ceiling.expiresAt - root.iat,
    ...(ceiling.maxDepth < inheritedDepth(lineage) ? { max_depth: ceiling.maxDepth } : {}),
  }
  // With basis client the opener is the subject itself, and its own hop has no act level.
  const isOwn = root.basis === 'client' && lineage.act === undefined && holder === subject
  const act: Actor | undefined = isOwn ? undefined : actor(tenant.issuer, holder, lineage.act)
  return {
    iss: tenant.issuer,
    sub: subject,
    sub_profile: root.basis === 'client' ? 'ai_agent' : 'user',
    aud: attenuated.target.uri,
    // RFC 8693 §4.3: the client that requested this token.
    client_id: holder,
    scope: attenuated.scope.join(' '),
    iat,
    exp: ceiling.expiresAt,
    jti,
    txn: lineage.txn,
    ...lineage.authentication,
    ...(key === undefined ? {} : { cnf: key }),
    status: { status_list: { idx, uri: `${tenant.issuer}/status/${lineage.list}` } },
    ...(act === undefined ? {} : { act }),
    act_bounds: { v: 1, root, hops: [hop, ...lineage.hops] },
  }
}

/** The depth cap of root and hops below; a hop says its own only where it is lower. */
function inheritedDepth({ root, hops }: Lineage): number {
  return hops.reduce((least, hop) => Math.min(least, hop.max_depth ?? least), root.max_depth)
}

/** Agent ids of a chain from the root to the holder: its place. Iterative; depth is bounded by the format. */
export function placeOf(claims: DelegatedClaims): readonly string[] {
  const agents: string[] = []
  for (let level = claims.act; level !== undefined; level = level.act) agents.unshift(level.sub)
  return claims.act_bounds.root.basis === 'client' ? [claims.sub, ...agents] : agents
}

function actor(issuer: string, agent: string, below: Actor | undefined): Actor {
  const identity: Actor = { sub: agent, iss: issuer, sub_profile: 'ai_agent' }
  return below === undefined ? identity : { ...identity, act: below }
}
