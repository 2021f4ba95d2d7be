/** One scope at one target, from facts alone: what no fact allows is refused. */
import { describe, expect, test } from 'vitest'
import { type DecisionFacts, decide, isActive, mayReach } from '../../server/core/decide.ts'
import { anAgent, anApi, anEndpoint, aTaskType, aTenant, NOW } from './facts.ts'

function facts(parts: Partial<DecisionFacts> = {}): DecisionFacts {
  return {
    tenant: aTenant(),
    taskType: aTaskType(),
    caller: anAgent('planner'),
    target: anApi('files'),
    recipient: undefined,
    ...parts,
  }
}
const only = (...names: readonly string[]) => ({ scopes: new Set(names) })

describe('a call to an API', () => {
  test('is permitted where task type, caller and API all have the scope', () => {
    expect(decide(facts(), 'files:read')).toBe('permit')
    expect(decide(facts(), 'files:write')).toBe('permit')
  })

  test('asks a human for what executes', () => {
    expect(decide(facts({ target: anApi('pay') }), 'pay:transfer')).toBe('ask')
  })

  test.each<[string, Partial<DecisionFacts>]>([
    ['the tenant does not know the scope', { tenant: aTenant({ tenant: { scopes: new Map() } }) }],
    ['the task type has it not', { taskType: aTaskType({ scopes: ['files:write'] }) }],
    ['the caller has it not', { caller: anAgent('planner', only('files:write')) }],
    ['the API has it not', { target: anApi('mail') }],
    ['nobody has any', { caller: anAgent('planner', only()), target: anApi('files', only()) }],
  ])('is refused where %s', (_, parts) => {
    expect(decide(facts(parts), 'files:read')).toBe('refuse')
  })

  test('an approval is never asked for what would be refused with it', () => {
    const target = anApi('pay')
    const caller = anAgent('planner', only('files:read'))
    expect(decide(facts({ target, caller }), 'pay:transfer')).toBe('refuse')
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
    expect(decide(facts(), name)).toBe('refuse')
  })
})

describe('a delegation to an agent', () => {
  const handover = (parts: Partial<DecisionFacts> = {}): DecisionFacts =>
    facts({ target: anEndpoint('researcher'), recipient: anAgent('researcher'), ...parts })

  test('is permitted where caller, endpoint and recipient have the scope', () => {
    expect(decide(handover(), 'files:read')).toBe('permit')
  })

  test('is refused where the recipient has it not', () => {
    const recipient = anAgent('researcher', only('mail:send'))
    expect(decide(handover({ recipient }), 'files:read')).toBe('refuse')
  })

  test('is refused where its endpoint does not accept it', () => {
    const target = anEndpoint('researcher', only('mail:send'))
    expect(decide(handover({ target }), 'files:read')).toBe('refuse')
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
