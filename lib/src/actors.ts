/**
 * The `act` claim (RFC 8693 §4.1): who acted, outermost first. The outermost actor is the caller; earlier ones
 * are information, never grounds for access.
 */
import type { Actor } from './act-bounds.ts'
import type { ChainReason } from './errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './strict-json.ts'

/** Characters of a subject or an actor. */
export const MAX_NAME_LENGTH = 1024

/** One level of any `act`, as some issuer wrote it. */
export interface ReportedActor {
  readonly sub: string | undefined
  readonly iss: string | undefined
}

const ACTOR_MEMBERS: ReadonlySet<string> = new Set(['sub', 'iss', 'sub_profile', 'act'])

/**
 * Reads the `act` of any issuer, without the bounds of this format: outermost first, empty when absent, undefined
 * when a level is no object or its `sub` or `iss` no string. `exp`, `aud` and the like mean nothing in it.
 */
export function readActors(act: JsonValue | undefined): readonly ReportedActor[] | undefined {
  const actors: ReportedActor[] = []
  for (let level = act; level !== undefined; level = level['act']) {
    if (!isJsonObject(level)) return undefined
    const { sub, iss } = level
    if (sub !== undefined && typeof sub !== 'string') return undefined
    if (iss !== undefined && typeof iss !== 'string') return undefined
    actors.push({ sub, iss })
  }
  return actors
}

/** Exactly `count` actors of this format, outermost first, or the broken sentence of rules 2 and 3. */
export function readChainActors(claims: JsonObject, count: number): readonly Actor[] | ChainReason {
  const actors: Actor[] = []
  let level = claims['act']
  // `count` is at most MAX_HOPS, whatever depth an attacker wrote.
  for (; level !== undefined && actors.length < count; level = level['act']) {
    if (!isJsonObject(level)) return 'actor_malformed'
    const { sub, iss, sub_profile } = level
    if (!isName(sub) || typeof iss !== 'string') return 'actor_malformed'
    if (sub_profile !== undefined && typeof sub_profile !== 'string') return 'actor_malformed'
    if (!Object.keys(level).every((name) => ACTOR_MEMBERS.has(name))) return 'actor_member_unknown'
    if (iss !== claims['iss']) return 'actor_issuer_mismatch'
    actors.push(sub_profile === undefined ? { sub, iss } : { sub, iss, sub_profile })
  }
  return level === undefined && actors.length === count ? actors : 'actor_count_mismatch'
}

/** RFC 8725 §3.8: a subject is a non-empty string of a bounded length. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH
}
