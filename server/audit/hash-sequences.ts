/** The leaf hashes of a copy, as sequences to be compared: those kept, and those of the entries that are there. */
import type { HashSequence } from '../core/leaf-difference.ts'
import { endIn, hashIn } from './leaf-file.ts'
import { LineBuffer } from './line-buffer.ts'
import type { ByteSource, LogCopy } from './log-copy.ts'
import { leavesFrom } from './record-reader.ts'

const textOf = (hash: Uint8Array): string => Buffer.from(hash).toString('latin1')

class Ahead implements HashSequence {
  readonly #next: () => string | undefined
  #read: string[] = []
  #passed = 0

  constructor(next: () => string | undefined) {
    this.#next = next
  }

  ahead(offset: number): string | undefined {
    while (this.#read.length <= this.#passed + offset) {
      const next = this.#next()
      if (next === undefined) return undefined
      this.#read.push(next)
    }
    return this.#read[this.#passed + offset]
  }

  pass(count: number): void {
    this.#passed += count
    if (this.#passed < 4096) return
    this.#read = this.#read.slice(this.#passed)
    this.#passed = 0
  }
}

/** Leaves as they are kept, from one on. */
export function keptHashes({ leaves }: LogCopy, first: number): HashSequence {
  const records = leavesFrom(leaves, first)
  return new Ahead(() => {
    const record = records.next()
    return record && textOf(hashIn(record))
  })
}

/** Of the entries from one on, before which the kept leaves are theirs. */
export function entryHashes({ entries, leaves }: LogCopy, first: number): HashSequence {
  const before = first === 0 ? undefined : leavesFrom(leaves, first - 1).next()
  return new Ahead(hashesFrom(entries, before === undefined ? 0 : endIn(before) + 1))
}

function hashesFrom(entries: ByteSource, start: number): () => string | undefined {
  const lines = new LineBuffer()
  let [at, line, count] = [start, 0, 0]
  return () => {
    while (line === count) {
      const octets = entries.read(lines.room(), at)
      if (octets === 0) return undefined
      at += octets
      ;[line, count] = [0, lines.take(octets)]
    }
    line += 1
    return textOf(lines.leafHash(line - 1))
  }
}

/** Where the kept leaves have these hashes. */
export function placesOf(
  { leaves }: LogCopy,
  hashes: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const places = new Map<string, number>()
  if (hashes.size === 0) return places
  const records = leavesFrom(leaves)
  let index = 0
  for (let record = records.next(); record !== undefined; record = records.next()) {
    const hash = textOf(hashIn(record))
    if (hashes.has(hash) && !places.has(hash)) places.set(hash, index)
    index += 1
  }
  return places
}
