/**
 * Where each value of a parsed file stands: a tree beside the values, of offsets in the text. Lines are counted only when a
 * problem is told, because a tenant's files have hundreds of thousands of values and few faults.
 */

export type Path = readonly (string | number)[]

export interface Position {
  /** Both count from 1. */
  readonly line: number
  readonly column: number
}

/** Offset of a value; a mapping's and a list's with those of what is in it. */
export type Place = number | MapPlace | ListPlace

export interface MapPlace {
  readonly start: number
  readonly members: ReadonlyMap<string, MemberPlace>
}

export interface MemberPlace {
  /** Offset of the key. */
  readonly key: number
  readonly value: Place
}

export interface ListPlace {
  readonly start: number
  readonly items: readonly Place[]
}

export interface Places {
  has(path: Path): boolean
  /** Where a value starts; where there is none, its nearest ancestor. */
  at(path: Path): Position
  /** Where the key of a mapping's member starts; where there is none, as `at`. */
  atKey(path: Path): Position
}

export function placesOf(text: string, root: Place): Places {
  const positionOf = countLines(text)
  const at = (path: Path): Position => positionOf(startOf(walk(root, path).place))
  return {
    has: (path) => walk(root, path).depth === path.length,
    at,
    atKey: (path) => {
      const parent = walk(root, path.slice(0, -1))
      const isParent = parent.depth === path.length - 1
      const member = isParent ? memberOf(parent.place, path.at(-1)) : undefined
      return member === undefined ? at(path) : positionOf(member.key)
    },
  }
}

/** As far along the path as there are values. */
function walk(root: Place, path: Path): { readonly place: Place; readonly depth: number } {
  let place = root
  for (const [depth, part] of path.entries()) {
    const next = childOf(place, part)
    if (next === undefined) return { place, depth }
    place = next
  }
  return { place, depth: path.length }
}

function childOf(place: Place, part: string | number): Place | undefined {
  if (typeof place === 'number') return undefined
  if ('items' in place) return typeof part === 'number' ? place.items[part] : undefined
  return memberOf(place, part)?.value
}

function memberOf(place: Place, part: string | number | undefined): MemberPlace | undefined {
  if (typeof place === 'number' || 'items' in place) return undefined
  return typeof part === 'string' ? place.members.get(part) : undefined
}

function startOf(place: Place): number {
  return typeof place === 'number' ? place : place.start
}

/** Line and column of an offset. The lines are counted once, at the first call. */
export function countLines(text: string): (offset: number) => Position {
  let starts: readonly number[] | undefined
  return (offset) => {
    starts ??= readLineStarts(text)
    let least = 0
    let most = starts.length - 1
    while (least < most) {
      const middle = Math.ceil((least + most) / 2)
      if ((starts[middle] ?? 0) <= offset) least = middle
      else most = middle - 1
    }
    return { line: least + 1, column: offset - (starts[least] ?? 0) + 1 }
  }
}

function readLineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
    starts.push(end + 1)
  }
  return starts
}
