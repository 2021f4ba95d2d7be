/**
 * The tree of one log as far as this process has come. All it keeps in files follows from the entries, octet for octet: any number
 * of processes may grow the same tree at once, and one that is killed leaves nothing the next would write otherwise.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { createMerkleTree, Frontier, type HashAt, type MerkleTree } from '../core/merkle.ts'
import { openIfThere, readRange, sizeOf } from './file-range.ts'
import { endIn, formatLeaf, hashIn, LeafFile } from './leaf-file.ts'
import { LineBuffer, LONGEST_LINE, treeHash } from './line-buffer.ts'
import { entriesPath, leavesPath } from './log-paths.ts'
import { createHashAt, fileOfLevel, SubtreeFiles } from './subtree-files.ts'

/** What was read before is not there any more: the file was replaced or cut. */
export class LogChanged extends Error {}

export interface TreePlace {
  /** The log's. */
  readonly folder: string
  /** Where leaves and subtrees are kept; the log's folder too, as long as its entries fit what was signed. */
  readonly keptIn: string
}

const LINE_END = 0x0a

export class GrowingTree {
  readonly #entries: string
  readonly #leaves: LeafFile
  readonly #subtrees: SubtreeFiles
  readonly #hashAt: HashAt
  #frontier = new Frontier(treeHash)
  /** Where the next leaf's line begins. */
  #next = 0
  /** How long the entries were when they were read last. */
  #seen = 0

  constructor({ folder, keptIn }: TreePlace) {
    this.#entries = entriesPath(folder)
    this.#leaves = new LeafFile(leavesPath(keptIn))
    this.#subtrees = new SubtreeFiles(keptIn)
    this.#hashAt = createHashAt(this.#leaves, this.#subtrees)
  }

  get size(): number {
    return this.#frontier.size
  }

  /** Whether the entries are as they were when they were read last. */
  get isCaughtUp(): boolean {
    return sizeOf(this.#entries) === this.#seen
  }

  root(): Uint8Array {
    return this.#frontier.root()
  }

  /** Roots and proofs of the leaves there are now. */
  tree(): MerkleTree {
    return createMerkleTree(treeHash, this.size, this.#hashAt)
  }

  /** Goes on after `size` kept leaves. False where they are not kept whole, or the last is not that of its line. */
  startAt(size: number): boolean {
    try {
      if (size === 0) return true
      const end = this.#endOfLine(size - 1)
      if (end === undefined) return false
      this.#frontier = new Frontier(treeHash, size, this.#hashAt)
      this.#next = end + 1
      return true
    } catch (fault) {
      if (fault instanceof RangeError) return false
      throw fault
    }
  }

  /** Where the line of this leaf ends in the entries; undefined where another line is there. */
  #endOfLine(index: number): number | undefined {
    const [leaf] = this.#leaves.read(index, 1)
    const [before] = index === 0 ? [] : this.#leaves.read(index - 1, 1)
    if (leaf === undefined) return undefined
    const [start, end] = [before === undefined ? 0 : endIn(before) + 1, endIn(leaf)]
    const line = readRange(this.#entries, start, Math.min(end - start, LONGEST_LINE) + 1)
    const isLine = line.length === end - start + 1 && line.at(-1) === LINE_END
    const hash = treeHash.leaf(line.subarray(0, -1))
    return isLine && Buffer.compare(hash, hashIn(leaf)) === 0 ? end : undefined
  }

  /** Takes in every whole line there is now, once it is on disk. Throws LogChanged. */
  async grow(): Promise<void> {
    const file = await openIfThere(this.#entries)
    if (file === undefined) {
      if (this.#next > 0) throw new LogChanged()
      return
    }
    try {
      const { size } = await file.stat()
      await this.#expectLineBefore(file, size)
      if (size > this.#next) await this.#takeIn(file, size)
      this.#seen = size
    } finally {
      await file.close()
    }
  }

  async #expectLineBefore(file: FileHandle, size: number): Promise<void> {
    if (this.#next === 0) return
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, this.#next - 1)
    if (size < this.#next || buffer[0] !== LINE_END) throw new LogChanged()
  }

  async #takeIn(file: FileHandle, size: number): Promise<void> {
    await file.datasync() // Only what outlives the machine becomes a leaf.
    const lines = new LineBuffer()
    for (let at = this.#next; at < size; ) {
      const room = lines.room()
      const { bytesRead } = await file.read(room, 0, Math.min(room.length, size - at), at)
      if (bytesRead === 0) throw new LogChanged()
      at += bytesRead
      const count = lines.take(bytesRead)
      if (count > 0) this.#append(lines, count)
      await setImmediate() // Requests come between two pieces.
    }
  }

  #append(lines: LineBuffer, count: number): void {
    const first = this.size
    const records: Buffer[] = []
    for (let line = 0; line < count; line += 1) {
      const hash = lines.leafHash(line)
      this.#next += lines.lengthOf(line)
      records.push(formatLeaf(this.#next - 1, hash))
      this.#frontier.append(hash, (level, index, subtree) => {
        const kept = fileOfLevel(level)
        if (kept !== undefined) this.#subtrees.write(kept, index, subtree)
      })
    }
    this.#leaves.write(first, records)
  }

  /** Leaves and subtrees are on disk. */
  async sync(): Promise<void> {
    await this.#leaves.sync()
    await this.#subtrees.sync(this.size)
  }

  /** The lines of leaves `from` to `to`, `to` excluded. Throws RangeError beyond the tree. */
  async readLines(from: number, to: number): Promise<readonly Buffer[]> {
    if (to > this.size || from < 0) throw new RangeError('there is no such leaf in the log')
    if (from >= to) return []
    const records = this.#leaves.read(Math.max(0, from - 1), to - Math.max(0, from - 1))
    const ends = records.map(endIn)
    const start = from === 0 ? 0 : (ends.shift() ?? 0) + 1
    const bytes = await readWhole(this.#entries, start, (ends.at(-1) ?? 0) - start)
    const starts = [start, ...ends.map((end) => end + 1)]
    return ends.map((end, at) => bytes.subarray((starts[at] ?? 0) - start, end - start))
  }
}

/** Throws where the file is not as long as what is kept of it says. */
async function readWhole(path: string, at: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (length < 0 || at + length > size) throw new LogChanged('the leaf file is not of this log')
    const bytes = Buffer.allocUnsafe(length)
    const { bytesRead } = await file.read(bytes, 0, length, at)
    if (bytesRead < length) throw new LogChanged('the entries were cut')
    return bytes
  } finally {
    await file.close()
  }
}
