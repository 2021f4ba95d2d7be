/**
 * The Merkle tree of a log (RFC 9162 §2.1): hashes, roots and proofs, over an injected SHA-256. Leaves are numbered from 0; the
 * subtree (level, index) has the leaves from index × 2^level on, 2^level of them.
 */

export interface TreeHash {
  /** RFC 9162 §2.1.1: of no leaf at all. */
  readonly empty: Uint8Array
  leaf(bytes: Uint8Array): Uint8Array
  node(left: Uint8Array, right: Uint8Array): Uint8Array
}

/** Octet that begins what is hashed of a leaf, so that no leaf is a node (RFC 9162 §2.1.1). */
export const LEAF_PREFIX = 0x00
const NODE_PREFIX = 0x01
const HASH_OCTETS = 32

export function createTreeHash(sha256: (bytes: Uint8Array) => Uint8Array): TreeHash {
  const pair = new Uint8Array(1 + 2 * HASH_OCTETS) // one for all: hashing is synchronous
  pair[0] = NODE_PREFIX
  return {
    empty: sha256(new Uint8Array(0)),
    leaf: (bytes) => {
      const prefixed = new Uint8Array(1 + bytes.length)
      prefixed[0] = LEAF_PREFIX
      prefixed.set(bytes, 1)
      return sha256(prefixed)
    },
    node: (left, right) => {
      pair.set(left, 1)
      pair.set(right, 1 + HASH_OCTETS)
      return sha256(pair)
    },
  }
}

/** Told of each subtree of two leaves and more, as soon as its last leaf is there. */
export type OnSubtree = (level: number, index: number, hash: Uint8Array) => void

/** The right edge of a growing tree: one hash for each bit of its size. */
export class Frontier {
  readonly #hash: TreeHash
  readonly #byLevel: Uint8Array[] = []
  #size = 0

  /** @param hashAt the subtrees of a tree of `size` leaves, which grows on from there */
  constructor(hash: TreeHash, size = 0, hashAt?: HashAt) {
    this.#hash = hash
    if (hashAt === undefined) return
    this.#size = size
    for (const [level, index] of edgeOf(size)) this.#byLevel[level] = hashAt(level, index)
  }

  get size(): number {
    return this.#size
  }

  append(leafHash: Uint8Array, onSubtree?: OnSubtree): void {
    let hash = leafHash
    let level = 0
    let before = this.#size
    for (; before % 2 === 1; before = (before - 1) / 2) {
      hash = this.#hash.node(this.#at(level), hash)
      level += 1
      onSubtree?.(level, (before - 1) / 2, hash)
    }
    this.#byLevel[level] = hash
    this.#size += 1
  }

  root(): Uint8Array {
    const [last, ...larger] = edgeOf(this.#size).map(([level]) => this.#at(level))
    if (last === undefined) return this.#hash.empty
    return larger.reduce((right, left) => this.#hash.node(left, right), last)
  }

  #at(level: number): Uint8Array {
    return present(this.#byLevel[level])
  }
}

/** The subtrees that make up a tree, smallest first. */
function edgeOf(size: number): readonly (readonly [level: number, index: number])[] {
  const edge: [number, number][] = []
  for (let level = 0, left = size; left > 0; level += 1, left = Math.floor(left / 2)) {
    if (left % 2 === 1) edge.push([level, left - 1])
  }
  return edge
}

/** Hash of a full subtree; level 0 are the leaf hashes. */
export type HashAt = (level: number, index: number) => Uint8Array

/** Roots and proofs of a log's first leaves; all throw RangeError where there is no such tree. */
export interface MerkleTree {
  root(size: number): Uint8Array
  /** RFC 9162 §2.1.3.1: of a leaf in the tree of `size` leaves. */
  inclusionProof(index: number, size: number): readonly Uint8Array[]
  /** RFC 9162 §2.1.4.1. Nothing has to be proven of the empty tree, nor of a tree and itself: an empty proof. */
  consistencyProof(from: number, to: number): readonly Uint8Array[]
}

/** @param largest leaves there are */
export function createMerkleTree(hash: TreeHash, largest: number, hashAt: HashAt): MerkleTree {
  /** RFC 9162 §2.1.1: MTH(D[from:to]); ranges come of splitting, so full ones are aligned. */
  function rangeRoot(from: number, to: number): Uint8Array {
    const size = to - from
    const left = splitOf(size)
    if (2 * left === size || size === 1) return hashAt(Math.log2(size), from / size)
    return hash.node(rangeRoot(from, from + left), rangeRoot(from + left, to))
  }

  function path(index: number, from: number, to: number): readonly Uint8Array[] {
    if (to - from === 1) return []
    const middle = from + splitOf(to - from)
    return index < middle
      ? [...path(index, from, middle), rangeRoot(middle, to)]
      : [...path(index, middle, to), rangeRoot(from, middle)]
  }

  /** RFC 9162 §2.1.4.1: SUBPROOF(old - from, D[from:to], from = 0); the old tree's own root is known where all of it is here. */
  function subproof(old: number, from: number, to: number): readonly Uint8Array[] {
    if (old === to) return from === 0 ? [] : [rangeRoot(from, to)]
    const middle = from + splitOf(to - from)
    return old <= middle
      ? [...subproof(old, from, middle), rangeRoot(middle, to)]
      : [...subproof(old, middle, to), rangeRoot(from, middle)]
  }

  return {
    root: (size) => {
      expectWithin(size, 0, largest)
      return size === 0 ? hash.empty : rangeRoot(0, size)
    },
    inclusionProof: (index, size) => {
      expectWithin(size, 1, largest)
      expectWithin(index, 0, size - 1)
      return path(index, 0, size)
    },
    consistencyProof: (from, to) => {
      expectWithin(to, 0, largest)
      expectWithin(from, 0, to)
      return from === 0 ? [] : subproof(from, 0, to)
    },
  }
}

/** RFC 9162 §2.1.1: the largest power of two smaller than `size`; of one leaf a half, which no caller splits. */
function splitOf(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1)
}

function expectWithin(value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  throw new RangeError('there is no such leaf or tree in the log')
}

function present(hash: Uint8Array | undefined): Uint8Array {
  if (hash === undefined) throw new RangeError('a subtree of the log is missing')
  return hash
}
