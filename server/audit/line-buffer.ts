/** Whole lines out of a file that is read piece by piece, and their leaf hashes. No line is copied, none becomes a string. */
import { hash } from 'node:crypto'
import { createTreeHash, LEAF_PREFIX, type TreeHash } from '../core/merkle.ts'

export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
export const treeHash: TreeHash = createTreeHash(sha256)

const LINE_END = 0x0a
/** Some dozens of lines as servers write them. */
const PIECE_OCTETS = 64 * 1024
/** Thousands of times what a server writes, and less than what would not fit into memory. */
export const LONGEST_LINE = 256 * 1024 * 1024

export class LineBuffer {
  /** The octet before each line is the end of the line before; an unused one stands before the first. */
  #bytes: Buffer
  #filled = 1
  /** Where lines end, of those taken last. */
  #ends: number[] = []

  /** @param pieceOctets how much is read at once, for tests */
  constructor(pieceOctets = PIECE_OCTETS) {
    this.#bytes = Buffer.allocUnsafe(1 + pieceOctets)
  }

  /** Where the next octets are to be read into. The lines that were taken are gone then. */
  room(): Buffer {
    const rest = (this.#ends.at(-1) ?? 0) + 1
    if (rest > 1) {
      this.#bytes.copyWithin(1, rest, this.#filled)
      this.#filled -= rest - 1
      this.#ends = []
    }
    if (this.#filled === this.#bytes.length) this.#grow()
    return this.#bytes.subarray(this.#filled)
  }

  #grow(): void {
    if (this.#filled > LONGEST_LINE) throw new Error('a line of the log is longer than any may be')
    const larger = Buffer.allocUnsafe(2 * this.#bytes.length)
    this.#bytes.copy(larger)
    this.#bytes = larger
  }

  /** So many octets were read into the room. Returns how many lines they end. */
  take(octets: number): number {
    const from = this.#filled
    this.#filled += octets
    const within = this.#bytes.subarray(0, this.#filled)
    for (let end = within.indexOf(LINE_END, from); end >= 0; ) {
      this.#ends.push(end)
      end = within.indexOf(LINE_END, end + 1)
    }
    return this.#ends.length
  }

  /** Octets after the last line's end: a line that is not ended yet. */
  get unended(): number {
    return this.#filled - 1 - (this.#ends.at(-1) ?? 0)
  }

  /** Octets of the line and its end. */
  lengthOf(line: number): number {
    return this.#endOf(line) - this.#startOf(line) + 1
  }

  /** The line without its end: a view, good until the next `room`. */
  line(line: number): Buffer {
    return this.#bytes.subarray(this.#startOf(line), this.#endOf(line))
  }

  /** RFC 9162 §2.1.1: of the line without its end. */
  leafHash(line: number): Uint8Array {
    const before = this.#startOf(line) - 1
    this.#bytes[before] = LEAF_PREFIX // over the end of the line before, which has been found
    return sha256(this.#bytes.subarray(before, this.#endOf(line)))
  }

  #startOf(line: number): number {
    return line === 0 ? 1 : this.#endOf(line - 1) + 1
  }

  #endOf(line: number): number {
    const end = this.#ends[line]
    if (end === undefined) throw new RangeError('no such line was taken')
    return end
  }
}
