/** One pass over the entries of a copy: what they hash to, and where what is kept beside them says something else. */
import { Frontier } from '../core/merkle.ts'
import { LINE_START, parseLine } from './entry-line.ts'
import { hashIn } from './leaf-file.ts'
import { LineBuffer, treeHash } from './line-buffer.ts'
import type { ByteSource, LogCopy } from './log-copy.ts'
import { isBlank, leavesFrom, RecordReader } from './record-reader.ts'
import { fileOfLevel, HASH_OCTETS } from './subtree-files.ts'

export interface LeafPass {
  /** Whole lines. */
  readonly entries: number
  /** Octets of a line without its end, after them. */
  readonly unended: number
  /** Indexes of lines that are no entry: a crash or a full disk cut them short. At most so many are listed. */
  readonly torn: readonly number[]
  readonly tornCount: number
  /** Roots of the trees of the sizes that were asked for, as far as there are entries. */
  readonly roots: ReadonlyMap<number, Uint8Array>
  /** The first entry whose kept leaf is another; undefined: none is, as far as leaves are kept. */
  readonly firstOther: number | undefined
  /** Leaves that are kept; more than there are entries, where these were cut. */
  readonly leaves: number
  /** The first subtree of each file that is another than its entries', or missing. */
  readonly otherSubtrees: ReadonlyMap<number, number>
}

/** Told how many octets of the entries have been read, of how many. */
export type OnProgress = (octets: number, of: number) => void

const MOST_TORN = 100
const PIECE_OCTETS = 1024 * 1024
const OBJECT_END = 0x7d
const START = Buffer.from(LINE_START)

export function passOver(
  copy: LogCopy,
  sizes: ReadonlySet<number>,
  onProgress: OnProgress = () => {},
): LeafPass {
  const pass = new Pass(copy, sizes)
  eachLine(copy.entries, (lines, line) => pass.take(lines, line), onProgress)
  return pass.end(copy.entries.size)
}

/** Every whole line, in order; `visit` may keep nothing of it. */
export function eachLine(
  entries: ByteSource,
  visit: (lines: LineBuffer, line: number) => void,
  onProgress: OnProgress = () => {},
): void {
  const lines = new LineBuffer(Math.min(PIECE_OCTETS, entries.size + 1))
  for (let at = 0; ; ) {
    const octets = entries.read(lines.room(), at)
    if (octets === 0) return
    at += octets
    const count = lines.take(octets)
    for (let line = 0; line < count; line += 1) visit(lines, line)
    onProgress(at, entries.size)
  }
}

class Pass {
  readonly #sizes: ReadonlySet<number>
  readonly #leaves: RecordReader
  readonly #subtreesOf: LogCopy['subtrees']
  readonly #subtrees = new Map<number, RecordReader>()
  readonly #otherSubtrees = new Map<number, number>()
  readonly #frontier = new Frontier(treeHash)
  readonly #roots = new Map<number, Uint8Array>()
  readonly #torn: number[] = []
  #tornCount = 0
  #octets = 0
  #kept = 0
  #firstOther: number | undefined

  constructor(copy: LogCopy, sizes: ReadonlySet<number>) {
    this.#sizes = sizes
    this.#leaves = leavesFrom(copy.leaves)
    this.#subtreesOf = (file) => copy.subtrees(file)
    this.#noteRoot()
  }

  take(lines: LineBuffer, line: number): void {
    const index = this.#frontier.size
    if (isTorn(lines.line(line))) this.#noteTorn(index)
    const hash = lines.leafHash(line)
    this.#octets += lines.lengthOf(line)
    this.#compareLeaf(index, hash)
    this.#frontier.append(hash, this.#compareSubtree)
    this.#noteRoot()
  }

  #noteTorn(index: number): void {
    this.#tornCount += 1
    if (this.#torn.length < MOST_TORN) this.#torn.push(index)
  }

  #noteRoot(): void {
    const { size } = this.#frontier
    if (this.#sizes.has(size)) this.#roots.set(size, this.#frontier.root())
  }

  #compareLeaf(index: number, hash: Uint8Array): void {
    const kept = this.#leaves.next()
    if (kept === undefined) return
    this.#kept += 1
    if (this.#firstOther !== undefined) return
    const end = kept.readUInt32BE(0) * 2 ** 32 + kept.readUInt32BE(4)
    const isSame = end === this.#octets - 1 && hashIn(kept).equals(hash)
    if (!isSame) this.#firstOther = index
  }

  readonly #compareSubtree = (level: number, index: number, hash: Uint8Array): void => {
    const file = fileOfLevel(level)
    if (file === undefined) return
    const kept = this.#subtrees.get(file) ?? new RecordReader(this.#subtreesOf(file), HASH_OCTETS)
    this.#subtrees.set(file, kept)
    const isSame = kept.next()?.equals(hash) === true
    if (!isSame && !this.#otherSubtrees.has(file)) this.#otherSubtrees.set(file, index)
  }

  end(octets: number): LeafPass {
    // Blank ones a crash may have left; any other was that of an entry.
    let beyond = this.#kept
    for (let kept = this.#leaves.next(); kept !== undefined; kept = this.#leaves.next()) {
      beyond += 1
      if (!isBlank(kept)) this.#kept = beyond
    }
    return {
      entries: this.#frontier.size,
      unended: octets - this.#octets,
      torn: this.#torn,
      tornCount: this.#tornCount,
      roots: this.#roots,
      firstOther: this.#firstOther,
      leaves: this.#kept,
      otherSubtrees: this.#otherSubtrees,
    }
  }
}

/** Parsed only where it does not look like an entry. */
function isTorn(line: Buffer): boolean {
  const begins = line.subarray(0, START.length).equals(START)
  return !(begins && line.at(-1) === OBJECT_END) && parseLine(line.toString()) === undefined
}
