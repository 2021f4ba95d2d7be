/**
 * How the entries found differ from those recorded, both as sequences of leaf hashes: a pass over both at once that looks ahead
 * no further than it has to, whatever their length.
 */

/** Hashes that are read once, with a look ahead; as text, to be compared and looked up. */
export interface HashSequence {
  /** The one so many after the next; undefined: there is none. Those before it stay at hand until they are passed. */
  ahead(offset: number): string | undefined
  pass(count: number): void
}

/** In the place of these recorded entries stand those found; one of the two may be empty. */
export interface LeafDifference {
  /** Of the first one, among the recorded and among the found. */
  readonly index: number
  readonly found: number
  readonly recordedHashes: readonly string[]
  readonly foundHashes: readonly string[]
}

/** Looking ahead is cheap where little is different, and possible where much is. */
const LOOKS_AHEAD = [16, 256, 4096, 65_536] as const
const FURTHEST = 65_536

/** Of more than that nobody reads a list. */
const MOST_DIFFERENCES = 1000

export function compareLeaves(
  recorded: HashSequence,
  found: HashSequence,
): readonly LeafDifference[] {
  const differences: LeafDifference[] = []
  const at = { index: 0, found: 0 }
  const pass = (ofRecorded: number, ofFound: number): void => {
    recorded.pass(ofRecorded)
    found.pass(ofFound)
    at.index += ofRecorded
    at.found += ofFound
  }
  while (differences.length < MOST_DIFFERENCES) {
    const [one, other] = [recorded.ahead(0), found.ahead(0)]
    if (one === undefined && other === undefined) break
    if (one === other) {
      pass(1, 1)
      continue
    }
    const next = nextMatch(recorded, found)
    differences.push({
      ...at,
      recordedHashes: those(recorded, next.recorded),
      foundHashes: those(found, next.found),
    })
    pass(next.recorded, next.found)
  }
  return differences
}

interface Match {
  readonly recorded: number
  readonly found: number
}

/** The nearest pair of equal hashes, or both ends. Where nothing is equal as far as may be looked, all of that is different. */
function nextMatch(recorded: HashSequence, found: HashSequence): Match {
  for (const length of LOOKS_AHEAD) {
    const match = matchWithin(recorded, found, length)
    if (match !== undefined) return match
  }
  return { recorded: countOf(recorded, FURTHEST), found: countOf(found, FURTHEST) }
}

function matchWithin(
  recorded: HashSequence,
  found: HashSequence,
  length: number,
): Match | undefined {
  const places = new Map<string, number>()
  for (let at = countOf(recorded, length) - 1; at >= 0; at -= 1) {
    places.set(recorded.ahead(at) ?? '', at)
  }
  const isNearer = (match: Match, other: Match): boolean => {
    const further = distanceOf(match) - distanceOf(other)
    if (further !== 0) return further < 0
    const longer = behind(recorded, found, match) - behind(recorded, found, other)
    // As many of one as of the other: an entry was changed, rather than one removed and one inserted.
    return longer !== 0 ? longer > 0 : match.recorded === match.found
  }
  let best: Match | undefined
  for (let at = 0; at < length; at += 1) {
    const hash = found.ahead(at)
    const place = hash === undefined ? undefined : places.get(hash)
    if (hash === undefined) break
    if (place === undefined) continue
    const match = { recorded: place, found: at }
    if (best === undefined || isNearer(match, best)) best = match
  }
  if (best !== undefined) return best
  const [ofRecorded, ofFound] = [countOf(recorded, length), countOf(found, length)]
  const areEnds = ofRecorded < length && ofFound < length
  return areEnds ? { recorded: ofRecorded, found: ofFound } : undefined
}

const distanceOf = ({ recorded, found }: Match): number => recorded + found

/** Hashes looked at behind a match: the more are equal, the more it speaks for it. */
const MOST_BEHIND = 4

function behind(recorded: HashSequence, found: HashSequence, match: Match): number {
  let equal = 1
  while (
    equal < MOST_BEHIND &&
    recorded.ahead(match.recorded + equal) === found.ahead(match.found + equal)
  ) {
    equal += 1
  }
  return equal
}

/** How many there are, up to `most`. */
function countOf(sequence: HashSequence, most: number): number {
  if (sequence.ahead(most - 1) !== undefined) return most
  let [least, beyond] = [0, most]
  while (least < beyond) {
    const middle = Math.floor((least + beyond) / 2)
    if (sequence.ahead(middle) === undefined) beyond = middle
    else least = middle + 1
  }
  return least
}

function those(sequence: HashSequence, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => sequence.ahead(at) ?? '')
}
