/** What `npm run mutation` is about exists, and its arithmetic holds: no run that saw nothing, or too little, passes. */
import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { GROUPS, groupOf } from '../../tools/mutation/groups.ts'
import {
  percentOf,
  type StrykerReport,
  scoreOf,
  scoreText,
  sumOf,
} from '../../tools/mutation/report.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

test('the files of every group exist, and no file is in two', async () => {
  expect(GROUPS.map(({ name }) => name)).toEqual(['attenuate', 'decide', 'chain', 'verifier'])
  const files = GROUPS.flatMap((group) => group.files)
  expect(new Set(files).size).toBe(files.length)
  expect(files.length).toBeGreaterThan(30)
  for (const file of [...files, ...GROUPS.flatMap((group) => group.tests)])
    await access(`${ROOT}${file}`)
})

test('a group is the one the environment names', () => {
  expect(groupOf({ MUTATION_GROUP: 'chain' }).name).toBe('chain')
  for (const name of [undefined, '', 'all', 'Chain'])
    expect(() => groupOf({ MUTATION_GROUP: name })).toThrow('attenuate, decide, chain, verifier')
})

const mutant = (status: string) => ({
  status,
  replacement: 'false',
  location: { start: { line: 2, column: 5 }, end: { line: 2, column: 10 } },
})
const reportOf = (...statuses: readonly string[]): StrykerReport => ({
  files: { 'a.ts': { source: 'one\nif (a < b) c()\n', mutants: statuses.map(mutant) } },
})

describe('a score', () => {
  test.each<[readonly string[], number]>([
    [[], 0],
    [['Ignored'], 0],
    [['Survived'], 0],
    [['Killed'], 100],
    [['Timeout'], 100],
    [['Killed', 'NoCoverage'], 50],
    [['Killed', 'Killed', 'Survived'], 66.66],
    [['Killed', 'RuntimeError', 'CompileError', 'Ignored', 'Pending'], 100],
  ])('of %j is %d', (statuses, score) => {
    expect(scoreOf('g', reportOf(...statuses)).score).toBe(score)
  })

  test('is rounded down', () => {
    expect(percentOf({ killed: 84_999, survived: 15_001, uncounted: 0 })).toBe(84.99)
    expect(percentOf({ killed: 85, survived: 15, uncounted: 7 })).toBe(85)
  })

  test('of several files is that of all their mutants', () => {
    const files = {
      ...reportOf('Killed', 'Killed', 'Killed').files,
      'b.ts': { source: '', mutants: [mutant('Survived')] },
    }
    const { score, files: each } = scoreOf('g', { files })
    expect([score, ...each.map((file) => file.score)]).toEqual([75, 100, 0])
    expect(sumOf(each)).toEqual({ killed: 3, survived: 1, uncounted: 0 })
  })
})

test('a survivor is told by its place, what stood there and what replaced it', () => {
  const score = scoreOf('g', reportOf('Killed', 'Survived', 'Ignored'))
  expect(score.survivors).toEqual([{ at: 'a.ts:2:5', was: 'a < b', became: 'false' }])
  expect(scoreText(score)).toBe(
    [
      'g: 50.00 %, below 85 %',
      '   50.00 %  a.ts  (1 killed, 1 survived, 1 not counted)',
      '  a.ts:2:5  a < b  →  false',
    ].join('\n'),
  )
})
