/** What was told and what happened, compared in full: a hop or a refusal that differs in one member is a failure. */
import { isDeepStrictEqual } from 'node:util'
import type { Account, Hop, RefusedOutcome, StoredRecord } from './account.ts'
import {
  type Attempt,
  type ExpectedHop,
  type ExpectedRefusal,
  STORY_HOPS,
  STORY_RECORD,
  type Try,
} from './story.ts'

/** What may not be more than this; a child token's end not later than its parent's. */
interface Limits {
  readonly expires_in: number
  readonly expires_at?: number
  readonly token_bytes: number
}

export interface HopVerdict {
  readonly number: number
  readonly last: boolean
  readonly ok: boolean
  readonly expected: ExpectedHop & { readonly at_most: Limits }
  readonly hop: Hop | undefined
  /** Why there is no hop, if one was refused. */
  readonly refused: RefusedOutcome | undefined
}

export interface RecordVerdict {
  readonly ok: boolean
  readonly expected: StoredRecord
  /** Undefined: there is none in the log. */
  readonly happened: StoredRecord | undefined
}

export interface AttemptVerdict {
  readonly ok: boolean
  readonly expected: ExpectedRefusal
  /** Undefined: it was let through. */
  readonly happened: ExpectedRefusal | undefined
  readonly text: string
}

export interface TryVerdict {
  readonly tried: Try
  readonly ok: boolean
  readonly attempts: readonly AttemptVerdict[]
}

/** Seconds a token lives in the sample tenant. */
const LONGEST = 300
/** Bytes; above it servers begin to refuse headers. */
const LARGEST = 3072

/** One verdict for each hop of the story, whether it took place or not. */
export function judgeStory({ hops, outcome }: Account): readonly HopVerdict[] {
  return STORY_HOPS.map((told, at) => {
    const hop = hops[at]
    const last = at === STORY_HOPS.length - 1
    const limits = limitsUnder(hops[at - 1])
    const asTold = hop !== undefined && isAsTold(hop, told) && isWithin(hop, limits)
    const ok = asTold && (!last || (outcome.kind === 'done' && hops.length === STORY_HOPS.length))
    const refused = outcome.kind === 'refused' && hops.length === at ? outcome : undefined
    return { number: at + 1, last, ok, expected: { ...told, at_most: limits }, hop, refused }
  })
}

function isAsTold(hop: Hop, told: ExpectedHop): boolean {
  const members = Object.entries(told) as [keyof ExpectedHop, unknown][]
  return members.every(([name, value]) => isDeepStrictEqual(hop[name], value))
}

function limitsUnder(parent: Hop | undefined): Limits {
  const own = { expires_in: LONGEST, token_bytes: LARGEST }
  return parent === undefined ? own : { ...own, expires_at: parent.expires_at }
}

function isWithin(hop: Hop, limits: Limits): boolean {
  const members = Object.entries(limits) as [keyof Limits, number][]
  return hop.expires_in > 0 && members.every(([name, most]) => hop[name] <= most)
}

/** @param found as it stands in the log, with whatever else an entry says */
export function judgeRecord(found: StoredRecord | undefined): RecordVerdict {
  const expected = STORY_RECORD
  if (found === undefined) return { ok: false, expected, happened: undefined }
  const { client, subject, chain, tool, object, result } = found
  const happened = { client, subject, chain, tool, object, result }
  return { ok: isDeepStrictEqual(happened, expected), expected, happened }
}

export function judgeAttempt({ expected }: Attempt, { hops, outcome }: Account): AttemptVerdict {
  if (outcome.kind === 'done') return { ok: false, expected, happened: undefined, text: '' }
  const { asked, by, error, reason, text } = outcome
  const happened = { chain: hops.at(-1)?.chain ?? [], asked, by, error, reason }
  return { ok: isDeepStrictEqual(happened, expected), expected, happened, text }
}
