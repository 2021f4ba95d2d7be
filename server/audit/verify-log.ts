/**
 * Whether a copy of a log is whole, and where it is not. Three things say what the entries were: the entries, the leaves kept of
 * them, and what was signed. Whichever of the first two fits the third is right, and how the other differs from it is named.
 */
import { compareLeaves, type LeafDifference } from '../core/leaf-difference.ts'
import { cutAt, type Damage, nameDifferences } from '../core/log-damage.ts'
import { Frontier } from '../core/merkle.ts'
import {
  chooseKey,
  type HeldCheckpoint,
  readCheckpoints,
  type SignedSize,
} from './copy-checkpoints.ts'
import { entryHashes, keptHashes, placesOf } from './hash-sequences.ts'
import { hashIn } from './leaf-file.ts'
import { type LeafPass, type OnProgress, passOver } from './leaf-pass.ts'
import { treeHash } from './line-buffer.ts'
import type { LogCopy } from './log-copy.ts'
import { leavesFrom } from './record-reader.ts'

export interface VerifyOptions {
  /** The log's verifier key, from elsewhere. */
  readonly vkey?: string | undefined
  /** Checkpoints from elsewhere. */
  readonly held?: readonly HeldCheckpoint[]
  readonly onProgress?: OnProgress
}

export interface LogReport extends Pick<LeafPass, 'entries' | 'unended' | 'torn' | 'tornCount'> {
  /** How many entries the largest good checkpoint signs; those after it are not signed yet. */
  readonly signed: number
  /** Whether the key came from elsewhere. One from the copy proves nothing against whoever could write there. */
  readonly isKeyGiven: boolean
  readonly damages: readonly Damage[]
}

export async function verifyLog(copy: LogCopy, options: VerifyOptions = {}): Promise<LogReport> {
  const key = await chooseKey(copy, options.vkey)
  const { signed, damages } = await readCheckpoints(copy, key.vkey, options.held ?? [])
  const pass = passOver(copy, new Set(signed.map(({ size }) => size)), options.onProgress)
  const { entries, unended, torn, tornCount } = pass
  return {
    entries,
    unended,
    torn,
    tornCount,
    signed: Math.max(0, ...signed.map(({ size }) => size)),
    isKeyGiven: options.vkey !== undefined,
    damages: [...key.damages, ...damages, ...damagesOf(copy, pass, signed)],
  }
}

function damagesOf(
  copy: LogCopy,
  pass: LeafPass,
  signed: readonly SignedSize[],
): readonly Damage[] {
  const isBad = ({ size, root }: SignedSize): boolean => !isSame(pass.roots.get(size), root)
  const bad = signed.filter(isBad)
  const good = Math.max(0, ...signed.filter((each) => !isBad(each)).map(({ size }) => size))
  if (bad.length === 0) return besideEntries(copy, pass, good)
  const roots = rootsOfLeaves(copy, new Set(bad.map(({ size }) => size)))
  const borneOut = bad.filter(({ size, root }) => isSame(roots.get(size), root))
  const largest = bad.filter((each) => !borneOut.includes(each)).sort(bySize)[0]
  const sure = Math.max(good, ...borneOut.map(({ size }) => size))
  return [
    ...(borneOut.length > 0 ? differencesOf(copy, pass, sure) : []),
    ...(largest === undefined ? [] : [unlike(pass, largest, sure)]),
  ]
}

const bySize = (one: SignedSize, other: SignedSize): number => other.size - one.size

/** Neither entries nor leaves are what was signed. */
function unlike({ entries, leaves, firstOther }: LeafPass, note: SignedSize, sure: number): Damage {
  const most = Math.max(entries, leaves)
  if (note.size > most) return cutAt(most, `${note.name} has ${note.size}`)
  const index = firstOther ?? sure
  const place =
    firstOther === undefined ? `some of entries ${sure} to ${note.size - 1}` : `entry ${index}`
  const text = `${place} changed, or the leaf file with it: neither fits ${note.name} of ${note.size}`
  return { kind: 'changed', index, text }
}

/** The entries are those that were signed, as far as anything was. */
function besideEntries(copy: LogCopy, pass: LeafPass, signed: number): readonly Damage[] {
  return [...leafDamages(copy, pass, signed), ...subtreeDamages(pass, signed)]
}

const WHOLE = 'the entries are whole'

function leafDamages(copy: LogCopy, pass: LeafPass, signed: number): readonly Damage[] {
  const { firstOther, leaves, entries } = pass
  if (firstOther !== undefined) {
    const unsigned = firstOther < signed ? [] : differencesOf(copy, pass, signed)
    if (unsigned.length > 0)
      return unsigned.map((each) => ({ ...each, text: `${each.text} (not signed yet)` }))
    const text = `the leaf file is damaged at ${firstOther}; ${WHOLE}`
    return [{ kind: 'leaves', index: firstOther, text }]
  }
  if (leaves < signed) {
    const text = `the leaf file ends before leaf ${leaves}; ${WHOLE}`
    return [{ kind: 'leaves', index: leaves, text }]
  }
  return leaves > entries ? [cutAt(entries, `the leaf file has ${leaves}`)] : []
}

function subtreeDamages({ otherSubtrees }: LeafPass, signed: number): readonly Damage[] {
  return [...otherSubtrees]
    .filter(([file, index]) => (index + 1) * 256 ** file <= signed)
    .map(([file, index]) => ({
      kind: 'subtrees' as const,
      index,
      text: `the file subtrees-${file} is damaged at ${index}; ${WHOLE}`,
    }))
}

/** How the entries differ from the leaves that were kept of them. */
function differencesOf(copy: LogCopy, pass: LeafPass, signed: number): readonly Damage[] {
  const { leaves } = pass
  const first = pass.firstOther ?? Math.min(pass.entries, leaves)
  const differences = compareLeaves(keptHashes(copy, first), entryHashes(copy, first)).map(
    (each): LeafDifference => ({ ...each, index: first + each.index, found: first + each.found }),
  )
  const found = new Set(differences.flatMap(({ foundHashes }) => foundHashes))
  return nameDifferences(differences, { leaves, signed, places: placesOf(copy, found) })
}

function rootsOfLeaves(
  { leaves }: LogCopy,
  sizes: ReadonlySet<number>,
): ReadonlyMap<number, Uint8Array> {
  const roots = new Map<number, Uint8Array>()
  const frontier = new Frontier(treeHash)
  const records = leavesFrom(leaves)
  for (let record = records.next(); record !== undefined; record = records.next()) {
    frontier.append(Buffer.from(hashIn(record)))
    if (sizes.has(frontier.size)) roots.set(frontier.size, frontier.root())
  }
  return roots
}

function isSame(root: Uint8Array | undefined, other: Uint8Array): boolean {
  return root !== undefined && Buffer.compare(root, other) === 0
}
