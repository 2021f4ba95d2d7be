/**
 * The keys of the configured issuer: found through its metadata (RFC 8414), cached, and fetched again at a bounded
 * rate whatever tokens arrive. Nothing of a token ever takes part in a URL.
 */
import { type FaultListener, wordsOf } from './fault.ts'
import { type Fetch, fetchJson } from './fetch-bytes.ts'
import { findKey, type KeySet, keepKeys, readKeySet } from './key-set.ts'
import type { SignatureAlgorithm, VerificationKey } from './public-key.ts'
import { readTrustedUrl, type UrlRules, wellKnownUrl } from './url.ts'

/** Seconds a set is used before it is fetched again. */
const FRESH_SECONDS = 600
/** Seconds a set is used at most while fetching fails. */
const LIMIT_SECONDS = 3_600
/** Seconds between two fetches that unknown kids or failures cause; shorter while there is no set at all. */
const COOLDOWN_SECONDS = 30
const FIRST_COOLDOWN_SECONDS = 5
/** The same for fetches that the issuer's own statements cause. */
const STATED_COOLDOWN_SECONDS = 1

export type KeyLookup = VerificationKey | 'unknown' | 'unavailable'

export interface KeySource {
  /** The same object for as long as the key is in the set that is in use. Never throws. */
  find(kid: string | undefined, algorithm: SignatureAlgorithm): Promise<KeyLookup>
  /** Seconds since the set in use was read; undefined for configured keys. */
  age(): number | undefined
  /**
   * Reads the keys again, at most once a second; false: not so soon. For what the issuer itself published, never for a token.
   */
  refresh(): Promise<boolean>
  /** K04: the issuer's keys have these names as of now. No other verifies anything from here on. */
  retain(kids: readonly string[]): void
}

/** Keys given by configuration. */
export function fixedKeys(set: KeySet): KeySource {
  let kept = set
  return {
    find: async (kid, algorithm) => (await findKey(kept, kid, algorithm)) ?? 'unknown',
    age: () => undefined,
    refresh: async () => true,
    retain: (kids) => {
      kept = keepKeys(set, (kid) => kids.some((named) => named === kid))
    },
  }
}

export interface RemoteKeysDeps extends UrlRules {
  readonly issuer: string
  /** Read from the issuer's metadata when absent. */
  readonly jwksUri: string | undefined
  readonly fetch: Fetch
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly onFault: FaultListener
}

export class RemoteKeys implements KeySource {
  readonly #deps: RemoteKeysDeps
  #set: KeySet | undefined
  #readAt = 0
  #attemptedAt: number | undefined
  #failed = false
  #jwksUri: string | undefined
  /** Names of keys that were taken back, until they are named again. Only what was held comes here, so it stays small. */
  readonly #gone = new Set<string | undefined>()
  // Single flight: every caller that needs a fetch waits for the same one.
  #flight: Promise<void> | undefined

  constructor(deps: RemoteKeysDeps) {
    this.#deps = deps
  }

  async find(kid: string | undefined, algorithm: SignatureAlgorithm): Promise<KeyLookup> {
    if (!this.#isWithin(FRESH_SECONDS)) await this.#refresh()
    let key = await this.#findNow(kid, algorithm)
    // K05: an unknown kid is worth one fetch per cooldown, however many arrive.
    if (key === undefined && (await this.#refresh())) key = await this.#findNow(kid, algorithm)
    if (key !== undefined) return key
    // A fetch that failed cannot tell an unknown key from a new one.
    return this.#failed || this.#set === undefined ? 'unavailable' : 'unknown'
  }

  age(): number | undefined {
    return Math.max(0, Math.floor(this.#deps.now() - this.#readAt))
  }

  refresh(): Promise<boolean> {
    return this.#refresh(STATED_COOLDOWN_SECONDS)
  }

  retain(kids: readonly string[]): void {
    for (const { kid } of this.#set?.entries ?? []) this.#gone.add(kid)
    for (const kid of kids) this.#gone.delete(kid)
    if (this.#set !== undefined) this.#set = this.#without(this.#set)
  }

  async #findNow(
    kid: string | undefined,
    algorithm: SignatureAlgorithm,
  ): Promise<VerificationKey | undefined> {
    if (this.#set === undefined || !this.#isWithin(LIMIT_SECONDS)) return undefined
    return findKey(this.#set, kid, algorithm)
  }

  #without(set: KeySet): KeySet {
    return keepKeys(set, (kid) => !this.#gone.has(kid))
  }

  /** True when the set is younger than `seconds`. A clock that stepped back makes it old, not young for ever. */
  #isWithin(seconds: number): boolean {
    const age = this.#deps.now() - this.#readAt
    return this.#set !== undefined && age >= 0 && age < seconds
  }

  /** Fetches unless the last attempt is too recent; true when this caller waited for a fetch. */
  async #refresh(
    cooldown: number = this.#set === undefined ? FIRST_COOLDOWN_SECONDS : COOLDOWN_SECONDS,
  ): Promise<boolean> {
    if (this.#flight === undefined) {
      const now = this.#deps.now()
      const since = now - (this.#attemptedAt ?? Number.NEGATIVE_INFINITY)
      if (since >= 0 && since < cooldown) return false
      this.#attemptedAt = now
      this.#flight = this.#load().finally(() => {
        this.#flight = undefined
      })
    }
    await this.#flight
    return true
  }

  async #load(): Promise<void> {
    const { fetch, now, onFault } = this.#deps
    try {
      this.#jwksUri ??= this.#deps.jwksUri ?? (await this.#discover())
      const set = readKeySet(await fetchJson(this.#jwksUri, fetch), onFault)
      if (typeof set === 'string') throw new Error(`${set} at ${this.#jwksUri}`)
      this.#readAt = now()
      // A set read from somebody's cache must not bring a key back. One that was never named is a new one: the very statement
      // that names it first is signed with it.
      this.#set = this.#without(set)
      this.#failed = false
    } catch (error) {
      // K02: the last good set stays, until its own limit.
      this.#failed = true
      this.#jwksUri = undefined
      onFault({ kind: 'keys_unreadable', detail: wordsOf(error) })
    }
  }

  async #discover(): Promise<string> {
    const { issuer, fetch } = this.#deps
    const metadata = await fetchJson(wellKnownUrl(issuer, 'oauth-authorization-server'), fetch)
    // RFC 8414 §3.3: otherwise nothing in the document is used.
    if (metadata['issuer'] !== issuer) throw new Error(`metadata is not of ${issuer}`)
    const jwksUri = metadata['jwks_uri']
    if (typeof jwksUri !== 'string' || readTrustedUrl(jwksUri, this.#deps) === undefined)
      throw new Error(`jwks_uri of ${issuer} is not acceptable`)
    return jwksUri
  }
}
