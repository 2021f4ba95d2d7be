/**
 * Which key of a tenant signs at a given second, which are published, and what a change leaves. Pure: times are seconds since the
 * epoch, and come from outside. A key is published before it signs and after, so that whoever verifies never meets a token whose
 * key it could not have read (attack case K03).
 */
import type { SigningAlgorithm } from './tenant.ts'

/** A key a tenant signs with, signed with, or will sign with. Its private half is where its keeper keeps it. */
export interface KeyRecord {
  /** Names the private half; reserved in the store, never used twice. */
  readonly number: number
  readonly kid: string
  readonly alg: SigningAlgorithm
  /** As published: with `kid`, `alg` and `use`. */
  readonly publicJwk: Readonly<Record<string, string>>
  readonly keeper: 'sealed' | 'pkcs11'
  /** From when it signs, until the next one does. */
  readonly from: number
}

/** A key that was killed. It stays named, so that nothing brings it back. */
export type KilledKey = Pick<KeyRecord, 'number' | 'kid' | 'keeper'>

export interface SigningKeys {
  /** Grows with every change of these. */
  readonly revision: number
  /** In the order they sign in. */
  readonly keys: readonly KeyRecord[]
  readonly killed: readonly KilledKey[]
}

export const NO_KEYS: SigningKeys = { revision: 0, keys: [], killed: [] }

export interface PublishedKey extends KeyRecord {
  readonly state: 'active' | 'next' | 'retired'
  /** Undefined while no other key is to follow. */
  readonly publishedUntil: number | undefined
}

export interface KeysAt {
  readonly active: KeyRecord
  /** The active one, what follows, what went before, newest first. */
  readonly published: readonly PublishedKey[]
  /** Records whose private half nobody needs any more. */
  readonly over: readonly KeyRecord[]
  /** All this holds from `since` on, and no longer than until just before `until`. */
  readonly since: number
  readonly until: number
}

/**
 * Seconds a key is published after another one signs: the longest task, whose home token lives as long, and what a verifier's
 * clock, a request on its way and a status list (a minute) add.
 */
export const PUBLISHED_AFTER = 8 * 3600 + 120

/** Published keys a tenant may have: verifiers take 64, and each token may cost a look at all of them. */
export const MOST_PUBLISHED = 32

/** Undefined where the tenant has no key at all. A clock before the first key's time gives the first. */
export function keysAt({ keys }: SigningKeys, now: number): KeysAt | undefined {
  const [first] = keys
  if (first === undefined) return undefined
  const at = Math.max(
    0,
    keys.findLastIndex(({ from }) => from <= now),
  )
  const published: PublishedKey[] = []
  const over: KeyRecord[] = []
  const changes: number[] = []
  for (const [index, key] of keys.entries()) {
    const successor = keys[index + 1]
    const publishedUntil = successor && successor.from + PUBLISHED_AFTER
    if (index > 0) changes.push(key.from)
    if (publishedUntil !== undefined) changes.push(publishedUntil)
    if (index < at && publishedUntil !== undefined && publishedUntil <= now) over.push(key)
    else published.push({ ...key, state: stateOf(index, at), publishedUntil })
  }
  const rank = { active: 0, next: 1, retired: 2 }
  published.reverse().sort((a, b) => rank[a.state] - rank[b.state])
  return {
    active: keys[at] ?? first,
    published,
    over,
    since: Math.max(-Infinity, ...changes.filter((change) => change <= now)),
    until: Math.min(Infinity, ...changes.filter((change) => change > now)),
  }
}

function stateOf(index: number, active: number): PublishedKey['state'] {
  if (index === active) return 'active'
  return index < active ? 'retired' : 'next'
}

export type RotationPlan =
  | { readonly kind: 'planned'; readonly from: number }
  /** One waits already. */
  | { readonly kind: 'waiting'; readonly next: KeyRecord }
  /** So many are published that no verifier would take one more; until the first of them goes. */
  | { readonly kind: 'full'; readonly until: number }

/**
 * When a key that is made now signs: whoever read the key set a moment ago may keep it for a cache period, and a cache on the way
 * may have kept what it read for as long; the second that is running does not count. The first key of a tenant signs at once:
 * nobody has read anything.
 */
export function planRotation(
  signing: SigningKeys,
  { now, cachePeriod }: { readonly now: number; readonly cachePeriod: number },
): RotationPlan {
  const at = keysAt(signing, now)
  if (at === undefined) return { kind: 'planned', from: Math.floor(now) }
  const next = at.published.find(({ state }) => state === 'next')
  if (next !== undefined) return { kind: 'waiting', next }
  if (at.published.length >= MOST_PUBLISHED) {
    const ends = at.published.flatMap(({ publishedUntil }) => publishedUntil ?? [])
    return { kind: 'full', until: Math.min(...ends) }
  }
  return { kind: 'planned', from: Math.floor(now) + 1 + 2 * cachePeriod }
}

/** With one key more, which signs last; without those nobody needs. */
export function withKey(signing: SigningKeys, key: KeyRecord, now: number): SigningKeys {
  return { ...signing, keys: [...neededKeys(signing, now), key] }
}

/** Without a key that waits: it never signed, so nobody misses it. */
export function withoutNext(signing: SigningKeys, now: number): SigningKeys {
  const at = keysAt(signing, now)
  const keys = signing.keys.filter(({ from }) => at === undefined || from <= at.active.from)
  return { ...signing, keys }
}

/** With another key in use from now on, and the one before published for as long as ever: the key that waits, or where none does, `heir`. */
export function withSuccessor(
  signing: SigningKeys,
  { now, heir }: { readonly now: number; readonly heir: KeyRecord | undefined },
): SigningKeys | 'heir_needed' {
  const from = Math.floor(now)
  const next = signing.keys.find((key) => key.from > now)
  if (next !== undefined) {
    const keys = signing.keys.map((key) => (key === next ? { ...key, from } : key))
    return { ...signing, keys }
  }
  return heir === undefined ? 'heir_needed' : withKey(signing, { ...heir, from }, now)
}

/**
 * Without this key, for good; undefined where it is not published now. Where it is the one in use, the key that waits signs at
 * once; where none waits, `heir` does, and without an heir nothing is killed.
 */
export function withoutKilled(
  signing: SigningKeys,
  kid: string,
  { now, heir }: { readonly now: number; readonly heir: KeyRecord | undefined },
): SigningKeys | 'unknown' | 'heir_needed' {
  const at = keysAt(signing, now)
  const killed = at?.published.find((key) => key.kid === kid)
  if (at === undefined || killed === undefined) return 'unknown'
  const { number, keeper } = killed
  const left = neededKeys(signing, now).filter((key) => key.number !== number)
  const gone = [...signing.killed, { number, kid, keeper }]
  if (killed.state !== 'active') return { ...signing, keys: left, killed: gone }
  return withSuccessor({ ...signing, keys: left, killed: gone }, { now, heir })
}

function neededKeys(signing: SigningKeys, now: number): readonly KeyRecord[] {
  const over = new Set(keysAt(signing, now)?.over)
  return signing.keys.filter((key) => !over.has(key))
}
