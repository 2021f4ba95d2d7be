/**
 * One document of others, kept fresh: a key set, a SPIFFE bundle, a discovery document, a file. A stranger's token can make us
 * look for what is not there, so how often is bounded whatever arrives; what is broken never replaces what was good, and
 * what was good counts only to its own limit (attack cases K02, K05).
 */
import { isDeepStrictEqual } from 'node:util'
import { FetchFault, type FetchFaultCode } from './fetch-fault.ts'

/** Seconds. */
export interface Pace {
  /** How long a document counts without another look. */
  readonly fresh: number
  /** How long the last good one counts while no look succeeds. */
  readonly kept: number
  /** Between two looks for something that was not in it. */
  readonly cooldown: number
  /** Between two looks while they fail, so that a flood of tokens is no flood of requests. */
  readonly retry: number
}

/** For what is fetched. */
export const FETCH_PACE: Pace = { fresh: 5 * 60, kept: 60 * 60, cooldown: 30, retry: 5 }
/** For a file: how often its date is looked at. */
export const FILE_PACE: Pace = { fresh: 2, kept: 60 * 60, cooldown: 2, retry: 2 }

export interface KeptSourceDeps<Document> {
  /** Reads it anew; is told of the one that still counts. Throws FetchFault where there is no good one. */
  readonly read: (last: Document | undefined) => Promise<Document>
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly pace: Pace
  /** What a document itself says of `pace.fresh`, within bounds. */
  readonly freshFor?: (document: Document) => number
  /** Told of every failed look, so that it can be counted and raised. */
  readonly onFault: (code: FetchFaultCode) => void
}

export interface KeptSource<Document> {
  /** The same object until its content changes. Throws FetchFault where there is none that counts. */
  current(): Promise<Document>
  /** For something that `current()` does not have: looks again, within the cooldown. Throws as `current` does. */
  again(): Promise<Document>
}

export function createKeptSource<Document>({
  read,
  now,
  pace,
  freshFor = () => pace.fresh,
  onFault,
}: KeptSourceDeps<Document>): KeptSource<Document> {
  let good: { readonly document: Document; readonly readAt: number } | undefined
  let lastFault = new FetchFault('unreachable')
  let lookedAt = Number.NEGATIVE_INFINITY
  let hasFailed = false
  let underway: Promise<void> | undefined

  const stillGood = (): Document | undefined =>
    good === undefined || now() - good.readAt >= pace.kept ? undefined : good.document

  const look = async (): Promise<void> => {
    lookedAt = now()
    const last = stillGood()
    try {
      const document = await read(last)
      // Whoever made something of the last one need not make it again.
      const isSame = last !== undefined && isDeepStrictEqual(last, document)
      good = { document: isSame ? last : document, readAt: now() }
      hasFailed = false
    } catch (fault) {
      hasFailed = true
      if (!(fault instanceof FetchFault)) throw fault
      lastFault = fault
      onFault(fault.code)
    }
  }

  /** Joins the look that is under way, or begins one if the last was `pause` seconds ago. */
  const lookAfter = async (pause: number): Promise<void> => {
    if (underway === undefined && now() - lookedAt < pause) return undefined
    underway ??= look().finally(() => {
      underway = undefined
    })
    return underway
  }

  const counting = (): Document => {
    const document = stillGood()
    if (document === undefined) throw lastFault
    return document
  }

  return {
    current: async () => {
      const isFresh = good !== undefined && now() - good.readAt < freshFor(good.document)
      if (!isFresh) await lookAfter(hasFailed ? pace.retry : 0)
      return counting()
    },
    again: async () => {
      await lookAfter(pace.cooldown)
      return counting()
    },
  }
}
