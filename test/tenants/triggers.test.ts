/** Triggers of a task type, as they are written and as they are refused, each at its place. */
import { describe, expect, test } from 'vitest'
import { writeTenantFolder } from '../support/tenant-folder.ts'
import { type Change, type Members, taskTypeOf, useFolder } from './folder-fixture.ts'

const folder = useFolder()

const triggers =
  (...entries: readonly Members[]): Change =>
  (documents) =>
    void Object.assign(taskTypeOf(documents), { triggers: entries })
const one: Members = { on: 'exchanges', more_than: 20, within: '60s', then: 'suspend' }

test('what is left out is per task, and durations are seconds', () => {
  const change = triggers(one, {
    ...one,
    on: 'use_after_end',
    per: 'place',
    within: '8h',
    more_than: 0,
    then: 'revoke',
  })
  expect(folder.load({ change }).taskTypes.get('file-work')?.triggers).toEqual([
    { on: 'exchanges', per: 'task', moreThan: 20, within: 60, verdict: 'suspend' },
    { on: 'use_after_end', per: 'place', moreThan: 0, within: 28_800, verdict: 'revoke' },
  ])
})

test('one signal may be counted per task and per place, and in windows of several lengths', () => {
  const change = triggers(one, { ...one, per: 'place' }, { ...one, within: '1h' })
  expect(folder.problemsAfter(change)).toEqual([])
})

describe('what is refused', () => {
  test.each<readonly [string, Members, string]>([
    [
      'an unknown signal',
      { ...one, on: 'exchange' },
      'expected "exchanges" or "fan_out" or "refused_widening" or "replayed_proof" or "use_after_end"; did you mean "exchanges"?',
    ],
    ['an unknown verdict', { ...one, then: 'stop' }, 'expected "suspend" or "revoke"'],
    ['no verdict', { ...one, then: undefined }, 'missing key "then"'],
    ['no window', { ...one, within: undefined }, 'missing key "within"'],
    ['no number', { ...one, more_than: undefined }, 'missing key "more_than"'],
    ['a negative number', { ...one, more_than: -1 }, 'expected a whole number from 0 to 65536'],
    ['a window of nine hours', { ...one, within: '9h' }, 'expected a duration from 1s to 28800s'],
    ['an unknown member', { ...one, verdict: 'revoke' }, 'unknown key'],
    [
      'a task that is over, to be suspended',
      { ...one, on: 'use_after_end' },
      'what is over cannot be suspended: "use_after_end" takes "then: revoke"',
    ],
  ])('%s', (_, entry, text) => {
    expect(folder.problemsAfter(triggers(entry))).toEqual([expect.stringContaining(text)])
  })

  test('the same count twice', () => {
    expect(folder.problemsAfter(triggers(one, { ...one, more_than: 50, then: 'revoke' }))).toEqual([
      'acme/task-types.yaml: another trigger counts "exchanges" per task within 60s already',
    ])
  })

  test('seventeen of them', () => {
    const many = Array.from({ length: 17 }, (_, at) => ({ ...one, within: at + 1 }))
    expect(folder.problemsAfter(triggers(...many))).toEqual([
      'acme/task-types.yaml: at most 16 triggers',
    ])
  })

  test('at the line and column of what is wrong', () => {
    const change = triggers(one, { ...one, on: 'use_after_end' })
    writeTenantFolder(folder.root, 'acme', { change })
    const [problem = ''] = folder.problems()
    expect(problem).toMatch(/^acme\/task-types\.yaml:\d+:\d+: what is over/)
  })

  test('limits on requests beyond their bounds', () => {
    const change: Change = ({ tenant }) => {
      tenant['limits'] = {
        requests_per_client: 0,
        requests_per_tenant: 1e8,
        requests_per_task: 0.5,
      }
    }
    const text = 'acme/tenant.yaml: expected a whole number from 1 to 10000000'
    expect(folder.problemsAfter(change)).toEqual([text, text, text])
  })
})
