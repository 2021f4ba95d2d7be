/** What a run of tokens found and how long it took; parts of it add up. */

import type { SettingName, TokenInput } from './input.ts'
import type { Fault, Judgement } from './judge.ts'

/** Upper ends of the buckets of a histogram of milliseconds, 8 to each doubling. */
const FIRST = 0.01
const PER_DOUBLING = 8
const BUCKETS = 160

/** Characters of a token. 16,384 is the most that is read. */
export const SIZES = {
  small: 4_096,
  medium: 12_288,
  large: 16_384,
  beyond: Number.POSITIVE_INFINITY,
}
export type Size = keyof typeof SIZES

export interface FaultFound {
  readonly fault: Fault
  readonly seed: number
  readonly number: number
  readonly input: TokenInput
}

export interface Tally {
  runs: number
  /** Of the issuer's own signature. */
  signed: number
  /** Of these: what was refused or accepted by the chain's rules or what comes after them. */
  reached: number
  accepted: number
  readonly outcomes: Record<string, number>
  readonly settings: Partial<Record<SettingName, number>>
  readonly faults: FaultFound[]
  /** By size: counts of milliseconds. */
  readonly times: Record<Size, number[]>
  readonly slowest: Record<Size, number>
}

/** Reasons that are found before the chain is read. */
const BEFORE_CHAIN: ReadonlySet<string> = new Set([
  'token_malformed',
  'token_type_wrong',
  'algorithm_refused',
  'issuer_mismatch',
  'key_unknown',
  'signature_invalid',
  'audience_mismatch',
  'claim_malformed',
  'token_missing',
  'crash',
])

export function emptyTally(): Tally {
  const sizes = Object.keys(SIZES) as Size[]
  return {
    runs: 0,
    signed: 0,
    reached: 0,
    accepted: 0,
    outcomes: {},
    settings: {},
    faults: [],
    times: Object.fromEntries(sizes.map((size) => [size, []])) as unknown as Tally['times'],
    slowest: Object.fromEntries(sizes.map((size) => [size, 0])) as Tally['slowest'],
  }
}

export function count(tally: Tally, input: TokenInput, judged: Judgement): void {
  const { outcome, milliseconds } = judged
  tally.runs++
  if (input.signed) {
    tally.signed++
    if (!BEFORE_CHAIN.has(outcome)) tally.reached++
  }
  if (outcome === 'accepted') tally.accepted++
  tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1
  tally.settings[input.setting] = (tally.settings[input.setting] ?? 0) + 1
  // A list that has to be asked for again is waited for, by design: that is no time spent on a token.
  if (input.setting === 'lists') return
  const size = sizeOf(input.token.length)
  const bucket = Math.ceil(Math.log2(Math.max(FIRST, milliseconds) / FIRST) * PER_DOUBLING)
  const times = tally.times[size]
  const at = Math.min(BUCKETS - 1, bucket)
  times[at] = (times[at] ?? 0) + 1
  tally.slowest[size] = Math.max(tally.slowest[size], milliseconds)
}

function sizeOf(length: number): Size {
  const sizes = Object.entries(SIZES) as [Size, number][]
  return sizes.find(([, most]) => length <= most)?.[0] ?? 'beyond'
}

/** Adds what another one counted. */
export function add(tally: Tally, other: Tally): void {
  tally.runs += other.runs
  tally.signed += other.signed
  tally.reached += other.reached
  tally.accepted += other.accepted
  for (const [name, times] of Object.entries(other.outcomes))
    tally.outcomes[name] = (tally.outcomes[name] ?? 0) + times
  for (const [name, times] of Object.entries(other.settings) as [SettingName, number][])
    tally.settings[name] = (tally.settings[name] ?? 0) + times
  tally.faults.push(...other.faults)
  for (const size of Object.keys(SIZES) as Size[]) {
    const mine = tally.times[size]
    for (const [at, times] of other.times[size].entries()) mine[at] = (mine[at] ?? 0) + (times ?? 0)
    tally.slowest[size] = Math.max(tally.slowest[size], other.slowest[size])
  }
}

/** How many inputs of a size were timed. */
export function timedOf({ times }: Tally, size: Size): number {
  return times[size].reduce((sum, one) => sum + (one ?? 0), 0)
}

/** Milliseconds that this part of all took at most, to a tenth of them; undefined where there were none. */
export function quantile(tally: Tally, size: Size, part: number): number | undefined {
  const all = timedOf(tally, size)
  let left = all * part
  for (const [at, one] of tally.times[size].entries()) {
    left -= one ?? 0
    if (all > 0 && left <= 0) return Math.min(tally.slowest[size], FIRST * 2 ** (at / PER_DOUBLING))
  }
  return undefined
}
