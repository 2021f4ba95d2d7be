/** `act_bounds` once its form is known: the same members, typed (docs/chain-format.md §1). */
import { isObject, type Json, type JsonObject } from './json.ts'
import { listAt, numberAt, objectAt, textAt } from './sentence.ts'

export interface Bounds {
  readonly basis: string
  readonly root: Entry
  readonly maxDepth: number
  readonly scope: readonly string[]
  readonly reach: readonly string[]
  readonly exp: number
  /** Newest first. */
  readonly hops: readonly Hop[]
}

/** What has an id, a status index and a beginning. */
export interface Entry {
  readonly jti: string
  readonly idx: number
  readonly iat: number
}

export interface Hop extends Entry {
  readonly exp: number
  /** As they came: rule 4 says what they are. */
  readonly scope: Json | undefined
  readonly reach: Json | undefined
  readonly aud: Json | undefined
  readonly maxDepth: number | undefined
}

export function boundsOf(claims: JsonObject): Bounds {
  const bounds = objectAt(claims, 'act_bounds')
  const root = objectAt(bounds, 'root')
  return {
    basis: textAt(root, 'basis'),
    root: entryOf(root),
    maxDepth: numberAt(root, 'max_depth'),
    scope: listAt(root, 'scope').map(String),
    reach: listAt(root, 'reach').map(String),
    exp: numberAt(root, 'exp'),
    hops: listAt(bounds, 'hops').filter(isObject).map(hopOf),
  }
}

function entryOf(object: JsonObject): Entry {
  const [idx, iat] = [numberAt(object, 'idx'), numberAt(object, 'iat')]
  return { jti: textAt(object, 'jti'), idx, iat }
}

function hopOf(hop: JsonObject): Hop {
  return {
    ...entryOf(hop),
    exp: numberAt(hop, 'exp'),
    scope: hop.get('scope'),
    reach: hop.get('reach'),
    aud: hop.get('aud'),
    maxDepth: hop.has('max_depth') ? numberAt(hop, 'max_depth') : undefined,
  }
}

/** Entries of a root's list whose bit is set; bit 0 is the first entry. */
export function namesOf(list: readonly string[], mask: Json | undefined): readonly string[] {
  const set = bitsOf(mask)
  return list.filter((_, at) => set.has(at))
}

/** Numbers of the bits that are set, from the digits of the number in base two: no operator has a width here. */
export function bitsOf(mask: Json | undefined): ReadonlySet<number> {
  const digits = BigInt(Number(mask)).toString(2)
  return new Set(
    digits.split('').flatMap((digit, at) => (digit === '1' ? [digits.length - 1 - at] : [])),
  )
}
