/** What became of the mutants: Stryker’s report of a group, counted. Pure. */

/** The least a group may have, in per cent. */
export const THRESHOLD = 85

/** Of Stryker’s report, the part that is read. */
export interface StrykerReport {
  readonly files: Readonly<
    Record<string, { readonly source: string; readonly mutants: readonly StrykerMutant[] }>
  >
}

interface StrykerMutant {
  readonly status: string
  readonly replacement?: string
  readonly location: { readonly start: Position; readonly end: Position }
}

interface Position {
  readonly line: number
  readonly column: number
}

export interface Count {
  readonly killed: number
  readonly survived: number
  /** Left out of the score: what is disabled in the source, and what did not run. */
  readonly uncounted: number
}

export interface Survivor {
  /** `file:line:column` */
  readonly at: string
  readonly was: string
  readonly became: string
}

export interface GroupScore extends Count {
  readonly group: string
  readonly score: number
  readonly files: readonly (Count & { readonly file: string; readonly score: number })[]
  readonly survivors: readonly Survivor[]
}

const KILLED: ReadonlySet<string> = new Set(['Killed', 'Timeout'])
const SURVIVED: ReadonlySet<string> = new Set(['Survived', 'NoCoverage'])

/** A group of which no mutant was counted has the score 0: a run that saw nothing is no success. */
export function scoreOf(group: string, report: StrykerReport): GroupScore {
  const entries = Object.entries(report.files)
  const files = entries.map(([file, { mutants }]) => {
    const count = countOf(mutants)
    return { file, score: percentOf(count), ...count }
  })
  const whole = sumOf(files)
  const survivors = entries.flatMap(([file, { source, mutants }]) =>
    mutants
      .filter(({ status }) => SURVIVED.has(status))
      .map((mutant) => survivorOf(file, source, mutant)),
  )
  return { group, score: percentOf(whole), ...whole, files, survivors }
}

export function sumOf(counts: readonly Count[]): Count {
  return counts.reduce(
    (sum, { killed, survived, uncounted }) => ({
      killed: sum.killed + killed,
      survived: sum.survived + survived,
      uncounted: sum.uncounted + uncounted,
    }),
    { killed: 0, survived: 0, uncounted: 0 },
  )
}

/** Two decimals, rounded down: 84.999 is not 85. */
export function percentOf({ killed, survived }: Count): number {
  return killed === 0 ? 0 : Math.floor((10_000 * killed) / (killed + survived)) / 100
}

function countOf(mutants: readonly StrykerMutant[]): Count {
  const killed = mutants.filter(({ status }) => KILLED.has(status)).length
  const survived = mutants.filter(({ status }) => SURVIVED.has(status)).length
  return { killed, survived, uncounted: mutants.length - killed - survived }
}

function survivorOf(file: string, source: string, mutant: StrykerMutant): Survivor {
  const { start, end } = mutant.location
  const lines = source.split('\n').slice(start.line - 1, end.line)
  const last = lines.length - 1
  const was = lines
    .map((line, at) =>
      line.slice(at === 0 ? start.column - 1 : 0, at === last ? end.column - 1 : undefined),
    )
    .join(' ')
  return {
    at: `${file}:${start.line}:${start.column}`,
    was: onOneLine(was),
    became: onOneLine(mutant.replacement ?? ''),
  }
}

function onOneLine(code: string): string {
  const text = code.replace(/\s+/g, ' ').trim()
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

/** For people: a line a file, then what survived. */
export function scoreText({ group, score, files, survivors }: GroupScore): string {
  const rows = files.map((file) => {
    const left = file.uncounted === 0 ? '' : `, ${file.uncounted} not counted`
    const counts = `${file.killed} killed, ${file.survived} survived${left}`
    return `  ${file.score.toFixed(2).padStart(6)} %  ${file.file}  (${counts})`
  })
  const left = survivors.map(({ at, was, became }) => `  ${at}  ${was}  →  ${became}`)
  const verdict = score < THRESHOLD ? `, below ${THRESHOLD} %` : ''
  return [`${group}: ${score.toFixed(2)} %${verdict}`, ...rows, ...left].join('\n')
}
