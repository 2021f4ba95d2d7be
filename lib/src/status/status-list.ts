/** One status list (Token Status List §5.1, §8.3), verified and unpacked, and what it says of an index. */
import { decodeBase64url } from '../base64url.ts'
import { isCount } from '../bounds-form.ts'
import type { RevocationDeps } from '../revocation.ts'
import { isJsonObject, type JsonValue } from '../strict-json.ts'
import type { Clock } from './freshness.ts'
import { inflate } from './inflate.ts'
import { readKids } from './key-news.ts'
import { readGeneration, readStatement, StatementRefused } from './statement.ts'

/** Bytes, as fetched; and unpacked: 67 million indexes of two bits. */
export const MAX_LIST_BYTES = 1_048_576
const MAX_STATUSES_BYTES = 16_777_216

export interface StatusList {
  readonly uri: string
  /** Whose count `seq` is. */
  readonly gen: string
  /** The issuer's count of changes that this content reflects. */
  readonly seq: number
  /** Seconds since the epoch. */
  readonly iat: number
  readonly exp: number
  /** Ids of all keys the issuer had; undefined where it does not say. */
  readonly kids: readonly string[] | undefined
  /** 1, 2, 4 or 8 for each index. */
  readonly bits: number
  readonly statuses: Uint8Array
}

/** Reads the list that was fetched from `uri`. Throws StatementRefused. */
export async function readStatusList(
  deps: RevocationDeps,
  clock: Clock,
  uri: string,
  text: string,
): Promise<StatusList> {
  const rules = { typ: 'statuslist+jwt', maxLength: MAX_LIST_BYTES }
  const { claims, kid, iat } = await readStatement(deps, clock, text, rules)
  // Token Status List §8.3: a list is good for the one place it names.
  if (claims['sub'] !== uri) throw new StatementRefused('it is another list')
  const { seq, exp } = claims
  if (!isCount(seq)) throw new StatementRefused('it has no sequence')
  // Optional in the specification; here a list without an end is none.
  if (!isCount(exp) || exp <= clock.now()) throw new StatementRefused('it has expired')
  const gen = readGeneration(claims['gen'])
  const named = claims['kids']
  const kids = named === undefined ? undefined : readKids(named, kid)
  return { uri, gen, seq, iat, exp, kids, ...(await readStatuses(claims['status_list'])) }
}

async function readStatuses(
  value: JsonValue | undefined,
): Promise<Pick<StatusList, 'bits' | 'statuses'>> {
  const { bits, lst } = isJsonObject(value) ? value : {}
  if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8)
    throw new StatementRefused('its bits are not 1, 2, 4 or 8')
  const packed = typeof lst === 'string' ? decodeBase64url(lst) : undefined
  const statuses = packed && (await inflate(packed, MAX_STATUSES_BYTES))
  if (statuses === undefined) throw new StatementRefused('its content cannot be unpacked')
  return { bits, statuses }
}

/** Token Status List §7.1 */
export const VALID = 0
export const INVALID = 1
export const SUSPENDED = 2

/**
 * The worst status of these indexes: invalid before suspended before valid; undefined when all are valid but one is not in the list.
 * A status of any other kind is not valid, so it counts as invalid.
 */
export function worstOf(
  { bits, statuses }: StatusList,
  indexes: readonly number[],
): number | undefined {
  const size = (statuses.length * 8) / bits
  const mask = (1 << bits) - 1
  let worst: number | undefined = VALID
  for (const index of indexes) {
    // Compared as a number first: a bit operation would wrap a large index into the list.
    if (index >= size) {
      worst = worst === VALID ? undefined : worst
      continue
    }
    // §4.1: from the lowest bits of the first byte on.
    const at = index * bits
    const status = ((statuses[at >> 3] ?? mask) >> (at & 7)) & mask
    if (status === SUSPENDED) worst = SUSPENDED
    else if (status !== VALID) return INVALID
  }
  return worst
}
