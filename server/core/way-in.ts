/**
 * By what right may the caller exchange this subject token (docs/chain-format.md §3)? Decided by the verified claims,
 * never by which parameters were sent: possession is not permission. Until a way in is established every refusal has
 * one public reason.
 */
import type { ForeignToken, OwnToken, ProvenKey, SubjectToken } from './input-token.ts'
import { isReplaced } from './live-actors.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Agent, Tenant } from './tenant.ts'

export type WayIn =
  | { readonly kind: 'holder'; readonly token: OwnToken }
  | { readonly kind: 'recipient'; readonly token: OwnToken }
  | { readonly kind: 'root'; readonly token: ForeignToken }

/** `caller` is the authenticated client; `proven` the key of its proof. */
export function findWayIn(
  tenant: Tenant,
  caller: Agent,
  subject: SubjectToken,
  proven: ProvenKey,
): WayIn | Refusal {
  return subject.kind === 'own'
    ? findOwnWayIn(tenant, caller, subject, proven)
    : findRoot(tenant, caller, subject)
}

function findOwnWayIn(
  tenant: Tenant,
  caller: Agent,
  token: OwnToken,
  proven: ProvenKey,
): WayIn | Refusal {
  const { claims } = token
  const audience = tenant.resourcesByUri.get(claims.aud)
  // API tokens end: nobody's subject token, not even their holder's.
  if (audience?.kind !== 'agent') return unacceptable('subject_audience_is_no_agent')
  if (claims.client_id === caller.id) {
    return holdsKey(claims.cnf, proven)
      ? { kind: 'holder', token }
      : unacceptable('subject_key_not_proven')
  }
  if (audience.agent !== caller.id) return unacceptable('caller_neither_holder_nor_recipient')
  return { kind: 'recipient', token }
}

function findRoot(tenant: Tenant, caller: Agent, token: ForeignToken): WayIn | Refusal {
  if (token.hasChain) return unacceptable('foreign_chain')
  const known = caller.issuerClients.get(token.issuer.id)
  if (known === undefined) return unacceptable('caller_unknown_at_issuer')
  const [audience, ...others] = token.audience
  if (audience === undefined || others.length > 0)
    return unacceptable('foreign_audience_not_single')
  const isOurs = audience === tenant.issuer || token.issuer.audiences.has(audience)
  const addressed = audience === known || (isOurs && token.client === known)
  if (!addressed) return unacceptable('foreign_audience_mismatch')
  // OpenID Connect Core §3.1.3.7: an authorized party, where named, is the caller too.
  if (token.azp !== undefined && token.azp !== known) return unacceptable('foreign_azp_mismatch')
  // The subject gave it to the agent that bore the id then (attack case E10).
  if (isReplaced(caller, token.issuedAt)) return unacceptable('audience_changed_hands')
  return { kind: 'root', token }
}

/** Every confirmation the token has must be proven now; a token without one was issued to a bearer client. */
export function holdsKey(cnf: OwnToken['claims']['cnf'], proven: ProvenKey): boolean {
  if (cnf === undefined) return true
  const members = Object.entries(cnf)
  return (
    members.length > 0 &&
    members.every(([name, value]) => isMember(name) && proven?.[name] === value)
  )
}

/**
 * A bound token is not exchanged for one that is bound to nothing (docs/chain-format.md §3): its recipient proves a key of its own,
 * of whatever kind its binding is. The sender's it cannot prove; checking that was its duty when the token came.
 */
export function weakensBinding(parent: OwnToken['claims']['cnf'], proven: ProvenKey): boolean {
  return parent !== undefined && proven === undefined
}

/** A confirmation that is not known here is one that was not proven. */
function isMember(name: string): name is keyof NonNullable<ProvenKey> {
  return name === 'jkt' || name === 'x5t#S256'
}

function unacceptable(guard: string): Refusal {
  return refuse('subject_token_unacceptable', guard)
}
