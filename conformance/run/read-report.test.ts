/** From vitest's report to results, and from results to what people and programs read. */
import { describe, expect, test } from 'vitest'
import { FEATURES } from '../features.ts'
import { REQUIREMENTS } from '../requirements.ts'
import { junitOf } from './junit.ts'
import { pageOf } from './page.ts'
import { type Assertion, resultOf, type VitestReport } from './read-report.ts'
import type { RunResult } from './result.ts'
import { tableOf } from './table.ts'

const [PASSED, WARNED, FAILED, LACKING, MISSING] = [
  '8693-2.1-01',
  '8693-2.1-02',
  '8693-2.1-03',
  '9449-4.2-01',
  '8693-2.1-04',
] as const
const GAP = Object.entries(REQUIREMENTS).find(([, { gap }]) => gap !== undefined)?.[0] ?? ''
const ASKED = [PASSED, WARNED, FAILED, LACKING, MISSING, GAP]

const names = Object.keys(FEATURES)
const offers = Object.fromEntries(names.map((name) => [name, name !== 'dpop']))
const ALL = Object.fromEntries(names.map((name) => [name, true]))
const check = (id: string, status: string, meta: Assertion['meta'] = {}): Assertion => ({
  title: `[${id}] it does`,
  status,
  meta: { requirements: [id], ...meta },
})
const file = (assertions: readonly Assertion[]): VitestReport['testResults'][number] => ({
  name: '/suite/a.test.ts',
  status: 'passed',
  assertionResults: assertions,
})
const shape = { level: 'spec', mode: 'strict', only: ASKED } as const
const notSetUp = { outcome: 'not_set_up', because: 'the profile has no api.uri' } as const

const WRONG = 'expected <a> & "b", got \u0000'
function someResult(): RunResult {
  const assertions = [
    { title: 'what the server offers', status: 'passed', meta: { offers } },
    check(PASSED, 'passed'),
    check(WARNED, 'passed', { warnings: ['expected 400 x, got 400 y'] }),
    check(WARNED, 'passed'),
    check(FAILED, 'failed', { failure: WRONG }),
    check(FAILED, 'passed'),
    check(LACKING, 'passed'),
    check(MISSING, 'skipped', { leftOut: notSetUp }),
  ]
  return resultOf({ testResults: [file(assertions)] }, 'https://a.example', shape)
}

describe('a report', () => {
  test('gives each row that was asked for its worst outcome', () => {
    const { rows } = someResult()
    const outcomes = Object.fromEntries(rows.map(({ id, outcome }) => [id, outcome]))
    expect(outcomes).toEqual({
      [PASSED]: 'passed',
      [WARNED]: 'warned',
      [FAILED]: 'failed',
      [LACKING]: 'not_offered',
      [MISSING]: 'not_set_up',
      [GAP]: 'gap',
    })
    expect(rows.find(({ id }) => id === GAP)?.because).toBe(REQUIREMENTS[GAP]?.gap)
  })

  test('of what a specification leaves open is a failure of the delegation profile alone', () => {
    const [chosen, open] = ['9449-11.1-01', '7523-3-06'] as const
    const outcomesAt = (level: 'spec' | 'delegation') => {
      const offered = { title: 'what the server offers', status: 'passed', meta: { offers: ALL } }
      const failed = [chosen, open, FAILED].map((id) => check(id, 'failed', { failure: 'x' }))
      const report = { testResults: [file([offered, ...failed])] }
      const result = resultOf(report, '', { ...shape, level, only: [chosen, open, FAILED] })
      return Object.fromEntries(result.rows.map(({ id, outcome }) => [id, outcome]))
    }
    expect(outcomesAt('spec')).toEqual({ [chosen]: 'warned', [open]: 'warned', [FAILED]: 'failed' })
    expect(new Set(Object.values(outcomesAt('delegation')))).toEqual(new Set(['failed']))
  })

  test('of a file that did not load is no result', () => {
    const broken = { ...file([]), status: 'failed', message: 'no such module' }
    const report = { testResults: [broken] }
    expect(() => resultOf(report, '', shape)).toThrow('a.test.ts did not run: no such module')
  })

  test('without what the server offers is no result', () => {
    expect(() => resultOf({ testResults: [] }, '', shape)).toThrow('what the server offers')
  })
})

describe('a result', () => {
  test('is JUnit XML in which every sign is one', () => {
    const xml = junitOf(someResult())
    expect(xml).toContain('tests="6" failures="1" errors="0" skipped="3"')
    expect(xml).toContain('expected &lt;a&gt; &amp; &quot;b&quot;, got \ufffd')
    expect(xml).not.toContain('\u0000')
    const open = [...xml.matchAll(/<([a-z-]+)(?:\s[^<>]*)?(?<![/?])>/g)].map(([, name]) => name)
    const closed = [...xml.matchAll(/<\/([a-z-]+)>/g)].map(([, name]) => name)
    expect(Map.groupBy(open, String).size).toBe(5)
    for (const [name, some] of Map.groupBy(open, String)) {
      expect(closed.filter((one) => one === name)).toHaveLength(some.length)
    }
  })

  test('is a table with what failed, and why others have no verdict', () => {
    const table = tableOf(someResult())
    expect(table).toMatch(/^all +1 +1 +1 +1 +1 +1$/m)
    expect(table).toContain(`${FAILED} (`)
    expect(table).toContain('it does (a.test.ts): expected <a> & "b", got')
    expect(table).toContain('the profile has no api.uri: 1 rows')
  })

  test('is a page with a link to each file of checks', () => {
    const page = pageOf(someResult(), { head: ['# X'], suite: '../suite' })
    expect(page).toContain('| all | 6 | 1 | 1 | 1 | 1 | 1 | 1 |')
    expect(page).toContain('passed: [a](../suite/a.test.ts) |')
    expect(page).toContain('not offered: DPoP |')
  })
})
