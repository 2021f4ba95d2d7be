/** One message of an issuer's feed: which lists changed, and which keys are its own, as of now. */
import { isCount } from '../bounds-form.ts'
import type { RevocationDeps } from '../revocation.ts'
import { isJsonObject, type JsonValue } from '../strict-json.ts'
import type { Clock } from './freshness.ts'
import { readKids } from './key-news.ts'
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
  const kids = readKids(claims['kids'], kid)
  return { iat, gen, seq, since, lists: readLists(deps.issuer, claims['lists'], seq), kids }
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
