/**
 * The hashes of full subtrees, kept so that no root and no proof has to read every leaf: file n has one of 32 octets for each
 * subtree of 256^n leaves. What lies between two files is hashed when it is asked for, from 128 hashes at most.
 */
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

/** Any full subtree of the log, from what is kept. Throws RangeError where that is missing. */
export function createHashAt(leaves: LeafFile, subtrees: SubtreeFiles): HashAt {
  return (level, index) => {
    const file = Math.floor(level / LEVELS)
    const count = 2 ** (level % LEVELS)
    const kept =
      file === 0
        ? leaves.read(index * count, count).map(hashIn)
        : subtrees.read(file, index * count, count)
    return foldPairs(kept)
  }
}

function foldPairs(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes
  if (first === undefined) throw new RangeError('a subtree has no leaves')
  if (hashes.length === 1) return first
  const above: Uint8Array[] = []
  for (let at = 0; at + 1 < hashes.length; at += 2) {
    const [left, right] = [hashes[at], hashes[at + 1]]
    if (left !== undefined && right !== undefined) above.push(treeHash.node(left, right))
  }
  return foldPairs(above)
}
