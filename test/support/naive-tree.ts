/** RFC 9162 §2.1 as its definitions say it, recursively and slowly, over a cipher library of its own: what proofs are held to. */
import { hash } from 'node:crypto'

type Leaves = readonly Uint8Array[]

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  hash('sha256', Buffer.concat(parts), 'buffer')

/** The largest power of two below `count`, which is two or more. */
const split = (count: number): number => 2 ** (Math.ceil(Math.log2(count)) - 1)

/** §2.1.1 */
export function rootOf(leaves: Leaves): Uint8Array {
  const [first] = leaves
  if (first === undefined) return sha256()
  if (leaves.length === 1) return sha256(Buffer.of(0), first)
  const k = split(leaves.length)
  return sha256(Buffer.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)))
}

/** §2.1.3.1 */
export function inclusionProof(index: number, leaves: Leaves): readonly Uint8Array[] {
  if (leaves.length < 2) return []
  const k = split(leaves.length)
  return index < k
    ? [...inclusionProof(index, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...inclusionProof(index - k, leaves.slice(k)), rootOf(leaves.slice(0, k))]
}

/** §2.1.4.1, for 0 < from < leaves.length */
export function consistencyProof(from: number, leaves: Leaves): readonly Uint8Array[] {
  return subproof(from, leaves, true)
}

function subproof(from: number, leaves: Leaves, isWhole: boolean): readonly Uint8Array[] {
  if (from === leaves.length) return isWhole ? [] : [rootOf(leaves)]
  const k = split(leaves.length)
  return from <= k
    ? [...subproof(from, leaves.slice(0, k), isWhole), rootOf(leaves.slice(k))]
    : [...subproof(from - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))]
}
