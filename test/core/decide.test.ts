/** One scope at one target, from facts alone: what no fact allows is refused, by the first guard that has a reason to. */
import { describe, expect, test } from 'vitest'
import { decide } from '../../server/core/decide.ts'
import { type HopFacts, isActive, mayReach } from '../../server/core/guards.ts'
import { aHop, anAgent, anApi, anEndpoint, aTaskType, aTenant, NOW } from './facts.ts'

const only = (...names: readonly string[]) => ({ scopes: new Set(names) })
const outcome = (hop: HopFacts, scope: string) => decide(hop, scope).outcome

describe('a call to an API', () => {
  test('is permitted where task type, caller and API all have the scope', () => {
    expect(outcome(aHop(), 'files:read')).toBe('permit')
    expect(outcome(aHop(), 'files:write')).toBe('permit')
  })

  test('asks a human for what executes', () => {
    expect(outcome(aHop({ target: anApi('pay') }), 'pay:transfer')).toBe('ask')
  })

  test.each<[string, string, Partial<HopFacts>]>([
    [
      'the tenant does not know the scope',
      'scope_unknown',
      { tenant: aTenant({ tenant: { scopes: new Map() } }) },
    ],
    ['the token presented has it not', 'scope_beyond_parent', { held: ['files:write'] }],
    [
      'the task type has it not',
      'scope_beyond_task_type',
      { taskType: aTaskType({ scopes: ['files:write'] }) },
    ],
    [
      'the caller has it not',
      'scope_beyond_caller',
      { caller: anAgent('planner', only('files:write')) },
    ],
    ['the API has it not', 'scope_beyond_target', { target: anApi('mail') }],
    [
      'nobody has any',
      'scope_beyond_caller',
      { caller: anAgent('planner', only()), target: anApi('files', only()) },
    ],
  ])('is refused where %s (%s), and no rule is asked', (_, guard, parts) => {
    expect(decide(aHop(parts), 'files:read')).toEqual({
      outcome: 'refuse',
      guard,
      answer: undefined,
    })
  })

  test('an approval is never asked for what would be refused with it', () => {
    const target = anApi('pay')
    const caller = anAgent('planner', only('files:read'))
    expect(outcome(aHop({ target, caller }), 'pay:transfer')).toBe('refuse')
  })

  test.each([
    '',
    ' ',
    'files:*',
    'files',
    'FILES:READ',
    'files:read ',
    'files:read files:write',
    '__proto__',
  ])('the scope %j is no spelling of another', (name) => {
    expect(decide(aHop({ held: [name] }), name)).toMatchObject({
      outcome: 'refuse',
      guard: 'scope_unknown',
    })
  })
})

describe('a delegation to an agent', () => {
  const handover = (parts: Partial<HopFacts> = {}): HopFacts =>
    aHop({ target: anEndpoint('researcher'), recipient: anAgent('researcher'), ...parts })

  test('is permitted where caller, endpoint and recipient have the scope', () => {
    expect(outcome(handover(), 'files:read')).toBe('permit')
  })

  test('is refused where the recipient has it not', () => {
    const recipient = anAgent('researcher', only('mail:send'))
    expect(decide(handover({ recipient }), 'files:read')).toMatchObject({
      outcome: 'refuse',
      guard: 'scope_beyond_recipient',
    })
  })

  test('is refused where its endpoint does not accept it', () => {
    const target = anEndpoint('researcher', only('mail:send'))
    expect(decide(handover({ target }), 'files:read')).toMatchObject({
      outcome: 'refuse',
      guard: 'scope_beyond_target',
    })
  })
})

describe('reaching a target', () => {
  test.each<[boolean, string, readonly string[]]>([
    [true, 'files-api', ['files-api']],
    [false, 'files-api', ['mail-api']],
    [false, 'files-api', []],
    [true, 'planner-a2a', []],
    [false, 'researcher-a2a', ['files-api']],
  ])('is %s for %s with an edge to %j', (expected, id, edges) => {
    const target = aTenant().resources.get(id)!
    expect(mayReach(anAgent('planner', { mayReach: new Set(edges) }), target)).toBe(expected)
  })
})

describe('an agent', () => {
  test.each<[boolean, string, Parameters<typeof isActive>[0]]>([
    [true, 'without an end', anAgent('planner')],
    [true, 'a second before its end', anAgent('planner', { expires: NOW + 1 })],
    [false, 'at its end', anAgent('planner', { expires: NOW })],
    [false, 'after its end', anAgent('planner', { expires: NOW - 1 })],
    [false, 'that ends at the epoch', anAgent('planner', { expires: 0 })],
    [false, 'disabled', anAgent('planner', { disabled: true })],
    [false, 'disabled before its end', anAgent('planner', { disabled: true, expires: NOW + 9 })],
    [false, 'nobody knows', undefined],
  ])('works: %s, %s', (expected, _, agent) => {
    expect(isActive(agent, NOW)).toBe(expected)
  })
})
