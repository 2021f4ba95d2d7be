/**
 * The keys of one trusted issuer, kept fresh. A stranger's token can make us look for a key that is not there, so
 * how often we ask is bounded whatever arrives; a broken answer never replaces a good one (attack case K02).
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
    const answer = await fetchKeys(fetchJson, url)
    if (answer.kind === 'keys') {
      good = { keys: answer.keys, fetchedAt: now() }
      return
    }
    lastFault = answer.fault
    onFault?.(answer.reason)
  }

  /** Joins the request that is under way, or makes one if the last was `pause` seconds ago. */
  const askAfter = async (pause: number): Promise<void> => {
    if (underway === undefined && now() - askedAt < pause) return undefined
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
      if (good === undefined || now() - good.fetchedAt >= FRESH) await askAfter(RETRY)
      return current()
    },
    refresh: async () => {
      await askAfter(COOLDOWN)
      return current()
    },
  }
}

type Answer =
  | { readonly kind: 'keys'; readonly keys: readonly PublicJwk[] }
  | {
      readonly kind: 'fault'
      readonly fault: FetchFault
      readonly reason: FetchFaultCode | 'key_set_refused'
    }

async function fetchKeys(fetchJson: FetchJson, url: string): Promise<Answer> {
  try {
    const keys = findSigningKeys(await fetchJson(url))
    if (keys !== undefined) return { kind: 'keys', keys }
    return { kind: 'fault', fault: new FetchFault('not_json'), reason: 'key_set_refused' }
  } catch (fault) {
    if (fault instanceof FetchFault) return { kind: 'fault', fault, reason: fault.code }
    throw fault
  }
}
