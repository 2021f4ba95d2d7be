/** The closing line of `npm test` counts what ran, and no failure hides from it. */
import { describe, expect, test } from 'vitest'
import {
  addTallies,
  closingLine,
  exitCodeOf,
  STANDING_REASONS,
  vitestTally,
} from '../../tools/tally.ts'

function reportOf(statuses: readonly string[], title = 'it is'): string {
  const count = (wanted: string): number => statuses.filter((status) => status === wanted).length
  const assertionResults = statuses.map((status) => ({ fullName: ` ${title} ${status}`, status }))
  return JSON.stringify({
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    testResults: [{ name: 'a.test.ts', assertionResults }],
  })
}

describe('the closing line', () => {
  test('sums the parts, and is silent on skips where there are none', () => {
    const total = addTallies(
      vitestTally(reportOf(['passed', 'passed']), 0),
      vitestTally(reportOf(['passed']), 0),
    )
    expect(closingLine(total)).toBe('3 passed, 0 failed')
    expect(exitCodeOf(total, true)).toBe(0)
  })

  test('counts what was left out, by name', () => {
    const tally = vitestTally(reportOf(['passed', 'skipped', 'todo']), 0)
    expect(closingLine(tally)).toBe('1 passed, 0 failed, 2 skipped')
    expect(tally.skips).toEqual([
      'a.test.ts: it is skipped (skipped)',
      'a.test.ts: it is todo (todo)',
    ])
  })

  test('a test that was left out fails only the whole run, which CI asks for', () => {
    const tally = vitestTally(reportOf(['passed', 'skipped']), 0)
    expect([exitCodeOf(tally, false), exitCodeOf(tally, true)]).toEqual([0, 1])
  })

  test.each(STANDING_REASONS)(
    'a test is left out of the whole run for %s, counted and by name',
    (why) => {
      const tally = vitestTally(reportOf(['passed', 'skipped'], `vectors ${why}`), 0)
      expect(closingLine(tally)).toBe('1 passed, 0 failed, 1 skipped')
      expect(tally.skips).toEqual([`a.test.ts: vectors ${why} skipped (skipped)`])
      expect(exitCodeOf(tally, true)).toBe(0)
      // It excuses itself alone: no other test, no failure, no run without any.
      const skipped = vitestTally(reportOf(['skipped']), 0)
      expect(exitCodeOf(addTallies(tally, skipped), true)).toBe(1)
      expect(exitCodeOf(addTallies(tally, vitestTally(reportOf(['failed']), 1)), true)).toBe(1)
      expect(exitCodeOf(vitestTally(reportOf(['skipped'], `vectors ${why}`), 0), true)).toBe(1)
    },
  )

  test('a count without a name has no reason', () => {
    const nameless = { passed: 1, failed: 0, skipped: 1, skips: [] }
    const named = vitestTally(reportOf(['skipped'], `vectors ${STANDING_REASONS[0]}`), 0)
    expect(exitCodeOf(addTallies(nameless, named), true)).toBe(1)
  })

  test.each([
    ['a failed test', reportOf(['passed', 'failed']), 1, '1 passed, 1 failed'],
    ['an error nobody handled', reportOf(['passed']), 1, '1 passed, 1 failed'],
    ['a run without a report', undefined, 0, '0 passed, 1 failed'],
    ['a run that found nothing', reportOf([]), 1, '0 passed, 1 failed'],
  ])('%s is a failure', (_, report, code, line) => {
    const tally = vitestTally(report, code)
    expect(closingLine(tally)).toBe(line)
    expect(exitCodeOf(tally, false)).toBe(1)
  })

  test('nothing at all is no success', () => {
    expect(exitCodeOf(vitestTally(reportOf([]), 0), false)).toBe(1)
  })
})
