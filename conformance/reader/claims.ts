/** The token's own claims (RFC 9068 §2.2, §4): the audience, the types of the rest, and the clock. */
import type { Configuration } from '../vectors/vector.ts'
import type { JsonObject } from './json.ts'
import {
  firstBroken,
  isCount,
  isMembers,
  isName,
  isText,
  numberAt,
  optional,
  passes,
  type Sentence,
  type Test,
} from './sentence.ts'

const isListOfTexts: Test = (value) => Array.isArray(value) && value.every(isText)

const TYPES: Readonly<Record<string, Test>> = {
  sub: isName,
  jti: isName,
  client_id: isName,
  scope: isText,
  exp: isCount,
  iat: isCount,
  nbf: optional(isCount),
  cnf: optional(isMembers),
  auth_time: optional(isCount),
  acr: optional(isText),
  amr: optional(isListOfTexts),
  sub_profile: optional(isText),
}

export function claimsFault(claims: JsonObject, { audience }: Configuration): string | undefined {
  // One resource, as a string: RFC 7519 §4.1.3 would allow a list.
  if (claims.get('aud') !== audience) return 'audience_mismatch'
  return passes(claims, TYPES) ? undefined : 'claim_malformed'
}

interface Moment {
  readonly claims: JsonObject
  readonly now: number
  readonly tolerance: number
}

/** RFC 7519 §4.1.4 to §4.1.6. The tolerance counts here and nowhere else. */
const TIMES: readonly Sentence<Moment>[] = [
  ['token_expired', ({ claims, now, tolerance }) => now - tolerance < numberAt(claims, 'exp')],
  [
    'token_not_yet_valid',
    ({ claims, now, tolerance }) => numberAt(claims, 'iat') <= now + tolerance,
  ],
  [
    'token_not_yet_valid',
    ({ claims, now, tolerance }) =>
      !claims.has('nbf') || numberAt(claims, 'nbf') <= now + tolerance,
  ],
]

export function timesFault(
  claims: JsonObject,
  { clock_tolerance: tolerance = 5 }: Configuration,
  now: number,
): string | undefined {
  return firstBroken({ claims, now, tolerance }, TIMES)
}
