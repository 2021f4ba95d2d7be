/**
 * What is known of a status list apart from its statuses: how many indexes were handed out, until when a token may refer
 * to it, and when it changed last.
 */
import type { Environment } from './environment.ts'
import { indexKey, listRemovalKey } from './keys.ts'

/** Indexes handed out (4), chunks of statuses (4), until (8), changed at (8), then its id as JSON: keys are never parsed. */
const HEAD = 24
/** What a list has that was begun before there were heads: indexes handed out (4). */
const COUNT_ONLY = 4
/** Until when a list is kept is rounded up to so many seconds, so that few tasks have to write it. */
const UNTIL_STEP_SECONDS = 600
/** After its last token's expiry a list is served so long: skew between clocks, with room (attack case H08). */
export const LIST_GRACE_SECONDS = 120

export interface ListAddress {
  readonly tenant: string
  readonly list: string
}

export interface ListHead {
  readonly handedOut: number
  /** Statuses beyond the last chunk are valid. */
  readonly chunks: number
  /** No token that refers to it lives longer. */
  readonly until: number
  /** The tenant's sequence when it changed last; 0: never. */
  readonly changedAt: number
}

const NEW: ListHead = { handedOut: 0, chunks: 0, until: 0, changedAt: 0 }

export function findList(environment: Environment, at: ListAddress): ListHead | undefined {
  const value = environment.get(indexKey(at.tenant, at.list))
  return value === undefined ? undefined : readHead(value)
}

export function readHead(value: Buffer): ListHead {
  if (value.length === COUNT_ONLY) return { ...NEW, handedOut: value.readUInt32BE() }
  return {
    handedOut: value.readUInt32BE(0),
    chunks: value.readUInt32BE(4),
    until: value.readDoubleBE(8),
    changedAt: value.readDoubleBE(16),
  }
}

/** Undefined for one that was begun before there were heads and that nothing was written to since. */
export function readListId(value: Buffer): string | undefined {
  if (value.length === COUNT_ONLY) return undefined
  return JSON.parse(value.toString('utf8', HEAD)) as string
}

/** Inside a transaction. A list that is written to the first time is put on the way out: its removal is due at `until`. */
export function putList(environment: Environment, at: ListAddress, list: ListHead): void {
  const key = indexKey(at.tenant, at.list)
  const before = environment.get(key)
  if (before === undefined || before.length === COUNT_ONLY) {
    const due = listRemovalKey(list.until + LIST_GRACE_SECONDS, at.tenant, at.list)
    environment.put(due, Buffer.from(JSON.stringify([at.tenant, at.list])))
  }
  const head = Buffer.alloc(HEAD)
  head.writeUInt32BE(list.handedOut, 0) // throws where 32 bits end
  head.writeUInt32BE(list.chunks, 4)
  head.writeDoubleBE(list.until, 8)
  head.writeDoubleBE(list.changedAt, 16)
  environment.put(key, Buffer.concat([head, Buffer.from(JSON.stringify(at.list))]))
}

/** Inside a transaction, at each task and token: a list lives while a token may refer to it. Writes seldom. */
export function keepList(environment: Environment, at: ListAddress, until: number): void {
  const list = findList(environment, at)
  if (list !== undefined && list.until >= until) return
  const rounded = Math.ceil(until / UNTIL_STEP_SECONDS) * UNTIL_STEP_SECONDS
  putList(environment, at, { ...(list ?? NEW), until: rounded })
}
