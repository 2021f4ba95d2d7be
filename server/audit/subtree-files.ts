/**
 * The hashes of full subtrees, kept so that no root and no proof has to read every leaf: file n has one of 32 octets for each
 * subtree of 256^n leaves. What lies between two files is hashed when it is asked for, from 128 hashes at most.
 */
import { LRUCache } from 'lru-cache'
import type { HashAt } from '../core/merkle.ts'
import { readRange, syncFile, writeRange } from './file-range.ts'
import { hashIn, type LeafFile } from './leaf-file.ts'
import { treeHash } from './line-buffer.ts'
import { subtreesPath } from './log-paths.ts'

export const HASH_OCTETS = 32
/** Levels of the tree from one file to the next. */
const LEVELS = 8

/** The file that keeps subtrees of this level, from 1; undefined where none does. */
export function fileOfLevel(level: number): number | undefined {
  return level > 0 && level % LEVELS === 0 ? level / LEVELS : undefined
}

/** How many subtrees file `file` has of a log with `size` leaves. */
export const subtreesIn = (size: number, file: number): number =>
  Math.floor(size / 2 ** (LEVELS * file))

/** Files a log of `size` leaves has. */
export function subtreeFilesOf(size: number): readonly number[] {
  const files: number[] = []
  while (subtreesIn(size, files.length + 1) > 0) files.push(files.length + 1)
  return files
}

export class SubtreeFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Throws RangeError where one is missing. */
  read(file: number, first: number, count: number): readonly Buffer[] {
    const path = subtreesPath(this.#folder, file)
    const bytes = readRange(path, first * HASH_OCTETS, count * HASH_OCTETS)
    if (bytes.length < count * HASH_OCTETS) throw new RangeError('a subtree file is too short')
    return Array.from({ length: count }, (_, at) =>
      bytes.subarray(at * HASH_OCTETS, (at + 1) * HASH_OCTETS),
    )
  }

  write(file: number, index: number, hash: Uint8Array): void {
    writeRange(subtreesPath(this.#folder, file), index * HASH_OCTETS, hash)
  }

  /** Those of a log with `size` leaves. */
  async sync(size: number): Promise<void> {
    for (const file of subtreeFilesOf(size)) await syncFile(subtreesPath(this.#folder, file))
  }
}

/** Subtrees between two files that are remembered: proofs of neighbours ask for the same ones. */
const REMEMBERED = 1024

/** Any full subtree of the log, from what is kept. Throws RangeError where that is missing. */
export function createHashAt(leaves: LeafFile, subtrees: SubtreeFiles): HashAt {
  const remembered = new LRUCache<string, Uint8Array>({ max: REMEMBERED })
  const read = (file: number, first: number, count: number): readonly Uint8Array[] =>
    file === 0 ? leaves.read(first, count).map(hashIn) : subtrees.read(file, first, count)

  /** One level above these, the first of which has this index there. */
  function above(below: readonly Uint8Array[], level: number, first: number): Uint8Array[] {
    return Array.from({ length: below.length / 2 }, (_, at) => {
      const [left, right] = [below[2 * at], below[2 * at + 1]]
      if (left === undefined || right === undefined) throw new RangeError('no such subtree')
      const hash = treeHash.node(left, right)
      remembered.set(`${level}/${first + at}`, hash)
      return hash
    })
  }

  return (level, index) => {
    const known = remembered.get(`${level}/${index}`)
    if (known !== undefined) return known
    const kept = level - (level % LEVELS)
    const count = 2 ** (level - kept)
    let hashes = read(kept / LEVELS, index * count, count)
    for (let at = kept + 1; at <= level; at += 1) {
      hashes = above(hashes, at, index * 2 ** (level - at))
    }
    const [hash] = hashes
    if (hash === undefined) throw new RangeError('no such subtree')
    return hash
  }
}
