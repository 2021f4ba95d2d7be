/** A result for people: a line for each specification, then each row that failed or warned, with what came. */
import { REQUIREMENTS } from '../requirements.ts'
import { OUTCOMES, type RowResult, type RunResult, totalsOf } from './result.ts'

export function tableOf({ target, level, mode, rows }: RunResult): string {
  const specs = [...Map.groupBy(rows, ({ id }) => REQUIREMENTS[id]?.spec ?? 'unknown')]
  const head = ['', ...OUTCOMES.map((outcome) => outcome.replaceAll('_', ' '))]
  const lines = [...specs, ['all', rows] as const].map(([spec, some]) => {
    const totals = totalsOf(some)
    return [spec, ...OUTCOMES.map((outcome) => String(totals[outcome] || '·'))]
  })
  return [
    `${target}, level ${level}, ${mode}`,
    '',
    ...aligned([head, ...lines]),
    ...told(
      'Failed',
      rows.filter(({ outcome }) => outcome === 'failed'),
    ),
    ...told(
      'Warned',
      rows.filter(({ outcome }) => outcome === 'warned'),
    ),
    ...leftOut(rows),
    '',
  ].join('\n')
}

function aligned(lines: readonly (readonly string[])[]): readonly string[] {
  const widths =
    lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0))) ?? []
  return lines.map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  '),
  )
}

function told(title: string, rows: readonly RowResult[]): readonly string[] {
  if (rows.length === 0) return []
  const lines = rows.flatMap(({ id, checks }) => {
    const { section, strength, behaviour } = REQUIREMENTS[id] ?? {}
    const bad = checks.flatMap(({ title: check, messages, file }) =>
      messages.map((message) => `    ${check} (${file}): ${oneLine(message)}`),
    )
    return [`  ${id} (${section}, ${strength}) ${behaviour}`, ...bad]
  })
  return ['', title, ...lines]
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').trim()
}

/** Each reason once: what to put into the profile for more verdicts. */
function leftOut(rows: readonly RowResult[]): readonly string[] {
  const reasons = Map.groupBy(
    rows.filter(({ outcome }) => outcome === 'not_set_up'),
    ({ because = '' }) => because,
  )
  if (reasons.size === 0) return []
  const lines = [...reasons].map(([because, some]) => `  ${because}: ${some.length} rows`)
  return ['', 'Not set up', ...lines]
}
