/**
 * docs/conformance.md is what the tool writes of the results it has, and every attack case is answered for. That the results are
 * those of a run is held at the end of `npm test`, where there is one.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ATTACK_CASES } from '../../conformance/attack-cases.ts'
import { REQUIREMENTS } from '../../conformance/requirements.ts'
import type { Outcome, RowResult } from '../../conformance/run/result.ts'
import { caseTitles, conformancePage, REPORT, titlesIn } from '../../tools/conformance-report.ts'

const tested = new Set(caseTitles().flatMap(({ ids }) => ids))
const cases = Object.entries(ATTACK_CASES)

/** The results as the page tells them: `passed: [file](path), …`, or another outcome and why. */
function readRows(page: string): readonly RowResult[] {
  const lines = page.split('\n').filter((line) => /^\| (?:[\w.-]+-\d+|PROF-\d+) /.test(line))
  return lines.map((line) => {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    const [, told = '', why = ''] = /^([a-z ]+): (.*)$/.exec(cells[6] ?? '') ?? []
    const outcome = told.replace(' ', '_') as Outcome
    const files = [...why.matchAll(/\((?:[^()]*\/)?([\w-]+\.test\.ts)\)/g)].map(
      ([, file = '']) => file,
    )
    const checks = files.map((file) => ({
      title: '',
      file,
      outcome: 'passed' as const,
      messages: [],
    }))
    return { id: cells[1] ?? '', outcome, checks, ...(files.length === 0 ? { because: why } : {}) }
  })
}

describe('the conformance report', () => {
  const page = readFileSync(REPORT, 'utf8')

  test('the committed page is what the tool writes: npm run conformance -- --report docs/conformance.md', () => {
    const rows = readRows(page)
    expect(rows.map(({ id }) => id)).toEqual(Object.keys(REQUIREMENTS))
    expect(page).toBe(conformancePage({ target: '', level: 'delegation', mode: 'strict', rows }))
  })

  test('no row failed, was let pass or could not be asked', () => {
    const others = readRows(page).filter(
      ({ outcome }) => !['passed', 'not_offered', 'gap'].includes(outcome),
    )
    expect(others).toEqual([])
  })

  test('titles are read in every form they have', () => {
    // With another sign for the parenthesis, so that these are no titles of this file.
    const text = [
      "test<'A01 one', f)",
      'test.each([1])<"B02 C03 two %s", f)',
      "describe<'D04, E05 and F06: three', f)",
      "test<'no case', f)",
    ].join('\n')
    const found = titlesIn('x', text.replaceAll('<', '(')).map(({ ids, title, isGroup }) => [
      ids,
      title,
      isGroup,
    ])
    expect(found).toEqual([
      [['A01'], 'one', false],
      [['B02', 'C03'], 'two …', false],
      [['D04', 'E05', 'F06'], 'three', true],
    ])
  })
})

describe('attack cases', () => {
  test('the reader of titles sees them', () => {
    expect(cases.length).toBeGreaterThan(60)
    expect(tested.size).toBeGreaterThan(30)
  })

  test('each has a test or a reason', () => {
    const open = cases.filter(([id, { reason }]) => reason === undefined && !tested.has(id))
    expect(open.map(([id]) => id)).toEqual([])
  })

  test('no reason is stale', () => {
    const stale = cases.filter(([id, { reason }]) => reason !== undefined && tested.has(id))
    expect(stale.map(([id]) => id)).toEqual([])
  })
})
