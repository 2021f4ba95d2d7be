/** A result as a page of markdown: totals, then a table for each specification. It has no dates, times or ports. */
import { REQUIREMENTS } from '../requirements.ts'
import { OUTCOMES, type RowResult, type RunResult, totalsOf } from './result.ts'

export interface PageShape {
  /** What stands above the totals. */
  readonly head: readonly string[]
  /** Where the files of `suite/` are, from the page. */
  readonly suite: string
}

export function pageOf({ rows }: RunResult, { head, suite }: PageShape): string {
  const specs = [...Map.groupBy(rows, ({ id }) => REQUIREMENTS[id]?.spec ?? 'unknown')]
  return [
    ...head,
    totalsTable(specs, rows),
    ...specs.map(([spec, some]) => specTable(spec, some, suite)),
  ].join('\n\n')
}

type Spec = readonly [string, readonly RowResult[]]

function totalsTable(specs: readonly Spec[], rows: readonly RowResult[]): string {
  const names = OUTCOMES.map((outcome) => outcome.replaceAll('_', ' '))
  const lines = [...specs, ['all', rows] as const].map(([spec, some]) => {
    const totals = totalsOf(some)
    return `| ${spec} | ${some.length} | ${OUTCOMES.map((outcome) => totals[outcome]).join(' | ')} |`
  })
  const rule = '| --- |'.padEnd(7 + 6 * (names.length + 1), ' --- |')
  return `| specification | rows | ${names.join(' | ')} |\n${rule}\n${lines.join('\n')}`
}

function specTable(spec: string, rows: readonly RowResult[], suite: string): string {
  const lines = rows.map((row) => {
    const { section, strength, tested, behaviour } = REQUIREMENTS[row.id] ?? {}
    return `| ${row.id} | ${section} | ${strength} | ${tested} | ${behaviour} | ${resultIn(row, suite)} |`
  })
  const head =
    '| id | section | strength | of | behaviour | result |\n| --- | --- | --- | --- | --- | --- |'
  return `## ${spec}\n\n${head}\n${lines.join('\n')}`
}

function resultIn({ outcome, checks, because }: RowResult, suite: string): string {
  const name = outcome.replaceAll('_', ' ')
  if (because !== undefined) return `${name}: ${because}`
  const files = new Set(
    checks.filter((check) => check.outcome !== 'left_out').map(({ file }) => file),
  )
  const links = [...files]
    .sort()
    .map((file) => `[${file.replace('.test.ts', '')}](${suite}/${file})`)
  return `${name}: ${links.join(', ')}`
}
