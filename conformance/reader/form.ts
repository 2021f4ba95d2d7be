/** Rule 1 of docs/chain-format.md §2: the form of `txn`, `status` and `act_bounds`. */
import { isObject, type Json, type JsonObject } from './json.ts'
import { isCountedChain } from './length.ts'
import {
  firstBroken,
  hasOnly,
  isCount,
  isFilledText,
  isMembers,
  objectAt,
  optional,
  passes,
  type Sentence,
  type Test,
} from './sentence.ts'

const BASES = ['consent', 'policy', 'approval', 'client']
const MOST_ENTRIES = 31

const isList: Test = (value) => Array.isArray(value)
const isBasis: Test = (value) => BASES.some((basis) => basis === value)
/** RFC 6749 §3.3 */
const isScopeToken: Test = (value) => /^[!#-[\]-~]+$/.test(typeof value === 'string' ? value : '')
/** RFC 3986 §4.3: a scheme, and what may follow it up to a fragment. */
const isAbsoluteUri: Test = (value) =>
  /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]+$/.test(
    typeof value === 'string' ? value : '',
  )

const ENVELOPE: readonly Sentence<JsonObject>[] = [
  ['bounds_missing', (claims) => ['txn', 'status', 'act_bounds'].every((name) => claims.has(name))],
  [
    'bounds_malformed',
    (claims) => passes(claims, { txn: isFilledText, status: isMembers, act_bounds: isMembers }),
  ],
  ['bounds_malformed', (claims) => passes(objectAt(claims, 'status'), { status_list: isMembers })],
  ['bounds_malformed', (claims) => passes(referenceOf(claims), { uri: isFilledText })],
  ['bounds_number_invalid', (claims) => passes(referenceOf(claims), { idx: isCount })],
]

const BOUNDS: readonly Sentence<JsonObject>[] = [
  ['bounds_version_unsupported', (bounds) => bounds.get('v') === 1],
  ['bounds_member_unknown', (bounds) => hasOnly(bounds, ['v', 'root', 'hops'])],
  ['bounds_malformed', (bounds) => passes(bounds, { root: isMembers, hops: isList })],
  // Of rule 2, but counted before any is read.
  ['hop_count_invalid', isCountedChain],
]

const ROOT_NAMES = ['jti', 'idx', 'iat', 'exp', 'max_depth', 'basis', 'scope', 'reach']
const ROOT: readonly Sentence<JsonObject>[] = [
  ['bounds_member_unknown', (root) => hasOnly(root, ROOT_NAMES)],
  ['bounds_malformed', (root) => passes(root, { jti: isFilledText, basis: isBasis })],
  [
    'bounds_number_invalid',
    (root) => passes(root, { idx: isCount, iat: isCount, exp: isCount, max_depth: isCount }),
  ],
  ['root_scope_invalid', (root) => isListOf(root.get('scope'), isScopeToken)],
  ['root_reach_invalid', (root) => isListOf(root.get('reach'), isAbsoluteUri)],
]

const HOP_NAMES = ['jti', 'idx', 'scope', 'reach', 'aud', 'iat', 'exp']
const HOP_OPTIONS = ['approval', 'decision', 'max_depth']
const HOP: readonly Sentence<JsonObject>[] = [
  ['bounds_member_unknown', (hop) => hasOnly(hop, [...HOP_NAMES, ...HOP_OPTIONS])],
  [
    'bounds_malformed',
    (hop) =>
      passes(hop, {
        jti: isFilledText,
        approval: optional(isFilledText),
        decision: optional(isFilledText),
      }),
  ],
  [
    'bounds_number_invalid',
    (hop) =>
      passes(hop, { idx: isCount, iat: isCount, exp: isCount, max_depth: optional(isCount) }),
  ],
]

export function formFault(claims: JsonObject): string | undefined {
  const bounds = objectAt(claims, 'act_bounds')
  return (
    firstBroken(claims, ENVELOPE) ??
    firstBroken(bounds, BOUNDS) ??
    firstBroken(objectAt(bounds, 'root'), ROOT) ??
    hopsFault(bounds.get('hops'))
  )
}

function hopsFault(hops: Json | undefined): string | undefined {
  const faults = (Array.isArray(hops) ? hops : []).map((hop: Json) =>
    isObject(hop) ? firstBroken(hop, HOP) : 'bounds_malformed',
  )
  return faults.find((fault) => fault !== undefined)
}

function referenceOf(claims: JsonObject): JsonObject {
  return objectAt(objectAt(claims, 'status'), 'status_list')
}

/** 1 to 31 entries that differ, each of which passes. */
function isListOf(value: Json | undefined, test: Test): boolean {
  if (!Array.isArray(value) || value.length < 1 || value.length > MOST_ENTRIES) return false
  return new Set(value).size === value.length && value.every(test)
}
