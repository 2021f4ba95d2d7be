/** The Merkle tree of a log: RFC 6962's known roots, and every proof of small trees against a verifier that is not its maker. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  createMerkleTree,
  createTreeHash,
  Frontier,
  type HashAt,
  type MerkleTree,
} from '../../server/core/merkle.ts'
import { INPUTS, ROOTS } from '../support/published-tree.ts'

const hash = createTreeHash((bytes) => createHash('sha256').update(bytes).digest())
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

interface Grown {
  readonly tree: MerkleTree
  readonly leaves: readonly Uint8Array[]
  readonly hashAt: HashAt
}

/** A tree whose subtrees were kept as its frontier told of them. */
function grow(inputs: readonly Uint8Array[]): Grown {
  const kept = new Map<string, Uint8Array>()
  const frontier = new Frontier(hash)
  const leaves = inputs.map((input) => hash.leaf(input))
  for (const [index, leaf] of leaves.entries()) {
    kept.set(`0/${index}`, leaf)
    frontier.append(leaf, (level, at, subtree) => kept.set(`${level}/${at}`, subtree))
  }
  const hashAt: HashAt = (level, index) => kept.get(`${level}/${index}`)!
  return { tree: createMerkleTree(hash, inputs.length, hashAt), leaves, hashAt }
}

const rfcLeaves = INPUTS.map((input) => Buffer.from(input, 'hex'))
const manyLeaves = Array.from({ length: 70 }, (_, index) => Buffer.from(`leaf ${index}`))

describe('roots', () => {
  test.each(ROOTS.map((root, size) => ({ size, root })))('of $size leaves', ({ size, root }) => {
    const { tree } = grow(rfcLeaves)
    const frontier = new Frontier(hash)
    for (const leaf of rfcLeaves.slice(0, size)) frontier.append(hash.leaf(leaf))
    expect([hex(tree.root(size)), hex(frontier.root())]).toEqual([root, root])
  })

  test('a frontier grows on from the subtrees of any size', () => {
    const { tree, leaves, hashAt } = grow(manyLeaves)
    for (let size = 0; size <= 70; size += 1) {
      const frontier = new Frontier(hash, size, hashAt)
      for (const leaf of leaves.slice(size)) frontier.append(leaf)
      expect(hex(frontier.root())).toBe(hex(tree.root(70)))
    }
  })
})

/** RFC 9162 §2.1.3.2. */
function rootByInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
) {
  let [first, last, root] = [index, size - 1, leaf]
  for (const node of proof) {
    if (last === 0) return undefined
    if (first % 2 === 1 || first === last) {
      root = hash.node(node, root)
      while (first % 2 === 0 && first !== 0) [first, last] = [first >> 1, last >> 1]
    } else root = hash.node(root, node)
    ;[first, last] = [first >> 1, last >> 1]
  }
  return last === 0 ? root : undefined
}

/** RFC 9162 §2.1.4.2. */
function rootsByConsistency(
  from: number,
  to: number,
  fromRoot: Uint8Array,
  proof: readonly Uint8Array[],
) {
  const path = Number.isInteger(Math.log2(from)) ? [fromRoot, ...proof] : [...proof]
  let [first, last] = [from - 1, to - 1]
  while (first % 2 === 1) [first, last] = [first >> 1, last >> 1]
  let [old, root] = [path[0]!, path[0]!]
  for (const node of path.slice(1)) {
    if (last === 0) return undefined
    if (first % 2 === 1 || first === last) {
      ;[old, root] = [hash.node(node, old), hash.node(node, root)]
      while (first % 2 === 0 && first !== 0) [first, last] = [first >> 1, last >> 1]
    } else root = hash.node(root, node)
    ;[first, last] = [first >> 1, last >> 1]
  }
  return last === 0 ? [old, root].map(hex) : undefined
}

describe('proofs', () => {
  const { tree, leaves } = grow(manyLeaves)

  test('of every leaf in every tree lead to its root', () => {
    for (let size = 1; size <= 70; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const root = rootByInclusion(leaves[index]!, index, size, tree.inclusionProof(index, size))
        expect(root && hex(root)).toBe(hex(tree.root(size)))
      }
    }
  })

  test('of every tree in every later one lead to both roots', () => {
    for (let to = 2; to <= 70; to += 1) {
      for (let from = 1; from < to; from += 1) {
        const [old, root] = [tree.root(from), tree.root(to)]
        const proof = tree.consistencyProof(from, to)
        expect(rootsByConsistency(from, to, old, proof)).toEqual([old, root].map(hex))
      }
    }
  })

  test('are empty where there is nothing to prove', () => {
    expect([
      tree.inclusionProof(0, 1),
      tree.consistencyProof(0, 9),
      tree.consistencyProof(9, 9),
    ]).toEqual([[], [], []])
  })

  test.each([
    ['a root', () => tree.root(71)],
    ['a negative size', () => tree.root(-1)],
    ['a leaf beyond its tree', () => tree.inclusionProof(5, 5)],
    ['a leaf of a tree to come', () => tree.inclusionProof(5, 71)],
    ['no whole index', () => tree.inclusionProof(0.5, 9)],
    ['a tree to come', () => tree.consistencyProof(5, 71)],
    ['a later tree in an earlier one', () => tree.consistencyProof(6, 5)],
  ])('%s is a RangeError', (_, ask) => {
    expect(ask).toThrow(RangeError)
  })
})
