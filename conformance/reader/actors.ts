/** Rule 3 of docs/chain-format.md §2, and the count of rule 2: the levels of `act` (RFC 8693 §4.1), from outside. */
import { isObject, type Json, type JsonObject } from './json.ts'
import {
  firstBroken,
  hasOnly,
  isName,
  isText,
  optional,
  passes,
  type Sentence,
  textAt,
} from './sentence.ts'

interface Level {
  readonly actor: JsonObject
  readonly issuer: string
}

const SENTENCES: readonly Sentence<Level>[] = [
  [
    'actor_malformed',
    ({ actor }) => passes(actor, { sub: isName, iss: isText, sub_profile: optional(isText) }),
  ],
  ['actor_member_unknown', ({ actor }) => hasOnly(actor, ['sub', 'iss', 'sub_profile', 'act'])],
  ['actor_issuer_mismatch', ({ actor, issuer }) => actor.get('iss') === issuer],
]

/** Levels there have to be: `count`. No more than that are looked into. */
export function actorsFault(claims: JsonObject, count: number): string | undefined {
  const levels = levelsIn(claims, count + 1)
  for (const level of levels.slice(0, count)) {
    const issuer = textAt(claims, 'iss')
    const fault = isObject(level)
      ? firstBroken({ actor: level, issuer }, SENTENCES)
      : 'actor_malformed'
    if (fault !== undefined) return fault
  }
  return levels.length === count ? undefined : 'actor_count_mismatch'
}

/** Names of the actors, the outermost first. */
export function actorsOf(claims: JsonObject, count: number): readonly string[] {
  return levelsIn(claims, count).map((level) => (isObject(level) ? textAt(level, 'sub') : ''))
}

function levelsIn(claims: JsonObject, most: number): readonly Json[] {
  const levels: Json[] = []
  let level = claims.get('act')
  while (level !== undefined && levels.length < most) {
    levels.push(level)
    level = isObject(level) ? level.get('act') : undefined
  }
  return levels
}
