/** Which keys the issuer says are its own (K04): its feed says so as it happens, and every list as of when it was signed. */
import type { KeySource } from '../jwks.ts'
import { MAX_KEYS } from '../key-set.ts'
import type { JsonValue } from '../strict-json.ts'
import { StatementRefused } from './statement.ts'

/** `kids` of a statement that the key `kid` signed. Throws StatementRefused. */
export function readKids(value: JsonValue | undefined, kid: string): readonly string[] {
  const named: readonly JsonValue[] = Array.isArray(value) ? value : []
  if (named.length === 0 || named.length > MAX_KEYS)
    throw new StatementRefused('it names no keys, or too many')
  const kids = named.map((name) => {
    if (typeof name !== 'string') throw new StatementRefused('a key it names has no name')
    return name
  })
  // A key that was taken back cannot say which keys are good.
  if (!kids.includes(kid)) throw new StatementRefused('its own key is not among the keys it names')
  return kids
}

export class KeyNews {
  readonly #keys: KeySource
  /** Of the newest statement that was heard; seconds since the epoch. */
  #asOf = 0
  #names = ''

  constructor(keys: KeySource) {
    this.#keys = keys
  }

  /** Keys that are not named are gone now; those that are named first are read soon. From the feed, whose messages are in order. */
  take(kids: readonly string[], iat: number): void {
    this.#asOf = Math.max(this.#asOf, iat)
    this.#keys.retain(kids)
    const names = JSON.stringify(kids.toSorted())
    if (names === this.#names) return
    this.#names = names
    this.#keys.refresh().catch(() => undefined)
  }

  /** From a list, which may have been kept on its way: an old one brings no key back. */
  takeNewer(kids: readonly string[], iat: number): void {
    if (iat > this.#asOf) this.take(kids, iat)
  }
}
