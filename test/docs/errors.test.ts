/** docs/errors.md is what the closed tables say. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VERIFICATION_REASONS } from '../../lib/src/errors.ts'
import { MANAGEMENT_REASONS } from '../../server/core/management-refusal.ts'
import { REASONS } from '../../server/core/refusal.ts'
import { ERRORS_PAGE, errorsPage } from '../../tools/errors-doc.ts'
import { readRows } from './pages.ts'

const page = readFileSync(ERRORS_PAGE, 'utf8')

test('the page of errors is current: npm run errors-doc', () => {
  expect(page).toBe(errorsPage())
})

test('every reason has its row', () => {
  const reasons = [REASONS, MANAGEMENT_REASONS, VERIFICATION_REASONS].flatMap(Object.keys)
  expect(reasons.length).toBeGreaterThan(80)
  const rows = new Set(readRows(page).map(([first]) => first))
  expect(reasons.filter((reason) => !rows.has(`\`${reason}\``))).toEqual([])
})
