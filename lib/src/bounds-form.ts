/**
 * The form of `txn`, `status` and `act_bounds` (docs/chain-format.md §2, rule 1). What passes here has the
 * types of act-bounds.ts; whether the hops narrow is for chain.ts.
 */
import type { ActBounds, BoundsHop, BoundsRoot } from './act-bounds.ts'
import type { ChainReason } from './errors.ts'
import { isScopeToken, MAX_LIST_LENGTH } from './scope.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './strict-json.ts'

/** A longer chain is refused before its first hop is read. */
export const MAX_HOPS = 8

const BOUNDS_MEMBERS: ReadonlySet<string> = new Set(['v', 'root', 'hops'])
const ROOT_MEMBERS: ReadonlySet<string> = new Set([
  'jti',
  'idx',
  'iat',
  'exp',
  'max_depth',
  'basis',
  'scope',
  'reach',
])
const HOP_MEMBERS: ReadonlySet<string> = new Set([
  'jti',
  'idx',
  'scope',
  'reach',
  'aud',
  'iat',
  'exp',
  'approval',
  'decision',
  'max_depth',
])
const BASES: ReadonlySet<JsonValue | undefined> = new Set([
  'consent',
  'policy',
  'approval',
  'client',
])

// RFC 3986 §4.3: scheme ":" and the characters a URI may have, without the fragment's "#".
const ABSOLUTE_URI = /^[a-z][a-z0-9+.-]*:[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/i

/** Returns the bounds, typed, or the broken sentence of rule 1 (or the hop count of rule 2). */
export function readBounds(claims: JsonObject): ActBounds | ChainReason {
  const { txn, status, act_bounds: bounds } = claims
  if (txn === undefined || status === undefined || bounds === undefined) return 'bounds_missing'
  if (!isId(txn) || !isJsonObject(status) || !isJsonObject(bounds)) return 'bounds_malformed'
  const reference = status['status_list']
  if (!isJsonObject(reference) || !isId(reference['uri'])) return 'bounds_malformed'
  if (!isCount(reference['idx'])) return 'bounds_number_invalid'
  if (bounds['v'] !== 1) return 'bounds_version_unsupported'
  if (!hasOnly(bounds, BOUNDS_MEMBERS)) return 'bounds_member_unknown'
  const { root, hops } = bounds
  if (!isJsonObject(root) || !Array.isArray(hops)) return 'bounds_malformed'
  // The length is attacker-chosen: bounded before the walk begins.
  if (hops.length < 1 || hops.length > MAX_HOPS) return 'hop_count_invalid'
  const fault = rootFault(root) ?? firstFault(hops as readonly JsonValue[])
  return fault ?? (bounds as unknown as ActBounds)
}

function rootFault(root: JsonObject): ChainReason | undefined {
  // `root.prev` is reserved: it falls under the unknown members.
  if (!hasOnly(root, ROOT_MEMBERS)) return 'bounds_member_unknown'
  const { jti, idx, iat, exp, max_depth, basis, scope, reach } = root as Partial<
    Record<keyof BoundsRoot, JsonValue>
  >
  if (!isId(jti) || !BASES.has(basis)) return 'bounds_malformed'
  if (!isCount(idx) || !isCount(iat) || !isCount(exp) || !isCount(max_depth))
    return 'bounds_number_invalid'
  if (!isList(scope, isScopeToken)) return 'root_scope_invalid'
  if (!isList(reach, isAbsoluteUri)) return 'root_reach_invalid'
  return undefined
}

function firstFault(hops: readonly JsonValue[]): ChainReason | undefined {
  for (const hop of hops) {
    const fault = hopFault(hop)
    if (fault !== undefined) return fault
  }
  return undefined
}

function hopFault(hop: JsonValue): ChainReason | undefined {
  if (!isJsonObject(hop)) return 'bounds_malformed'
  if (!hasOnly(hop, HOP_MEMBERS)) return 'bounds_member_unknown'
  const { jti, idx, iat, exp, approval, decision, max_depth } = hop as Partial<
    Record<keyof BoundsHop, JsonValue>
  >
  if (!isId(jti)) return 'bounds_malformed'
  if (approval !== undefined && !isId(approval)) return 'bounds_malformed'
  if (decision !== undefined && !isId(decision)) return 'bounds_malformed'
  if (!isCount(idx) || !isCount(iat) || !isCount(exp)) return 'bounds_number_invalid'
  if (max_depth !== undefined && !isCount(max_depth)) return 'bounds_number_invalid'
  return undefined
}

export function isAbsoluteUri(value: unknown): value is string {
  return typeof value === 'string' && ABSOLUTE_URI.test(value)
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** An index, a depth, or whole seconds (RFC 7519 §2: a NumericDate). */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isList(value: unknown, isEntry: (entry: unknown) => boolean): boolean {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_LIST_LENGTH) return false
  const entries: readonly unknown[] = value
  return entries.every((entry, at) => isEntry(entry) && entries.indexOf(entry) === at)
}

function hasOnly(value: JsonObject, members: ReadonlySet<string>): boolean {
  for (const name of Object.keys(value)) if (!members.has(name)) return false
  return true
}
