/**
 * A log's tree as it is found on disk. What is kept beyond the newest checkpoint may be torn or of a write that never came to
 * disk, so the tree begins at that checkpoint and is made on from the entries; the checkpoint itself is looked at through the
 * subtrees, in a few reads however long the log is. What does not fit is made anew from all entries; where these do not fit
 * either, the log is damaged: its leaves stay as they are, as evidence, and others are made elsewhere, to read by.
 */
import { existsSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { AuditProofError, type Checkpoint } from '../../lib/src/audit/index.ts'
import { Frontier } from '../core/merkle.ts'
import { type LogKey, readText, removeOldDrafts } from './checkpoint-file.ts'
import { openIfThere } from './file-range.ts'
import { GrowingTree } from './growing-tree.ts'
import { LineBuffer, treeHash } from './line-buffer.ts'
import { checkpointPath, damagedFolder, entriesPath, witnessedPath } from './log-paths.ts'

/** A tree that was there once: no later one without it. */
export type SignedTree = Pick<Checkpoint, 'size'> & { readonly root: Uint8Array }

export interface OpenedTree {
  readonly tree: GrowingTree
  /** What is wrong; undefined: all fits what was signed. */
  readonly damage: string | undefined
  /** Whether what an index has of the log may be of other entries. */
  readonly isOther: boolean
}

/** @param seen trees that were met before, those on disk aside */
export async function openTree(
  folder: string,
  key: LogKey,
  seen: readonly SignedTree[],
): Promise<OpenedTree> {
  removeOldDrafts(folder)
  const signed = await readSigned(folder, key)
  const expected = [...signed.trees, ...seen].sort((a, b) => b.size - a.size)
  const kept = signed.damage === undefined ? keptTree(folder, expected) : undefined
  const damage = kept ? undefined : (signed.damage ?? (await damageOf(folder, expected)))
  const elsewhere = damagedFolder(folder)
  const wasDamaged = existsSync(elsewhere)
  if (damage !== undefined) {
    await mkdir(elsewhere, { recursive: true, mode: 0o700 })
    return { tree: new GrowingTree({ folder, keptIn: elsewhere }), damage, isOther: true }
  }
  rmSync(elsewhere, { recursive: true, force: true })
  const tree = kept ?? new GrowingTree({ folder, keptIn: folder })
  return { tree, damage, isOther: wasDamaged }
}

interface Signed {
  readonly trees: readonly SignedTree[]
  readonly damage: string | undefined
}

async function readSigned(folder: string, key: LogKey): Promise<Signed> {
  const trees: SignedTree[] = []
  for (const path of [checkpointPath(folder), witnessedPath(folder)]) {
    const text = readText(path)
    if (text === undefined) continue
    const tree = await verified(key, text)
    if (tree === undefined) return { trees, damage: FOREIGN_CHECKPOINT }
    trees.push(tree)
  }
  return { trees, damage: undefined }
}

export const FOREIGN_CHECKPOINT = 'its checkpoint is not one that the log key signed'

/** Undefined for what the key did not sign, of this log. */
export async function verified(key: LogKey, signedNote: string): Promise<SignedTree | undefined> {
  try {
    return await key.verify(signedNote)
  } catch (fault) {
    if (fault instanceof AuditProofError) return undefined
    throw fault
  }
}

/** The tree from its files, at the largest tree expected; undefined where they do not fit. */
function keptTree(folder: string, expected: readonly SignedTree[]): GrowingTree | undefined {
  const tree = new GrowingTree({ folder, keptIn: folder })
  const isWhole = tree.startAt(expected[0]?.size ?? 0)
  return isWhole && expected.every((each) => fits(tree, each)) ? tree : undefined
}

/** Whether the tree has this one as its beginning; throws where it is smaller. */
export function fits(tree: GrowingTree, { size, root }: SignedTree): boolean {
  try {
    return Buffer.compare(tree.tree().root(size), root) === 0
  } catch (fault) {
    if (fault instanceof RangeError) return false // of what is kept, something is missing
    throw fault
  }
}

async function damageOf(
  folder: string,
  expected: readonly SignedTree[],
): Promise<string | undefined> {
  const roots = await rootsOf(entriesPath(folder), expected)
  const wrong = expected.find(
    ({ size, root }) => Buffer.compare(roots.get(size) ?? none, root) !== 0,
  )
  if (wrong === undefined) return undefined
  return roots.has(wrong.size)
    ? `its first ${wrong.size} entries are not those that were signed`
    : `it has fewer than the ${wrong.size} entries that were signed`
}

const none = new Uint8Array(0)

/** The roots of the entries' trees of these sizes, as far as there are entries. */
async function rootsOf(
  path: string,
  expected: readonly SignedTree[],
): Promise<ReadonlyMap<number, Uint8Array>> {
  const sizes = new Set(expected.map(({ size }) => size))
  const frontier = new Frontier(treeHash)
  const roots = new Map([[0, frontier.root()]])
  const lines = new LineBuffer()
  const file = await openIfThere(path)
  if (file === undefined) return roots
  try {
    for (let at = 0; ; ) {
      const { bytesRead } = await file.read(lines.room(), { position: at })
      if (bytesRead === 0) return roots
      at += bytesRead
      const count = lines.take(bytesRead)
      for (let line = 0; line < count; line += 1) {
        frontier.append(lines.leafHash(line))
        if (sizes.has(frontier.size)) roots.set(frontier.size, frontier.root())
      }
      await setImmediate()
    }
  } finally {
    await file.close()
  }
}
