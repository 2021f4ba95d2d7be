/**
 * Proofs about a Merkle tree: a leaf is in it, one tree begins with another (RFC 9162 §2.1). Proofs are hostile: the work they
 * make is bounded by the number of levels that a tree of their size has, however long they are.
 */
import { AuditProofError } from './audit-proof-error.ts'
import { areEqual, sha256 } from './bytes.ts'

const HASH_LENGTH = 32
const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

export interface Inclusion {
  /** The leaf's own octets, not its hash. */
  readonly leaf: Uint8Array
  /** From 0. */
  readonly index: number
  /** Leaves in the tree. */
  readonly size: number
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

export interface Consistency {
  /** Leaves in the earlier and in the later tree. */
  readonly from: number
  readonly to: number
  readonly proof: readonly Uint8Array[]
  readonly fromRoot: Uint8Array
  readonly toRoot: Uint8Array
}

/** RFC 9162 §2.1.1 */
export function leafHash(leaf: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(LEAF, leaf)
}

/**
 * RFC 9162 §2.1.3.2. Throws AuditProofError: `index_beyond_size`, `proof_malformed`, `proof_length_wrong`,
 * `leaf_not_included`.
 */
export async function verifyInclusion(inclusion: Inclusion): Promise<void> {
  const { leaf, index, size, proof, root } = inclusion
  if (!isCount(index) || !isCount(size) || index >= size)
    throw new AuditProofError('index_beyond_size')
  const climb = new Climb(index, size - 1)
  let hash = await leafHash(leaf)
  for (const sibling of proof) {
    hash = climb.next() === 'left' ? await nodeHash(sibling, hash) : await nodeHash(hash, sibling)
  }
  if (!climb.isAtRoot) throw new AuditProofError('proof_length_wrong')
  if (!areEqual(hash, root)) throw new AuditProofError('leaf_not_included')
}

/**
 * RFC 9162 §2.1.4.2; also for trees of the same size, and for an earlier tree without leaves. Throws AuditProofError:
 * `sizes_reversed`, `proof_malformed`, `proof_length_wrong`, `trees_inconsistent`.
 */
export async function verifyConsistency(consistency: Consistency): Promise<void> {
  const { from, to, proof, fromRoot, toRoot } = consistency
  if (!isCount(from) || !isCount(to) || from > to) throw new AuditProofError('sizes_reversed')
  if (from === 0 || from === to) {
    if (proof.length > 0) throw new AuditProofError('proof_length_wrong')
    const expected = from === to && from > 0 ? toRoot : await sha256()
    const areSame = areEqual(fromRoot, expected) && (from < to || areEqual(toRoot, expected))
    if (!areSame) throw new AuditProofError('trees_inconsistent')
    return
  }
  const climb = new Climb(from - 1, to - 1)
  climb.skipWhole()
  // Where the earlier tree is one full subtree, its root is the first hash, and is not sent.
  const [start, ...rest] = climb.isAtLeft ? [fromRoot, ...proof] : proof
  if (start === undefined) throw new AuditProofError('proof_length_wrong')
  let earlier = checkedHash(start)
  let later = earlier
  for (const sibling of rest) {
    if (climb.next() === 'left') {
      earlier = await nodeHash(sibling, earlier)
      later = await nodeHash(sibling, later)
    } else later = await nodeHash(later, sibling)
  }
  if (!climb.isAtRoot) throw new AuditProofError('proof_length_wrong')
  if (!areEqual(earlier, fromRoot) || !areEqual(later, toRoot))
    throw new AuditProofError('trees_inconsistent')
}

/**
 * The way from a node to the root: its number on its level, and that of the level's last node (`fn` and `sn` of the RFC). Halved
 * by division: sizes may have more than the 32 bits that shifts know.
 */
class Climb {
  #node: number
  #last: number

  constructor(node: number, last: number) {
    this.#node = node
    this.#last = last
  }

  get isAtRoot(): boolean {
    return this.#last === 0
  }

  get isAtLeft(): boolean {
    return this.#node === 0
  }

  /** To the top of the full subtree that ends with this node. */
  skipWhole(): void {
    while (this.#node % 2 === 1) this.#up()
  }

  /** On which side the next sibling is; the way then goes on from above both. Throws AuditProofError `proof_length_wrong`. */
  next(): 'left' | 'right' {
    if (this.#last === 0) throw new AuditProofError('proof_length_wrong')
    const side = this.#node % 2 === 1 || this.#node === this.#last ? 'left' : 'right'
    // A last node without a sibling stands for itself on the level above.
    if (side === 'left') while (this.#node % 2 === 0 && this.#node > 0) this.#up()
    this.#up()
    return side
  }

  #up(): void {
    this.#node = Math.floor(this.#node / 2)
    this.#last = Math.floor(this.#last / 2)
  }
}

function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(NODE, checkedHash(left), checkedHash(right))
}

function checkedHash(hash: Uint8Array): Uint8Array {
  if (hash.length !== HASH_LENGTH) throw new AuditProofError('proof_malformed')
  return hash
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
