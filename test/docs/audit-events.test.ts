/** docs/audit-events.md is what the closed tables say. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { AUDIT_CODES } from '../../server/core/audit-code.ts'
import { AUDIT_FIELDS, AUDIT_MINIMUM } from '../../server/core/audit-field.ts'
import { EVENTS_PAGE, eventsPage } from '../../tools/audit-events.ts'
import { readRows } from './pages.ts'

const page = readFileSync(EVENTS_PAGE, 'utf8')

test('the page of audit events is current: npm run audit-events', () => {
  expect(page).toBe(eventsPage())
})

test('every code and field has its row, and each of the seven fields an answer', () => {
  const rows = new Set(readRows(page).map(([first]) => first))
  for (const name of [...Object.keys(AUDIT_CODES), ...Object.keys(AUDIT_FIELDS)]) {
    expect(rows).toContain(`\`${name}\``)
  }
  const parts = new Set(Object.values(AUDIT_FIELDS).map(({ part }) => part))
  expect([...parts].toSorted()).toEqual(Object.keys(AUDIT_MINIMUM).toSorted())
  expect(Object.keys(AUDIT_MINIMUM)).toHaveLength(7)
})
