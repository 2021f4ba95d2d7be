/** docs/conformance.md is what the tool writes, and every attack case is answered for. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ATTACK_CASES } from '../../conformance/attack-cases.ts'
import { caseTitles, conformanceReport, REPORT, titlesIn } from '../../tools/conformance-report.ts'

const tested = new Set(caseTitles().flatMap(({ ids }) => ids))
const cases = Object.entries(ATTACK_CASES)

describe('the conformance report', () => {
  test('the committed page is what the tool writes: run tools/conformance-report.ts', () => {
    expect(readFileSync(REPORT, 'utf8')).toBe(conformanceReport())
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
