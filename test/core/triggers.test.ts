/** Which of what is seen in a task counts, where, and when it is too much. */
import { describe, expect, test } from 'vitest'
import { type Reason, refuse } from '../../server/core/refusal.ts'
import { SIGNALS, type Signal, type Trigger } from '../../server/core/tenant.ts'
import {
  counterId,
  findFiring,
  type Seen,
  signalsOf,
  type WatchedExchange,
  watchesOf,
} from '../../server/core/triggers.ts'
import { aTaskType } from './facts.ts'

const NOW = 1000
const GRANTED = {}

function anExchange(parts: Partial<WatchedExchange> = {}): WatchedExchange {
  return {
    wayIn: 'recipient',
    caller: 'researcher',
    presented: ['planner'],
    task: { state: 'open', deadline: NOW + 1 },
    outcome: GRANTED,
    now: NOW,
    ...parts,
  }
}

const seen = (exchange: WatchedExchange): readonly string[] =>
  signalsOf(exchange).map(({ on, place }) => `${on} ${place.join('/')}`)

describe('what an exchange shows', () => {
  test('a recipient is one more at its own place, and one more beneath the place it was handed from', () => {
    expect(seen(anExchange())).toEqual(['exchanges planner/researcher', 'fan_out planner'])
  })

  test('a holder is one more at the place it has', () => {
    const holder = anExchange({ wayIn: 'holder', caller: 'planner' })
    expect(seen(holder)).toEqual(['exchanges planner'])
  })

  test.each<readonly [Reason, string | undefined]>([
    ['scope_not_permitted', 'scope_beyond_parent'],
    ['scope_not_permitted', 'scope_closed_by_rules'],
    ['target_not_permitted', 'target_unknown'],
    ['target_not_permitted', 'target_beyond_reach'],
    ['target_not_permitted', 'target_closed_by_rules'],
    ['chain_too_long', undefined],
    ['actor_already_in_chain', undefined],
  ])('%s (%s) is an attempt at more', (reason, guard) => {
    expect(seen(anExchange({ outcome: refuse(reason, guard) }))).toEqual([
      'exchanges planner/researcher',
      'refused_widening planner/researcher',
    ])
  })

  test.each<readonly [Reason, string | undefined]>([
    ['target_not_permitted', 'recipient_inactive'],
    ['approval_required', undefined],
    ['scope_nothing_left', undefined],
    ['scope_malformed', undefined],
    ['actor_inactive', undefined],
    ['actor_token_unacceptable', undefined],
    ['subject_token_revoked', 'parent_revoked'],
    ['subject_token_expired', undefined],
    ['token_too_large', undefined],
  ])('%s (%s) is asked for, and no attempt at more', (reason, guard) => {
    expect(seen(anExchange({ outcome: refuse(reason, guard) }))).toEqual([
      'exchanges planner/researcher',
    ])
  })

  test.each(['closed', 'suspended'] as const)('a token of a task that is %s', (state) => {
    const task = { state, deadline: NOW + 1 }
    const outcome = refuse('task_ended')
    expect(seen(anExchange({ task, outcome }))).toEqual(['use_after_end planner/researcher'])
  })

  test.each([
    ['revoked', { state: 'revoked', deadline: NOW + 1 }],
    ['past its deadline', { state: 'open', deadline: NOW }],
    ['closed, and past its deadline', { state: 'closed', deadline: NOW }],
  ] as const)('nothing of a task that is %s: there is nothing left to end', (_, task) => {
    expect(signalsOf(anExchange({ task, outcome: refuse('task_ended') }))).toEqual([])
  })
})

function aTrigger(parts: Partial<Trigger> = {}): Trigger {
  return { on: 'exchanges', per: 'task', moreThan: 2, within: 60, verdict: 'suspend', ...parts }
}

const at = (on: Signal, ...place: readonly string[]): Seen => ({ on, place })
const since = { txn: 'task-1', since: 0 }

describe('what is counted', () => {
  test.each(SIGNALS)('%s costs nothing where no trigger is about it', (on) => {
    const others = SIGNALS.filter((signal) => signal !== on).map((other) => aTrigger({ on: other }))
    expect(watchesOf(aTaskType({ triggers: others }), [at(on, 'planner')])).toEqual([])
    const [trigger] = [aTrigger({ on })]
    expect(watchesOf(aTaskType({ triggers: [trigger] }), [at(on, 'planner')])).toEqual([
      { trigger, place: ['planner'] },
    ])
  })

  test('per task all places meet at one counter, per place none', () => {
    const id = (trigger: Trigger, ...place: readonly string[]) =>
      JSON.stringify(counterId(since, { trigger, place }))
    const task = aTrigger()
    expect(id(task, 'planner')).toBe(id(task, 'planner', 'coder'))
    const place = aTrigger({ per: 'place' })
    const ids = [
      id(task, 'planner'),
      id(place, 'planner'),
      id(place, 'planner', 'coder'),
      id(place, 'planner/coder'),
      id({ ...place, on: 'fan_out' }, 'planner'),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('another task, and one that was resumed, begin anew', () => {
    const watch = { trigger: aTrigger(), place: ['planner'] }
    const ids = [since, { ...since, txn: 'task-2' }, { ...since, since: 999 }].map((task) =>
      JSON.stringify(counterId(task, watch)),
    )
    expect(new Set(ids).size).toBe(3)
  })
})

describe('what fires', () => {
  const watch = (parts: Partial<Trigger> = {}) => ({
    trigger: aTrigger(parts),
    place: ['planner', 'researcher'],
  })

  test.each([
    [1, undefined],
    [2, undefined],
    [3, 'suspend'],
    [400, 'suspend'],
  ])('the count of %d against more than two: %s', (count, verdict) => {
    expect(findFiring([{ watch: watch(), count }])?.verdict).toBe(verdict)
  })

  test('more than none is the first one', () => {
    expect(findFiring([{ watch: watch({ moreThan: 0 }), count: 1 }])?.verdict).toBe('suspend')
  })

  test('of several the strictest', () => {
    const counted = [
      { watch: watch(), count: 3 },
      { watch: watch({ verdict: 'revoke' }), count: 3 },
    ]
    expect(findFiring(counted)?.verdict).toBe('revoke')
    const below = [counted[0]!, { ...counted[1]!, count: 2 }]
    expect(findFiring(below)?.verdict).toBe('suspend')
    expect(findFiring([])).toBeUndefined()
  })

  test.each<readonly [Partial<Trigger>, string]>([
    [{ moreThan: 20 }, 'more than 20 exchanges in 60 s'],
    [{ moreThan: 20, per: 'place' }, 'more than 20 exchanges in 60 s at planner/researcher'],
    [{ moreThan: 1 }, 'more than 1 exchange in 60 s'],
    [
      { on: 'fan_out', moreThan: 5, per: 'place', within: 3600 },
      'more than 5 tokens for recipients in 3600 s at planner/researcher',
    ],
    [
      { on: 'refused_widening', moreThan: 1, per: 'place' },
      'more than 1 refused attempt at more in 60 s at planner/researcher',
    ],
    [{ on: 'replayed_proof', moreThan: 0 }, 'more than 0 replayed proofs in 60 s'],
    [{ on: 'use_after_end', moreThan: 2 }, 'more than 2 uses after its end in 60 s'],
  ])('%o says why', (parts, reason) => {
    expect(findFiring([{ watch: watch(parts), count: 70_000 }])).toMatchObject({
      reason,
      place: ['planner', 'researcher'],
    })
  })
})
