/**
 * Keys of the search index: a kind byte, the number of the log, then numbers and hashes of fixed width. Nobody's text stands
 * in a key. 4096 entries that follow each other are a group: what is written of them lies together, so that the newest entries
 * of a large log cost as little as those of a small one.
 */
import { hash } from 'node:crypto'

/** First byte of every key; those below belong to the engine. */
const KIND = { log: 0x10, logs: 0x11, count: 0x12, posting: 0x13, span: 0x14 } as const

const HASH_BYTES = 8
/** Octets of the number of a group or span: no log reaches 2^40 of them. */
const NUMBER_BYTES = 5

export const GROUP = 4096
export const groupOf = (index: number): number => Math.floor(index / GROUP)

/** How many numbers of logs were given away. */
export const logsKey: Buffer = Buffer.of(KIND.logs)

/** Where the number of a log stands. */
export const logKey = (log: string): Buffer => Buffer.concat([Buffer.of(KIND.log), digestOf(log)])

/** How many entries of a log are known. */
export const countKey = (log: number): Buffer => begin(KIND.count, log, 0)

/** @param term digest of a term; which entries of the group have it */
export function postingKey(log: number, group: number, term: Buffer): Buffer {
  const key = begin(KIND.posting, log, NUMBER_BYTES + HASH_BYTES)
  const at = key.writeUIntBE(group, 5, NUMBER_BYTES)
  term.copy(key, at)
  return key
}

/** Times of the entries of a span. */
export function spanKey(log: number, level: number, span: number): Buffer {
  const key = begin(KIND.span, log, 1 + NUMBER_BYTES)
  key.writeUIntBE(span, key.writeUInt8(level, 5), NUMBER_BYTES)
  return key
}

function begin(kind: number, log: number, more: number): Buffer {
  const key = Buffer.allocUnsafe(5 + more)
  key.writeUInt32BE(log, key.writeUInt8(kind, 0))
  return key
}

/** Two texts may share it: whoever finds an entry looks whether it is the one. */
export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, HASH_BYTES)
}
