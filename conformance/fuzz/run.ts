/** What every area of the fuzzer is told, and what it has to say in the end. */

export interface Settings {
  readonly seed: number
  /** The run ends with whichever comes first; nothing set: it ends when it is told to. */
  readonly runs: number | undefined
  readonly seconds: number | undefined
  /** Folder of the corpus. */
  readonly corpus: string
  /** False: inputs that are new are not kept. A fault always is. */
  readonly keep: boolean
  /** Aborted: what was begun is ended, counted and told. */
  readonly signal: AbortSignal
  /** Called every few seconds. */
  readonly progress: (line: string) => void
}

export interface FoundFault {
  readonly kind: string
  readonly detail: string
  /** Which input of the run it was. */
  readonly number: number
  /** How the input was made. */
  readonly by: string
  /** Where it was kept. */
  readonly file: string | undefined
}

export interface AreaResult {
  readonly area: string
  readonly seed: number
  readonly runs: number
  readonly seconds: number
  /** Figures and counts of the area, for people and machines. */
  readonly figures: Readonly<Record<string, number>>
  readonly outcomes: Readonly<Record<string, number>>
  readonly faults: readonly FoundFault[]
  readonly corpus: {
    readonly replayed: number
    readonly added: readonly string[]
    readonly bytes: number
  }
}

/** Counts by name, the most frequent first. */
export function ranked(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).toSorted(([, a], [, b]) => b - a))
}

/** To three digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3))
}

export interface Growth {
  readonly from: number
  readonly to: number
  readonly grows: boolean
}

const LEAST_GROWTH = 16_000_000
const MOST_GROWTH_PART = 0.25

/** Whether memory grows from sample to sample, in bytes; the first ones, of a process that still warms up, are left out. */
export function growthOf(samples: readonly number[], least: number = LEAST_GROWTH): Growth {
  const steady = samples.slice(Math.min(3, Math.floor(samples.length / 4)))
  const third = Math.max(1, Math.floor(steady.length / 3))
  const from = medianOf(steady.slice(0, third))
  const to = medianOf(steady.slice(-third))
  const isEnough = steady.length >= 6
  return { from, to, grows: isEnough && to - from > Math.max(least, from * MOST_GROWTH_PART) }
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
