/** What is wrong with a copy of a log, each in a sentence: from how its entries differ from the leaves that were kept of them. */
import type { LeafDifference } from './leaf-difference.ts'

export type DamageKind =
  | 'changed'
  | 'removed'
  | 'inserted'
  | 'repeated'
  | 'swapped'
  | 'moved'
  | 'cut'
  | 'leaves'
  | 'subtrees'
  | 'checkpoint'
  | 'witnessed'
  | 'key'
  | 'held_checkpoint'

export interface Damage {
  readonly kind: DamageKind
  /** Of the first bad entry, leaf or subtree; undefined where it is none of these. */
  readonly index?: number
  /** Of what was swapped or repeated: the other entry. */
  readonly other?: number
  readonly text: string
}

export interface RecordedLog {
  /** Leaves that are kept, and how many of them a checkpoint signs. */
  readonly leaves: number
  readonly signed: number
  /** Where the leaves have hashes that were found in other places. */
  readonly places: ReadonlyMap<string, number>
}

export function nameDifferences(
  differences: readonly LeafDifference[],
  log: RecordedLog,
): readonly Damage[] {
  const namer = new Namer(differences, log)
  return differences.flatMap((difference) => namer.name(difference))
}

/** Entries changed side by side that are named one by one. */
const MOST_TOLD = 16

class Namer {
  readonly #log: RecordedLog
  /** Where hashes stood that stand there no more, and where others stand that did not. */
  readonly #gone = new Map<string, number>()
  readonly #come = new Map<string, number>()

  constructor(differences: readonly LeafDifference[], log: RecordedLog) {
    this.#log = log
    for (const { index, found, recordedHashes, foundHashes } of differences) {
      for (const [at, hash] of recordedHashes.entries()) this.#gone.set(hash, index + at)
      for (const [at, hash] of foundHashes.entries()) this.#come.set(hash, found + at)
    }
  }

  name(difference: LeafDifference): readonly Damage[] {
    const { index, found, recordedHashes, foundHashes } = difference
    const [before, now] = [recordedHashes.length, foundHashes.length]
    if (now === 0 && index + before === this.#log.leaves && !this.#isElsewhere(recordedHashes))
      return [cutAt(index, this.#more(index))]
    if (before === 2 && now === 1 && !this.#isElsewhere(recordedHashes)) return [joined(index)]
    if (before === 1 && now === 2 && !this.#isElsewhere(recordedHashes)) return [split(index)]
    const both = Math.min(before, now)
    if (both > MOST_TOLD) return [rewritten(index, before, now)]
    return [
      ...Array.from({ length: both }, (_, at) =>
        this.#replaced(index + at, recordedHashes[at] ?? '', foundHashes[at] ?? ''),
      ).flat(),
      ...this.#removed(index + both, recordedHashes.slice(both)),
      // What stands behind the last leaf came after it: it is not signed yet, and nothing is wrong with it.
      ...(index + both === this.#log.leaves
        ? []
        : foundHashes.slice(both).flatMap((hash, at) => this.#inserted(found + both + at, hash))),
    ]
  }

  #more(index: number): string {
    const { signed, leaves } = this.#log
    return index < signed ? `the checkpoint has ${signed}` : `the leaf file has ${leaves}`
  }

  #isElsewhere(hashes: readonly string[]): boolean {
    return hashes.some((hash) => this.#come.has(hash))
  }

  #replaced(index: number, before: string, now: string): readonly Damage[] {
    const [wentTo, cameFrom] = [this.#come.get(before), this.#gone.get(now)]
    if (wentTo !== undefined && cameFrom !== undefined) {
      return index < cameFrom ? [swapped(index, cameFrom)] : []
    }
    const copied = this.#log.places.get(now)
    if (copied === undefined)
      return [{ kind: 'changed', index, text: `entry ${index} was changed` }]
    const text = `entry ${index} was changed: in its place is entry ${copied} again`
    return [{ kind: 'changed', index, other: copied, text }]
  }

  #removed(first: number, hashes: readonly string[]): readonly Damage[] {
    const gone: number[] = []
    const moved: Damage[] = []
    for (const [at, hash] of hashes.entries()) {
      const [index, other] = [first + at, this.#come.get(hash)]
      if (other === undefined) gone.push(index)
      else if (Math.abs(other - index) === 1) moved.push(swapped(index, other))
      else moved.push({ kind: 'moved', index, other, text: `entry ${index} was moved to ${other}` })
    }
    return [...(gone.length === 0 ? [] : [removed(gone)]), ...moved]
  }

  #inserted(index: number, hash: string): readonly Damage[] {
    if (this.#gone.has(hash)) return [] // moved: told where it was
    const other = this.#log.places.get(hash)
    if (other === undefined)
      return [{ kind: 'inserted', index, text: `entry ${index} was inserted` }]
    const text = `entry ${index} was inserted: it is entry ${other} again`
    return [{ kind: 'repeated', index, other, text }]
  }
}

/** @param why what says that there were more */
export function cutAt(index: number, why: string): Damage {
  const where = index === 0 ? 'the log was emptied' : `the log was cut after entry ${index - 1}`
  return { kind: 'cut', index, text: `${where}: ${why}` }
}

function swapped(one: number, other: number): Damage {
  const [index, second] = [Math.min(one, other), Math.max(one, other)]
  const text = `entries ${index} and ${second} are swapped`
  return { kind: 'swapped', index, other: second, text }
}

function removed(indexes: readonly number[]): Damage {
  const [index = 0] = indexes
  const last = indexes.at(-1) ?? index
  const text =
    index === last ? `entry ${index} was removed` : `entries ${index} to ${last} were removed`
  return { kind: 'removed', index, text }
}

function rewritten(index: number, before: number, now: number): Damage {
  const place = `entries ${index} to ${index + before - 1} were changed`
  return { kind: 'changed', index, text: `${place}: ${now} other lines are in their place` }
}

function joined(index: number): Damage {
  const text = `entries ${index} and ${index + 1} were changed: one other line is in their place`
  return { kind: 'changed', index, text }
}

function split(index: number): Damage {
  const text = `entry ${index} was changed: two other lines are in its place`
  return { kind: 'changed', index, text }
}
