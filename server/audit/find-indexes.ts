/**
 * A search in the index: goes to the next block that every term has, from one end of the log to the other. Each look at the
 * index is counted, and a search ends where it had enough of them: it goes on from there when it is asked again.
 */
import type { Environment } from '../store/embedded/environment.ts'
import { BLOCK, blockOf, blockOfPosting, postingsFrom, postingsUpTo } from './index-keys.ts'
import { emptySpanAt, type Period } from './time-spans.ts'

/** Some microseconds each, on the event loop. */
const MOST_SEEKS = 2000

export interface Search {
  readonly log: number
  /** Entries the log has. */
  readonly known: number
  /** What every entry has to have, the rarest first: prefixes of postings. */
  readonly terms: readonly Buffer[]
  readonly period: Period | undefined
  readonly limit: number
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
  const { known, isNewestFirst, limit } = search
  const indexes: number[] = []
  let { at } = search
  let seeks = 0
  while (at >= 0 && at < known && indexes.length < limit) {
    if (seeks >= MOST_SEEKS) return { indexes, at }
    const looked = lookAt(environment, search, at)
    seeks += looked.seeks
    const inOrder = looked.indexes.filter((index) => (isNewestFirst ? index <= at : index >= at))
    if (isNewestFirst) inOrder.reverse()
    for (const index of inOrder.slice(0, limit - indexes.length)) indexes.push(index)
    const last = indexes.at(-1)
    const isFull = indexes.length === limit && last !== undefined
    at = isFull ? last + (isNewestFirst ? -1 : 1) : looked.next
  }
  return { indexes, at: at >= 0 && at < known ? at : undefined }
}

interface Looked {
  /** Those in the block that have every term, in their order. */
  readonly indexes: readonly number[]
  /** Where to go on; outside the log: nowhere. */
  readonly next: number
  readonly seeks: number
}

function lookAt(environment: Environment, search: Search, at: number): Looked {
  const { log, known, period, terms, isNewestFirst } = search
  let seeks = 0
  if (period !== undefined) {
    const span = emptySpanAt(environment, { log, index: at }, period)
    seeks += span.seeks
    if (span.empty !== undefined) {
      const { start, size } = span.empty
      return { indexes: [], next: isNewestFirst ? start - 1 : start + size, seeks }
    }
  }
  const block = blockOf(at)
  let common: readonly number[] | undefined
  for (const term of terms) {
    seeks += 1
    const nearest = nearestPostings(environment, term, { block, isNewestFirst })
    if (nearest === undefined) return { indexes: [], next: -1, seeks }
    if (nearest.block !== block) {
      const { block: there } = nearest
      return { indexes: [], next: there * BLOCK + (isNewestFirst ? BLOCK - 1 : 0), seeks }
    }
    const { postings } = nearest
    common = common?.filter((posting) => postings.includes(posting)) ?? [...postings]
  }
  const start = block * BLOCK
  common ??= Array.from({ length: Math.min(BLOCK, known - start) }, (_, posting) => posting)
  const indexes = common.map((posting) => start + posting)
  return { indexes, next: isNewestFirst ? start - 1 : start + BLOCK, seeks: seeks + 1 }
}

function nearestPostings(
  environment: Environment,
  term: Buffer,
  { block, isNewestFirst }: { readonly block: number; readonly isNewestFirst: boolean },
): { readonly block: number; readonly postings: Buffer } | undefined {
  const found = isNewestFirst
    ? environment.last(postingsUpTo(term, block))
    : environment.range(postingsFrom(term, block), 1)[0]
  return found && { block: blockOfPosting(found.key), postings: found.value }
}
