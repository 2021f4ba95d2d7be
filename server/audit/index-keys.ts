/**
 * Keys of the search index: a kind byte, the number of the log, then numbers and hashes of fixed width. Nobody's text stands
 * in a key. 256 entries that follow each other in a log are a block.
 */
import { hash } from 'node:crypto'

/** First byte of every key; those below belong to the engine. */
const KIND = { log: 0x10, count: 0x11, posting: 0x12, span: 0x13, logs: 0x14 } as const

const HASH_BYTES = 8
/** Octets of a block's number: no log reaches 2^48 entries. */
const BLOCK_BYTES = 5
const LAST_BLOCK = 2 ** (8 * BLOCK_BYTES) - 1

export const BLOCK = 256
export const blockOf = (index: number): number => Math.floor(index / BLOCK)

/** How many numbers of logs were given away. */
export const logsKey: Buffer = Buffer.of(KIND.logs)

/** Where the number of a log stands. */
export const logKey = (log: string): Buffer => Buffer.concat([Buffer.of(KIND.log), digestOf(log)])

/** How many entries of a log are known. */
export const countKey = (log: number): Buffer => prefix(KIND.count, log, 0)

/** Whose entries of one term the keys are that begin so; with the number of a block behind it the key of those. */
export function postingPrefix(log: number, term: string): Buffer {
  const key = prefix(KIND.posting, log, HASH_BYTES)
  digestOf(term).copy(key, 5)
  return key
}

export function postingKey(ofTerm: Buffer, block: number): Buffer {
  const key = Buffer.allocUnsafe(ofTerm.length + BLOCK_BYTES)
  ofTerm.copy(key)
  key.writeUIntBE(block, ofTerm.length, BLOCK_BYTES)
  return key
}

/** Of every posting of the term; no block has the last number. */
export const postingsFrom = (ofTerm: Buffer, block: number) => ({
  start: postingKey(ofTerm, block),
  end: postingKey(ofTerm, LAST_BLOCK),
})
export const postingsUpTo = (ofTerm: Buffer, block: number) => ({
  start: postingKey(ofTerm, 0),
  end: postingKey(ofTerm, block + 1),
})

export const blockOfPosting = (key: Buffer): number =>
  key.readUIntBE(key.length - BLOCK_BYTES, BLOCK_BYTES)

/** Times of the 256^level entries that hold an index. */
export function spanKey(log: number, level: number, span: number): Buffer {
  const key = prefix(KIND.span, log, 1 + BLOCK_BYTES)
  key[5] = level
  key.writeUIntBE(span, 6, BLOCK_BYTES)
  return key
}

function prefix(kind: number, log: number, more: number): Buffer {
  const key = Buffer.allocUnsafe(5 + more)
  key[0] = kind
  key.writeUInt32BE(log, 1)
  return key
}

/** Two texts may share it: whoever finds an entry looks whether it is the one. */
function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, HASH_BYTES)
}
