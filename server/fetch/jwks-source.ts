/**
 * The keys of one trusted issuer, kept fresh. A stranger's token can make us look for a key that is not there, so
 * how often we ask is bounded whatever arrives; a broken answer never replaces a good one (threats K02).
 */
import { FetchFault, type FetchFaultCode } from './fetch-fault.ts'
import type { FetchJson } from './fetcher.ts'
import { findSigningKeys, type PublicJwk } from './key-set.ts'

export interface JwksSourceDeps {
  readonly fetchJson: FetchJson
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly url: string
  /** Told of every failed attempt, so that it can be counted and raised. */
  readonly onFault?: (code: FetchFaultCode | 'key_set_refused') => void
}

export interface JwksSource {
  /** The keys, at most five minutes old, or the last good ones for an hour. Throws FetchFault when there are none. */
  keys(): Promise<readonly PublicJwk[]>
  /** For a key id that `keys()` does not have: asks again, once in 30 seconds at most. Throws as `keys` does. */
  refresh(): Promise<readonly PublicJwk[]>
}

const FRESH = 5 * 60
const KEPT = 60 * 60
const COOLDOWN = 30
/** While the issuer is down, so that a flood of tokens is no flood of requests. */
const RETRY = 5

interface KeySet {
  readonly keys: readonly PublicJwk[]
  readonly fetchedAt: number
}

export function createJwksSource({ fetchJson, now, url, onFault }: JwksSourceDeps): JwksSource {
  let good: KeySet | undefined
  let lastFault = new FetchFault('unreachable')
  let askedAt = Number.NEGATIVE_INFINITY
  let underway: Promise<void> | undefined

  const ask = async (): Promise<void> => {
    askedAt = now()
    try {
      const keys = findSigningKeys(await fetchJson(url))
      if (keys !== undefined) {
        good = { keys, fetchedAt: now() }
        return
      }
      lastFault = new FetchFault('not_json')
      onFault?.('key_set_refused')
    } catch (error) {
      if (!(error instanceof FetchFault)) throw error
      lastFault = error
      onFault?.(error.code)
    }
  }

  const askOnce = async (): Promise<void> => {
    underway ??= ask().finally(() => {
      underway = undefined
    })
    return underway
  }

  const current = (): readonly PublicJwk[] => {
    if (good === undefined || now() - good.fetchedAt >= KEPT) throw lastFault
    return good.keys
  }

  return {
    keys: async () => {
      const isFresh = good !== undefined && now() - good.fetchedAt < FRESH
      if (!isFresh && (underway !== undefined || now() - askedAt >= RETRY)) await askOnce()
      return current()
    },
    refresh: async () => {
      if (underway !== undefined || now() - askedAt >= COOLDOWN) await askOnce()
      return current()
    },
  }
}
