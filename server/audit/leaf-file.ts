/** The leaf file of a log: for each entry where its line ends, and its leaf hash. It follows from the entries alone. */
import { readRange, sizeOf, syncFile, writeRange } from './file-range.ts'

/** 8 octets, big-endian, the offset of the line's end; 32 of the hash. */
export const LEAF_OCTETS = 40
const END_OCTETS = 8

export const endIn = (record: Buffer): number => Number(record.readBigUInt64BE(0))
export const hashIn = (record: Buffer): Buffer => record.subarray(END_OCTETS, LEAF_OCTETS)

export function formatLeaf(end: number, hash: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(LEAF_OCTETS)
  record.writeBigUInt64BE(BigInt(end))
  record.set(hash, END_OCTETS)
  return record
}

export class LeafFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Leaves there are; one that was written in part is none. */
  get size(): number {
    return Math.floor(sizeOf(this.#path) / LEAF_OCTETS)
  }

  /** `count` records from `first` on. Throws RangeError where one is missing. */
  read(first: number, count: number): readonly Buffer[] {
    const bytes = readRange(this.#path, first * LEAF_OCTETS, count * LEAF_OCTETS)
    if (bytes.length < count * LEAF_OCTETS) throw new RangeError('the leaf file is too short')
    return Array.from({ length: count }, (_, at) =>
      bytes.subarray(at * LEAF_OCTETS, (at + 1) * LEAF_OCTETS),
    )
  }

  write(first: number, records: readonly Buffer[]): void {
    writeRange(this.#path, first * LEAF_OCTETS, Buffer.concat(records))
  }

  sync(): Promise<void> {
    return syncFile(this.#path)
  }
}
