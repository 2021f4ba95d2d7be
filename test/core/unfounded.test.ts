/** Facts that tasks rest on: what is unfounded once they are gone, and which changes take any away. */
import { describe, expect, test } from 'vitest'
import type { Tenant } from '../../server/core/tenant.ts'
import { findUnfounded, type RestingTask, takesGround } from '../../server/core/unfounded.ts'
import { anAgent, aTaskType, aTenant, NOW } from './facts.ts'

const TASK: RestingTask = {
  type: 'file-work',
  subject: 'alice',
  opener: 'planner',
  openedAt: NOW - 10,
  hops: [
    { place: 'planner', issuedAt: NOW - 10 },
    { place: 'planner/researcher', issuedAt: NOW - 5 },
    { place: 'planner/researcher', issuedAt: NOW - 1 },
  ],
}

const withAgent = (...agents: Parameters<typeof anAgent>[]): Tenant => {
  const { agents: all } = aTenant()
  const changed = agents.map(([id, parts]) => [id, anAgent(id, parts)] as const)
  return { ...aTenant(), agents: new Map([...all, ...changed]) }
}
const without = (id: string): Tenant => {
  const { agents } = aTenant()
  return { ...aTenant(), agents: new Map([...agents].filter(([other]) => other !== id)) }
}

describe('a task', () => {
  test('stands on facts that are as they were', () => {
    expect(findUnfounded(aTenant(), TASK, NOW)).toEqual([])
    // Of agents that are not in it any more nothing is asked.
    expect(findUnfounded(without('coder'), TASK, NOW)).toEqual([])
  })

  test.each<[string, Tenant, string[]]>([
    ['its opener is disabled', withAgent(['planner', { disabled: true }]), ['agent planner']],
    ['its opener expired', withAgent(['planner', { expires: NOW }]), ['agent planner']],
    ['an agent in it is gone', without('researcher'), ['agent researcher']],
    [
      'its subject is disabled',
      { ...aTenant(), disabledSubjects: new Set(['alice']) },
      ['subject alice'],
    ],
    [
      'its type is gone',
      aTenant({ taskTypes: [aTaskType({ id: 'other' })] }),
      ['task_type file-work'],
    ],
    [
      'several at once',
      { ...without('researcher'), disabledSubjects: new Set(['alice']) },
      ['subject alice', 'agent researcher'],
    ],
  ])('does not where %s', (_, tenant, expected) => {
    const found = findUnfounded(tenant, TASK, NOW)
    expect(found.map(({ kind, id }) => `${kind} ${id}`)).toEqual(expected)
    expect(found.every(({ until }) => until === NOW)).toBe(true)
  })

  test.each([
    [NOW - 11, []],
    [NOW - 6, []],
    [NOW - 5, [NOW - 5]],
    [NOW - 1, [NOW - 1]],
  ])(
    'E10 does not on an agent that came back since it was there first: %i',
    (registeredAt, until) => {
      const found = findUnfounded(withAgent(['researcher', { registeredAt }]), TASK, NOW)
      expect(found.map((one) => one.until)).toEqual(until)
    },
  )
})

describe('a change', () => {
  const subjects = (...ids: string[]): Tenant => ({ ...aTenant(), disabledSubjects: new Set(ids) })

  test.each<[string, Tenant, Tenant, boolean]>([
    ['nothing', aTenant(), aTenant(), false],
    ['an agent more', without('coder'), aTenant(), false],
    ['an agent less', aTenant(), without('coder'), true],
    ['an agent disabled', aTenant(), withAgent(['coder', { disabled: true }]), true],
    ['an agent enabled', withAgent(['coder', { disabled: true }]), aTenant(), false],
    [
      'one less that was disabled',
      withAgent(['coder', { disabled: true }]),
      without('coder'),
      false,
    ],
    ['an agent that expires later', aTenant(), withAgent(['coder', { expires: NOW + 1 }]), false],
    ['an agent that is over', aTenant(), withAgent(['coder', { expires: NOW }]), true],
    ['an agent that is another', aTenant(), withAgent(['coder', { registeredAt: NOW }]), true],
    ['a subject disabled', subjects('a'), subjects('a', 'b'), true],
    ['a subject enabled', subjects('a', 'b'), subjects('a'), false],
    [
      'a type more',
      aTenant(),
      aTenant({ taskTypes: [aTaskType(), aTaskType({ id: 'b' })] }),
      false,
    ],
    ['a type less', aTenant(), aTenant({ taskTypes: [aTaskType({ id: 'b' })] }), true],
    ['other rules', aTenant(), { ...aTenant(), version: 'v2' }, false],
  ])('of %s takes ground: %#', (_, before, after, expected) => {
    expect(takesGround(before, after, NOW)).toBe(expected)
  })
})
