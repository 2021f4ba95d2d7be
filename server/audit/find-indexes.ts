/**
 * A search in the index, from one end of the log to the other: group by group, the rarest term first. Each look at the index is
 * counted, and a search ends where it had enough of them: it goes on from there when it is asked again.
 */
import type { Environment } from '../store/embedded/environment.ts'
import { GROUP, groupOf, postingKey } from './index-keys.ts'
import { placesOf } from './postings.ts'
import { emptySpanAt, type Period } from './time-spans.ts'

/** One look for each size of span there is. */
const LOOKS_AT_TIME = 5
/** Places that take as long to compare as one look at the index does. */
const PLACES_A_LOOK = 200

export interface Search {
  readonly log: number
  /** Entries the log has. */
  readonly known: number
  /** Digests of what every entry has to have, the rarest first. */
  readonly terms: readonly Buffer[]
  readonly period: Period | undefined
  readonly limit: number
  /** Looks it may take, of some two microseconds each on the event loop. */
  readonly mostLooks: number
  readonly isNewestFirst: boolean
  /** The first index that may be found. */
  readonly at: number
}

export interface Found {
  readonly indexes: readonly number[]
  /** The first index that was not looked at; undefined: there is none. */
  readonly at: number | undefined
}

export function findIndexes(environment: Environment, search: Search): Found {
  const { known, isNewestFirst, limit, mostLooks } = search
  const isWithin = (index: number): boolean => index >= 0 && index < known
  const indexes: number[] = []
  let { at } = search
  let looks = 0
  while (isWithin(at) && indexes.length < limit && looks < mostLooks) {
    const looked = lookAt(environment, search, at)
    looks += looked.looks
    const room = limit - indexes.length
    const taken = looked.indexes.slice(0, room)
    indexes.push(...taken)
    const last = taken.at(-1)
    // The rest of what was looked at is for the next time.
    const isCut = taken.length < looked.indexes.length && last !== undefined
    at = isCut ? last + (isNewestFirst ? -1 : 1) : looked.next
  }
  return { indexes, at: isWithin(at) ? at : undefined }
}

interface Looked {
  /** In the order of the search. */
  readonly indexes: readonly number[]
  /** Where to go on; outside the log: nowhere. */
  readonly next: number
  readonly looks: number
}

/** At the group of `at`; where nothing around it is in the period, at nothing but its times. */
function lookAt(environment: Environment, search: Search, at: number): Looked {
  const { log, known, period, isNewestFirst } = search
  const beyond = (start: number, size: number): number => (isNewestFirst ? start - 1 : start + size)
  let looks = 1
  if (period !== undefined) {
    looks += LOOKS_AT_TIME
    const empty = emptySpanAt(environment, { log, index: at }, period)
    if (empty !== undefined) return { indexes: [], next: beyond(empty.start, empty.size), looks }
  }
  const group = groupOf(at)
  const start = group * GROUP
  let places: readonly number[] | undefined
  for (const term of search.terms) {
    const having = placesOf(environment.get(postingKey(log, group, term)))
    looks += 1 + Math.floor(having.length / PLACES_A_LOOK)
    places = common(places, having)
    if (places.length === 0) break
  }
  places ??= Array.from({ length: Math.min(GROUP, known - start) }, (_, place) => place)
  const indexes = places
    .map((place) => start + place)
    .filter((index) => (isNewestFirst ? index <= at : index >= at))
  if (isNewestFirst) indexes.reverse()
  return { indexes, next: beyond(start, GROUP), looks }
}

function common(one: readonly number[] | undefined, other: readonly number[]): readonly number[] {
  if (one === undefined) return other
  const others = new Set(other)
  return one.filter((place) => others.has(place))
}
