/** Single mutations of a copy of a log, and what a verification has to say of each. Chosen by a seed, so that each can be had again. */

import { LEAF_OCTETS } from '../../server/audit/leaf-file.ts'
import { type LogCopy, sourceOf } from '../../server/audit/log-copy.ts'
import { HASH_OCTETS } from '../../server/audit/subtree-files.ts'
import type { DamageKind } from '../../server/core/log-damage.ts'
import { lineOf } from './log-stage.ts'

export interface LogFiles {
  readonly entries: Buffer
  readonly leaves: Buffer
  readonly subtrees: Buffer
  readonly checkpoint: Buffer
  readonly witnessed: Buffer
  readonly key: Buffer
}

export interface Mutation {
  readonly what: string
  readonly files: LogFiles
  readonly kind: DamageKind
  readonly index?: number
  readonly other?: number
}

export function copyOf(files: LogFiles): LogCopy {
  return {
    entries: sourceOf(files.entries),
    leaves: sourceOf(files.leaves),
    subtrees: (file) => sourceOf(file === 1 ? files.subtrees : Buffer.alloc(0)),
    checkpoint: files.checkpoint.toString(),
    witnessed: files.witnessed.toString(),
    key: files.key.toString(),
  }
}

/** Mulberry32: small, and the same everywhere. */
export function createChance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Chance = (below: number) => number

interface Lines {
  readonly lines: readonly Buffer[]
  readonly files: LogFiles
}

export function linesOf(entries: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < entries.length; ) {
    const end = entries.indexOf(0x0a, start)
    lines.push(entries.subarray(start, end + 1))
    start = end + 1
  }
  return lines
}

const withLines = ({ files }: Lines, lines: readonly Buffer[]): LogFiles => ({
  ...files,
  entries: Buffer.concat(lines),
})

const ENTRIES: Record<string, (log: Lines, chance: Chance) => Mutation> = {
  delete: (log, chance) => {
    const { lines } = log
    const index = chance(lines.length)
    const files = withLines(log, lines.toSpliced(index, 1))
    const kind = index === lines.length - 1 ? 'cut' : 'removed'
    return { what: `entry ${index} deleted`, files, kind, index }
  },
  insert: (log, chance) => {
    const index = chance(log.lines.length)
    const files = withLines(log, log.lines.toSpliced(index, 0, Buffer.from(`${lineOf(index)}\n`)))
    return { what: `an entry inserted at ${index}`, files, kind: 'inserted', index }
  },
  duplicate: (log, chance) => {
    const [other, at] = [chance(log.lines.length - 1), chance(log.lines.length)]
    const files = withLines(log, log.lines.toSpliced(at, 0, log.lines[other]!))
    const index = at === other ? at + 1 : at
    return { what: `entry ${other} again at ${at}`, files, kind: 'repeated', index, other }
  },
  swap: (log, chance) => {
    const { lines } = log
    const index = chance(lines.length - 1)
    const other = index + 1 + chance(lines.length - 1 - index)
    const files = withLines(log, lines.with(index, lines[other]!).with(other, lines[index]!))
    return { what: `entries ${index} and ${other} swapped`, files, kind: 'swapped', index, other }
  },
  cut: ({ files }, chance) => {
    const octets = chance(files.entries.length)
    const entries = files.entries.subarray(0, octets)
    const index = entries.reduce((count, octet) => count + (octet === 0x0a ? 1 : 0), 0)
    return {
      what: `entries cut at octet ${octets}`,
      files: { ...files, entries },
      kind: 'cut',
      index,
    }
  },
  flip: ({ lines, files }, chance) => {
    const [entries, at] = flipped(files.entries, chance)
    let [index, end] = [0, lines[0]!.length]
    while (end <= at) {
      index += 1
      end += lines[index]!.length
    }
    const isLastEnd = at === files.entries.length - 1
    const what = `bit of octet ${at} of the entries`
    return { what, files: { ...files, entries }, kind: isLastEnd ? 'cut' : 'changed', index }
  },
}

function flipped(bytes: Buffer, chance: Chance): [changed: Buffer, at: number] {
  const changed = Buffer.from(bytes)
  const at = chance(bytes.length)
  changed[at] = bytes[at]! ^ (1 << chance(8))
  return [changed, at]
}

const RECORDS = { leaves: LEAF_OCTETS, subtrees: HASH_OCTETS } as const
const RECORDED = ['leaves', 'subtrees'] as const
const TEXTS = ['checkpoint', 'witnessed', 'key'] as const

/** Half of all touch the entries, the rest what is kept beside them. */
export function mutate(log: Lines, chance: Chance): Mutation {
  const names = Object.keys(ENTRIES)
  if (chance(2) === 0) return ENTRIES[names[chance(names.length)]!]!(log, chance)
  const { files } = log
  const kinds = [...RECORDED, ...TEXTS].filter((name) => files[name].length > 0)
  const kind = kinds[chance(kinds.length)]!
  const isCut = chance(4) === 0
  const octets = chance(files[kind].length)
  const [changed, at] = isCut
    ? [files[kind].subarray(0, octets), octets]
    : flipped(files[kind], chance)
  const what = `${kind} ${isCut ? 'cut' : 'flipped'} at ${at}`
  const index = kind in RECORDS ? Math.floor(at / RECORDS[kind as keyof typeof RECORDS]) : undefined
  return { what, files: { ...files, [kind]: changed }, kind, ...(index !== undefined && { index }) }
}
