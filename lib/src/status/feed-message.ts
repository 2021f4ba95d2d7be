/** One message of an issuer's feed: which lists changed, and which keys are its own, as of now. */
import { isCount } from '../bounds-form.ts'
import { MAX_KEYS } from '../key-set.ts'
import type { RevocationDeps } from '../revocation.ts'
import { isJsonObject, type JsonValue } from '../strict-json.ts'
import type { Clock } from './freshness.ts'
import { isListUri, readGeneration, readStatement, StatementRefused } from './statement.ts'

const MAX_MESSAGE_LENGTH = 131_072
/** Lists a message may speak of; an issuer has a handful. */
export const MAX_LISTS_NAMED = 1_024

export interface FeedMessage {
  readonly iat: number
  /** Whose numbers these are: those of another store, which was lost, say nothing of this one. */
  readonly gen: string
  /** Nothing changed between the last of these changes and `iat`. */
  readonly seq: number
  /** Every list that changed after this is in `lists`. */
  readonly since: number
  /** By URI, the change at which it changed last. */
  readonly lists: ReadonlyMap<string, number>
  /** Ids of all keys the issuer has. */
  readonly kids: readonly string[]
}

/** Throws StatementRefused. */
export async function readFeedMessage(
  deps: RevocationDeps,
  clock: Clock,
  text: string,
): Promise<FeedMessage> {
  const rules = { typ: 'statusfeed+jwt', maxLength: MAX_MESSAGE_LENGTH }
  const { claims, kid, iat } = await readStatement(deps, clock, text, rules)
  const { seq, since } = claims
  if (!isCount(seq) || !isCount(since) || since > seq)
    throw new StatementRefused('its sequence is none')
  const gen = readGeneration(claims['gen'])
  const kids = readKids(claims['kids'])
  // A key that was taken back cannot say which keys are good.
  if (!kids.includes(kid)) throw new StatementRefused('its own key is not among the keys it names')
  return { iat, gen, seq, since, lists: readLists(deps.issuer, claims['lists'], seq), kids }
}

function readKids(value: JsonValue | undefined): readonly string[] {
  const kids: readonly JsonValue[] = Array.isArray(value) ? value : []
  if (kids.length === 0 || kids.length > MAX_KEYS)
    throw new StatementRefused('it names no keys, or too many')
  return kids.map((kid) => {
    if (typeof kid !== 'string') throw new StatementRefused('a key it names has no name')
    return kid
  })
}

function readLists(
  issuer: string,
  value: JsonValue | undefined,
  seq: number,
): ReadonlyMap<string, number> {
  const entries = isJsonObject(value) ? Object.entries(value) : undefined
  if (entries === undefined || entries.length > MAX_LISTS_NAMED)
    throw new StatementRefused('it names no lists, or too many')
  return new Map(
    entries.map(([uri, changedAt]) => {
      if (!isListUri(issuer, uri))
        throw new StatementRefused('a list it names is none of this issuer')
      if (!isCount(changedAt) || changedAt > seq)
        throw new StatementRefused('a change it names is none')
      return [uri, changedAt]
    }),
  )
}
