/** Records of one length out of a file, one after the other: leaves and subtrees as they are kept. */
import { LEAF_OCTETS } from './leaf-file.ts'
import type { ByteSource } from './log-copy.ts'

/** Records read at once. */
const AT_ONCE = 4096

export class RecordReader {
  readonly #source: ByteSource
  readonly #octets: number
  readonly #piece: Buffer
  /** Which records the piece has. */
  #first = 0
  #count = 0
  #next: number

  constructor(source: ByteSource, octets: number, first = 0) {
    this.#source = source
    this.#octets = octets
    this.#piece = Buffer.allocUnsafe(
      octets * Math.min(AT_ONCE, Math.ceil(source.size / octets) + 1),
    )
    this.#next = first
  }

  /** The next record, good until the next one is asked for; undefined at the end. A part of one is none. */
  next(): Buffer | undefined {
    if (this.#next >= this.#first + this.#count) this.#fill()
    const at = (this.#next - this.#first) * this.#octets
    if (this.#next >= this.#first + this.#count) return undefined
    this.#next += 1
    return this.#piece.subarray(at, at + this.#octets)
  }

  #fill(): void {
    this.#first = this.#next
    this.#count = 0
    let filled = 0
    for (let more = -1; more !== 0 && filled < this.#piece.length; filled += more) {
      more = this.#source.read(this.#piece.subarray(filled), this.#next * this.#octets + filled)
    }
    this.#count = Math.floor(filled / this.#octets)
  }
}

export const leavesFrom = (source: ByteSource, first = 0): RecordReader =>
  new RecordReader(source, LEAF_OCTETS, first)

/** Octets that a crash leaves where a write did not come to disk. */
export const isBlank = (record: Buffer): boolean => record.every((octet) => octet === 0)
