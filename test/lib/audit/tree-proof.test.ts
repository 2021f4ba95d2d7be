import { leafHash, verifyConsistency, verifyInclusion } from '@actchain/verifier/audit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { consistencyProof, inclusionProof, rootOf } from '../../support/naive-tree.ts'
import { outcomeOf, utf8 } from '../../support/proven-log.ts'
import { INPUTS, ROOTS } from '../../support/published-tree.ts'

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex')
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

// The eight leaves, their roots and proofs that Certificate Transparency's implementations are tried with.
const LEAVES = INPUTS.map(hex)
const NODES = {
  leaf1: '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  pair1: '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  half1: '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  leaf4: 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  pair2: '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
  pair3: 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
}
const [, leaf0 = '', pair0 = '', , half0 = ''] = ROOTS
const { leaf1, pair1, half1, leaf4, pair2, pair3 } = NODES

describe('published trees', () => {
  test.each([
    { index: 0, size: 1, proof: [] },
    { index: 0, size: 8, proof: [leaf1, pair1, half1] },
    { index: 5, size: 8, proof: [leaf4, pair3, half0] },
    { index: 2, size: 3, proof: [pair0] },
    { index: 1, size: 5, proof: [leaf0, pair1, leaf4] },
  ])('leaf $index of $size', async ({ index, size, proof }) => {
    const leaf = LEAVES[index] ?? expect.unreachable()
    const root = hex(ROOTS[size] ?? '')
    await verifyInclusion({ leaf, index, size, proof: proof.map(hex), root })
  })

  test.each([
    { from: 1, to: 1, proof: [] },
    { from: 1, to: 8, proof: [leaf1, pair1, half1] },
    { from: 6, to: 8, proof: [pair2, pair3, half0] },
    { from: 2, to: 5, proof: [pair1, leaf4] },
    {
      from: 6,
      to: 7,
      proof: [pair2, 'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f', half0],
    },
    { from: 0, to: 8, proof: [] },
    { from: 0, to: 0, proof: [] },
  ])('from $from leaves to $to', async ({ from, to, proof }) => {
    const fromRoot = hex(ROOTS[from] ?? '')
    await verifyConsistency({
      from,
      to,
      proof: proof.map(hex),
      fromRoot,
      toRoot: hex(ROOTS[to] ?? ''),
    })
  })

  test('the naive tree of these tests has the same roots', () => {
    for (const [size, root] of ROOTS.entries())
      expect(toHex(rootOf(LEAVES.slice(0, size)))).toBe(root)
  })

  test('the leaf hash of a record of sum.golang.org', async () => {
    const record =
      'github.com/transparency-dev/tessera v1.0.0 h1:4OT1V9xJLa5NnYlFWWlCdZkCm18/o12rdd+bCTje7XE=\ngithub.com/transparency-dev/tessera v1.0.0/go.mod h1:TLvfjlkbmsmKVEJUtzO2eb9Q2IBnK3EJ0dI4G0oxEOU=\n'
    expect(toHex(await leafHash(utf8(record)))).toBe(
      '0fa57c511c3b2ffcc0a05ad63172568d265aaf9844e9b636a0978795396f2ab1',
    )
  })
})

const leavesOf = (size: number): readonly Uint8Array[] =>
  Array.from({ length: size }, (_, at) => utf8(`leaf ${at}`))

describe('every proof of every tree up to 33 leaves', () => {
  const all = leavesOf(33)

  test('of inclusion holds, and for no other index', async () => {
    for (let size = 1; size <= all.length; size++) {
      const leaves = all.slice(0, size)
      const root = rootOf(leaves)
      for (const [index, leaf] of leaves.entries()) {
        const proof = inclusionProof(index, leaves)
        await verifyInclusion({ leaf, index, size, proof, root })
        const other = (index + 1) % size
        if (other !== index)
          expect(
            await outcomeOf(verifyInclusion({ leaf, index: other, size, proof, root })),
          ).toMatch(/^(?:leaf_not_included|proof_length_wrong)$/)
      }
    }
  })

  test('of consistency holds, and to no other tree', async () => {
    for (let to = 1; to <= all.length; to++) {
      const toRoot = rootOf(all.slice(0, to))
      const forged = rootOf([...all.slice(1, to), utf8('another')])
      for (let from = 1; from < to; from++) {
        const fromRoot = rootOf(all.slice(0, from))
        const proof = consistencyProof(from, all.slice(0, to))
        await verifyConsistency({ from, to, proof, fromRoot, toRoot })
        for (const [one, other] of [
          [forged, toRoot],
          [fromRoot, forged],
        ] as const)
          expect(
            await outcomeOf(verifyConsistency({ from, to, proof, fromRoot: one, toRoot: other })),
          ).toBe('trees_inconsistent')
      }
    }
  })
})

describe('a proof that is not of this leaf, tree and place', () => {
  const aTree = fc
    .integer({ min: 1, max: 70 })
    .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }))
  /** Hashes of a proof: one another, one missing, one more, two swapped. */
  const spoilt = (proof: readonly Uint8Array[], at: number, how: string): readonly Uint8Array[] => {
    const hashes = proof.map((each) => new Uint8Array(each))
    const [spot = new Uint8Array(32)] = hashes.splice(at, 1)
    if (how === 'missing') return hashes
    if (how === 'swapped') return [...hashes, spot]
    const flipped = spot.map((octet, place) => (place === at % 32 ? octet ^ 1 : octet))
    return hashes.toSpliced(at, 0, ...(how === 'another' ? [flipped] : [spot, flipped]))
  }
  const spoiling = fc.constantFrom('another', 'missing', 'more', 'swapped')

  test('of inclusion never holds', async () => {
    await fc.assert(
      fc.asyncProperty(aTree, fc.nat(8), spoiling, async ({ size, index }, at, how) => {
        const leaves = leavesOf(size)
        const proof = inclusionProof(index, leaves)
        const other = spoilt(proof, Math.min(at, proof.length), how)
        fc.pre(
          other.length !== proof.length ||
            other.some((each, place) => toHex(each) !== toHex(proof[place]!)),
        )
        const leaf = leaves[index] ?? expect.unreachable()
        expect(
          await outcomeOf(
            verifyInclusion({ leaf, index, size, proof: other, root: rootOf(leaves) }),
          ),
        ).toBe(other.length === proof.length ? 'leaf_not_included' : 'proof_length_wrong')
      }),
    )
  })

  test('of consistency never holds', async () => {
    await fc.assert(
      fc.asyncProperty(aTree, fc.nat(8), spoiling, async ({ size: to, index: from }, at, how) => {
        fc.pre(from > 0)
        const leaves = leavesOf(to)
        const proof = consistencyProof(from, leaves)
        const other = spoilt(proof, Math.min(at, proof.length), how)
        fc.pre(
          other.length !== proof.length ||
            other.some((each, place) => toHex(each) !== toHex(proof[place]!)),
        )
        const roots = { fromRoot: rootOf(leaves.slice(0, from)), toRoot: rootOf(leaves) }
        expect(await outcomeOf(verifyConsistency({ from, to, proof: other, ...roots }))).toBe(
          other.length === proof.length ? 'trees_inconsistent' : 'proof_length_wrong',
        )
      }),
    )
  })

  test('never takes a node for a leaf', async () => {
    const leaves = leavesOf(4)
    const [a, b] = [await leafHash(leaves[0]!), await leafHash(leaves[1]!)]
    const node = Buffer.concat([a, b])
    const proof = [rootOf(leaves.slice(2))]
    expect(
      await outcomeOf(
        verifyInclusion({ leaf: node, index: 0, size: 2, proof, root: rootOf(leaves) }),
      ),
    ).toBe('leaf_not_included')
  })

  test.each([
    ['index beyond the tree', { index: 3 }, 'index_beyond_size'],
    ['index below none', { index: -1 }, 'index_beyond_size'],
    ['index between two', { index: 0.5 }, 'index_beyond_size'],
    ['index that is no number', { index: Number.NaN }, 'index_beyond_size'],
    ['tree without leaves', { index: 0, size: 0 }, 'index_beyond_size'],
    ['tree beyond exact numbers', { size: 2 ** 53 }, 'index_beyond_size'],
    ['short hash', { proof: [new Uint8Array(31), new Uint8Array(32)] }, 'proof_malformed'],
    ['long hash', { proof: [new Uint8Array(33), new Uint8Array(32)] }, 'proof_malformed'],
    [
      'endless proof',
      { proof: Array<Uint8Array>(100_000).fill(new Uint8Array(32)) },
      'proof_length_wrong',
    ],
    ['short root', { root: new Uint8Array(31) }, 'leaf_not_included'],
  ])('of inclusion is refused with an %s', async (_what, change, reason) => {
    const leaves = leavesOf(3)
    const whole = {
      leaf: leaves[0]!,
      index: 0,
      size: 3,
      proof: inclusionProof(0, leaves),
      root: rootOf(leaves),
    }
    await verifyInclusion(whole)
    expect(await outcomeOf(verifyInclusion({ ...whole, ...change }))).toBe(reason)
  })

  test.each([
    ['later tree that is smaller', { from: 6, to: 5 }, 'sizes_reversed'],
    ['size below none', { from: -1 }, 'sizes_reversed'],
    ['size between two', { from: 1.5 }, 'sizes_reversed'],
    ['size beyond exact numbers', { to: 2 ** 53 }, 'sizes_reversed'],
    ['empty proof', { proof: [] }, 'proof_length_wrong'],
    ['proof where the trees are one', { from: 5 }, 'proof_length_wrong'],
    ['proof where the earlier tree is empty', { from: 0 }, 'proof_length_wrong'],
    ['earlier tree that should be empty and is not', { from: 0, proof: [] }, 'trees_inconsistent'],
    ['tree of the same size and another root', { from: 5, proof: [] }, 'trees_inconsistent'],
    [
      'short hash at its start',
      { proof: [new Uint8Array(31), new Uint8Array(32), new Uint8Array(32)] },
      'proof_malformed',
    ],
  ])('of consistency is refused with an %s', async (_what, change, reason) => {
    const leaves = leavesOf(5)
    const roots = { fromRoot: rootOf(leaves.slice(0, 3)), toRoot: rootOf(leaves) }
    const whole = { from: 3, to: 5, proof: consistencyProof(3, leaves), ...roots }
    await verifyConsistency(whole)
    expect(await outcomeOf(verifyConsistency({ ...whole, ...change }))).toBe(reason)
  })
})

test('trees beyond 32 bits: a proof has as many hashes as the tree has levels', async () => {
  const size = 2 ** 53 - 1
  const leaf = utf8('leaf')
  const sibling = new Uint8Array(32)
  const outcomeWith = (index: number, length: number) =>
    outcomeOf(
      verifyInclusion({
        leaf,
        index,
        size,
        proof: Array<Uint8Array>(length).fill(sibling),
        root: sibling,
      }),
    )
  expect(await outcomeWith(2 ** 40, 52)).toBe('proof_length_wrong')
  expect(await outcomeWith(2 ** 40, 53)).toBe('leaf_not_included')
  expect(await outcomeWith(2 ** 40, 54)).toBe('proof_length_wrong')
})
