/** docs/telemetry.md says what there is: every metric, span, field and endpoint, and no other. */
import { expect, test } from 'vitest'
import { NUMBER_FIELDS, TEXT_FIELDS } from '../../server/telemetry/log-fields.ts'
import { METRICS } from '../../server/telemetry/metric-table.ts'
import { SPAN_NAMES, WATCHED_ENDPOINTS } from '../../server/use-cases/telemetry.ts'
import { readPage, readRows } from './pages.ts'

const page = readPage('docs/telemetry.md')
const sectionOf = (title: string): string =>
  new RegExp(`\n## ${title}\n(.*?)(?:\n## |$)`, 's').exec(page)?.[1] ?? ''

test('every metric has its row, as the code has it', () => {
  const [head, ...rows] = readRows(sectionOf('Metrics'))
  expect(head).toEqual(['metric', 'type', 'labels', 'what it says'])
  expect(rows).toEqual(
    Object.values(METRICS).map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  )
})

test('every span has its row', () => {
  const [, ...rows] = readRows(sectionOf('Traces'))
  expect(rows.map(([name]) => name)).toEqual(SPAN_NAMES.map((name) => `\`${name}\``))
})

test('every field of the log has its row', () => {
  const [, ...rows] = readRows(sectionOf('Log'))
  const fields = [...TEXT_FIELDS, ...NUMBER_FIELDS]
  expect(rows.map(([name]) => name)).toEqual(fields.map((name) => `\`${name}\``))
})

test('every endpoint is named', () => {
  for (const endpoint of WATCHED_ENDPOINTS)
    expect(sectionOf('Metrics')).toContain(`\`${endpoint}\``)
})
