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

const hash = createTreeHash((bytes) => createHash('sha256').update(bytes).digest())
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The inputs and roots that implementations of RFC 6962 have agreed on since its first one. */
const INPUTS = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

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
