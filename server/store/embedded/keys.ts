/**
 * Keys of the embedded store: one kind byte, then fixed-width numbers and length-prefixed texts. No text an attacker
 * chooses can end its part early, reach another tenant or become another kind of record; no key is ever parsed back.
 */
import { hash } from 'node:crypto'
import type { Counted, ReplayClaim, SubjectTokenId, TaskPosition } from '../../use-cases/ports.ts'

/** First byte of every key. Never reused for another meaning; 0x00 to 0x05 belong to the engine. */
const KIND = {
  meta: 0x10,
  replay: 0x11,
  index: 0x12,
  task: 0x13,
  hop: 0x14,
  place: 0x15,
  pending: 0x16,
  removal: 0x17,
  live: 0x18,
  revision: 0x19,
  version: 0x1a,
  sources: 0x1b,
  compiled: 0x1c,
  retired: 0x1d,
  age: 0x1e,
  statuses: 0x1f,
  sequence: 0x20,
  listRemoval: 0x21,
  revocation: 0x22,
  counter: 0x23,
  stream: 0x24,
  ownStream: 0x25,
  waiting: 0x26,
  keysMade: 0x27,
  usage: 0x28,
  witnessed: 0x29,
} as const

/** Texts up to here stand in the key as they are; longer ones as their hash, so that every key fits LMDB's bound. */
const MAX_LITERAL_BYTES = 63
const HASHED = 0xff
const HASHED_ILL_FORMED = 0xfe
const MAX_KEY_BYTES = 512
const scratch = Buffer.alloc(MAX_KEY_BYTES)

type Part = string | number
const REPLAY_KIND = { client_assertion: 1, dpop_proof: 2, security_event: 3 } as const
/** Stands, as a 32-bit number, where replay claims have their kind. */
const SPENT = 0x04000000
/** 32-bit numbers in keys end here: later times are all one. */
const MOST = 0xffffffff

/**
 * Writes a text as length and bytes, or as a marker no length can be and its SHA-256. UTF-8 would turn every lone
 * surrogate into one replacement character, so an ill-formed text is hashed from its UTF-16 units.
 */
function writeText(target: Buffer, at: number, text: string): number {
  if (text.length <= MAX_LITERAL_BYTES && text.isWellFormed()) {
    const length = target.write(text, at + 1, 3 * MAX_LITERAL_BYTES)
    if (length <= MAX_LITERAL_BYTES) {
      target[at] = length
      return at + 1 + length
    }
  }
  const wellFormed = text.isWellFormed()
  target[at] = wellFormed ? HASHED : HASHED_ILL_FORMED
  const digest = hash('sha256', Buffer.from(text, wellFormed ? 'utf8' : 'utf16le'), 'buffer')
  return at + 1 + digest.copy(target, at + 1)
}

/** Numbers are 32-bit, big-endian: their order is the order of the keys. */
function key(kind: number, ...parts: readonly Part[]): Buffer {
  scratch[0] = kind
  let at = 1
  for (const part of parts) {
    at = typeof part === 'number' ? scratch.writeUInt32BE(part, at) : writeText(scratch, at, part)
  }
  return Buffer.copyBytesFrom(scratch, 0, at)
}

/** A time as a number of a key: whole, and neither before the first nor after the last. */
function clamp(number: number): number {
  return Math.min(MOST, Math.max(0, Math.floor(number)))
}

/** Minute in which a time falls: what is removed together. */
export function minuteOf(seconds: number): number {
  return clamp(seconds / 60)
}

/** SHA-256 over the parts, each with its length before it. */
function digestOf(parts: readonly string[]): Buffer {
  const framed: Buffer[] = []
  for (const part of parts) {
    const wellFormed = part.isWellFormed()
    const bytes = Buffer.from(part, wellFormed ? 'utf8' : 'utf16le')
    const frame = Buffer.alloc(5)
    frame[0] = wellFormed ? HASHED : HASHED_ILL_FORMED
    frame.writeUInt32BE(bytes.length, 1)
    framed.push(frame, bytes)
  }
  return hash('sha256', Buffer.concat(framed), 'buffer')
}

export function replayKey(claim: ReplayClaim): Buffer {
  scratch[0] = KIND.replay
  const tenantAt = scratch.writeUInt32BE(minuteOf(claim.expiresAt), 1)
  const kindAt = writeText(scratch, tenantAt, claim.tenant)
  scratch[kindAt] = REPLAY_KIND[claim.kind]
  const end = kindAt + 1 + digestOf(claim.id).copy(scratch, kindAt + 1)
  return Buffer.copyBytesFrom(scratch, 0, end)
}

/** Among the replay claims, so that it is swept with them. One text for its id: seldom long enough to be hashed. */
export const spentKey = (tenant: string, { id, expiresAt }: SubjectTokenId): Buffer =>
  key(KIND.replay, minuteOf(expiresAt), tenant, SPENT, JSON.stringify(id))

/** First key and end of all claims that expire before the minute. */
export function replayRange(minute: number): KeyRange {
  return { start: key(KIND.replay, 0), end: key(KIND.replay, minute) }
}

export interface KeyRange {
  readonly start: Buffer
  readonly end: Buffer
}

/** Every key that begins with the prefix: none goes on with nothing but the highest byte. */
function within(prefix: Buffer): KeyRange {
  return { start: prefix, end: Buffer.concat([prefix, Buffer.alloc(MAX_KEY_BYTES, 0xff)]) }
}

/** The first key there can be after this one. */
export const keyAfter = (exact: Buffer): Buffer => Buffer.concat([exact, Buffer.alloc(1)])

export const generationKey: Buffer = key(KIND.meta, 'generation')
/** Where every tenant's sequence begins in this store. */
export const originKey: Buffer = key(KIND.meta, 'sequence-origin')
export const sequenceKey = (tenant: string): Buffer => key(KIND.sequence, tenant)
export const indexKey = (tenant: string, list: string): Buffer => key(KIND.index, tenant, list)
export const listsOf = (tenant: string): KeyRange => within(key(KIND.index, tenant))
export const statusesKey = (tenant: string, list: string, chunk: number): Buffer =>
  key(KIND.statuses, tenant, list, chunk)
export const statusesOf = (tenant: string, list: string): KeyRange =>
  within(key(KIND.statuses, tenant, list))
export const listRemovalKey = (removeAt: number, tenant: string, list: string): Buffer =>
  key(KIND.listRemoval, minuteOf(removeAt), tenant, list)
export const listRemovalRange = (beforeMinute: number): KeyRange => ({
  start: key(KIND.listRemoval, 0),
  end: key(KIND.listRemoval, beforeMinute),
})

export const taskKey = (tenant: string, txn: string): Buffer => key(KIND.task, tenant, txn)
/** Tasks of the tenant whose key comes after `txn`'s; all of them where it is undefined. */
export const tasksAfter = (tenant: string, txn: string | undefined): KeyRange => {
  const all = within(key(KIND.task, tenant))
  return txn === undefined ? all : { start: keyAfter(taskKey(tenant, txn)), end: all.end }
}
/** The newest first: a key with what is left of time. */
export const ageKey = (tenant: string, openedAt: number, txn: string): Buffer =>
  key(KIND.age, tenant, MOST - clamp(openedAt), txn)
/** Tasks older than the position; all of them where it is undefined. */
export const agesAfter = (tenant: string, position: TaskPosition | undefined): KeyRange => {
  const all = within(key(KIND.age, tenant))
  if (position === undefined) return all
  const { openedAt, txn } = position
  if (txn !== '') return { start: keyAfter(ageKey(tenant, openedAt, txn)), end: all.end }
  if (openedAt < 1) return { start: all.end, end: all.end }
  return { start: key(KIND.age, tenant, MOST - clamp(openedAt - 1)), end: all.end }
}

export const revocationKey = (tenant: string, id: string): Buffer =>
  key(KIND.revocation, tenant, id)
export const everyRevocation: KeyRange = within(key(KIND.revocation))

export function counterKey({ tenant, id, window, now }: Counted): Buffer {
  const begin = Math.floor(now / window) * window
  const parts = [...id, `${window}`, `${begin}`]
  return Buffer.concat([key(KIND.counter, minuteOf(begin + window), tenant), digestOf(parts)])
}
/** Windows that ended before the minute. */
export const countersRange = (minute: number): KeyRange => ({
  start: key(KIND.counter, 0),
  end: key(KIND.counter, minute),
})

export const hopKey = (tenant: string, txn: string, jti: string): Buffer =>
  key(KIND.hop, tenant, txn, jti)
export const hopsOf = (tenant: string, txn: string): KeyRange => within(key(KIND.hop, tenant, txn))
export const placeKey = (tenant: string, txn: string, place: string): Buffer =>
  key(KIND.place, tenant, txn, place)
export const placesOf = (tenant: string, txn: string): KeyRange =>
  within(key(KIND.place, tenant, txn))

/** Oldest first, so that recovery reads only what is old enough. */
export const pendingKey = (recordedAt: number, tenant: string, txn: string, jti: string): Buffer =>
  key(KIND.pending, Math.floor(recordedAt), tenant, txn, jti)
/** Pending hops recorded before the whole second. */
export const pendingRange = (before: number): KeyRange => ({
  start: key(KIND.pending, 0),
  end: key(KIND.pending, Math.max(0, Math.floor(before))),
})

/** When the hop of a pending key was recorded, seconds since the epoch. */
export const pendingSince = (pendingKey: Buffer): number => pendingKey.readUInt32BE(1)

export const removalKey = (removeAt: number, tenant: string, txn: string): Buffer =>
  key(KIND.removal, minuteOf(removeAt), tenant, txn)
export const removalRange = (beforeMinute: number): KeyRange => ({
  start: key(KIND.removal, 0),
  end: key(KIND.removal, beforeMinute),
})

/** Versions and live state of tenants: in an environment of their own (versions.ts). */
export const addedKey: Buffer = key(KIND.meta, 'versions-added')
export const liveKey = (tenant: string): Buffer => key(KIND.live, tenant)
export const everyLive: KeyRange = within(key(KIND.live))
export const revisionKey = (tenant: string): Buffer => key(KIND.revision, tenant)
/** How many numbers of signing keys were handed out. */
export const keysMadeKey = (tenant: string): Buffer => key(KIND.keysMade, tenant)
export const versionKey = (tenant: string, version: string): Buffer =>
  key(KIND.version, tenant, version)
export const versionsOf = (tenant: string): KeyRange => within(key(KIND.version, tenant))
export const sourcesKey = (tenant: string, version: string): Buffer =>
  key(KIND.sources, tenant, version)
export const compiledKey = (tenant: string, version: string): Buffer =>
  key(KIND.compiled, tenant, version)
export const retiredKey = (tenant: string, agent: string): Buffer =>
  key(KIND.retired, tenant, agent)
/** When a fact of the tenant was last used, by its name. */
export const usageKey = (tenant: string, name: string): Buffer => key(KIND.usage, tenant, name)
export const usageOf = (tenant: string): KeyRange => within(key(KIND.usage, tenant))

/** What was cosigned of another server's log, by its origin. */
export const witnessedKey = (origin: string): Buffer => key(KIND.witnessed, origin)

/** Streams of security events by id, the one of each receiver, and what waits in them in its order. */
export const streamKey = (tenant: string, stream: string): Buffer =>
  key(KIND.stream, tenant, stream)
export const everyStream: KeyRange = within(key(KIND.stream))
export const ownStreamKey = (tenant: string, receiver: string): Buffer =>
  key(KIND.ownStream, tenant, receiver)
export const waitingKey = (tenant: string, stream: string, number: number): Buffer =>
  key(KIND.waiting, tenant, stream, number)
/** What waits in a stream before the number `end`; all of it where that is undefined. */
export const waitingOf = (tenant: string, stream: string, end: number | undefined): KeyRange => {
  const all = within(key(KIND.waiting, tenant, stream))
  return end === undefined ? all : { start: all.start, end: waitingKey(tenant, stream, end) }
}
