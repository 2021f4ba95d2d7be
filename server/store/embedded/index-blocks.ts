/**
 * The counter behind each status list: blocks of indexes, claimed atomically and never given back. The counter goes with
 * its list, and the list only once no token refers to it and none of its window is made any more: an index that is counted
 * again by then can meet none of before.
 */
import type { Environment } from './environment.ts'
import { findList, type ListAddress, putList } from './list-heads.ts'

/** Indexes of one block. */
export const BLOCK = 128
/**
 * What a new list is kept for before a task says more: it takes tasks for an hour, and whoever took an index has recorded
 * its task long before the rest is over, whatever happens to the clock.
 */
const NEW_LIST_SECONDS = 9 * 3600

export interface BlockClaim extends ListAddress {
  readonly now: number
}

/** The first index of a block that is nobody else's. */
export function claimBlock(environment: Environment, claim: BlockClaim): number {
  const list = findList(environment, claim)
  const handedOut = list?.handedOut ?? 0
  // 0 also in one that was begun before lists had an end.
  const until = list?.until || claim.now + NEW_LIST_SECONDS
  const { chunks, changedAt } = list ?? { chunks: 0, changedAt: 0 }
  putList(environment, claim, { handedOut: handedOut + BLOCK, chunks, until, changedAt })
  return handedOut
}
