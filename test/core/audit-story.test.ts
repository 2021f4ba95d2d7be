import { describe, expect, test } from 'vitest'
import { type StoryEntry, tellStory } from '../../server/core/audit-story.ts'

const NOTHING = { tokens: [], refusals: [], actions: [], endings: [] }

function told(...entries: readonly StoryEntry[]) {
  return tellStory(entries.map((entry, index) => ({ index, entry })))
}

const issued = (...chain: readonly string[]): StoryEntry => ({
  event: 'token',
  outcome: 'permit',
  client: chain.at(-1) ?? '',
  chain,
})

describe('the story of a task', () => {
  test('has its places depth first, in the order in which they came up', () => {
    const { places } = told(issued('p'), issued('p', 'b'), issued('p', 'a'), issued('p', 'b', 'c'))
    expect(places.map(({ place }) => place.join('/'))).toEqual(['p', 'p/b', 'p/b/c', 'p/a'])
  })

  test('has a place above one that it knows nothing of', () => {
    const { places } = told(issued('p', 'a'))
    expect(places).toEqual([
      { ...NOTHING, place: ['p'] },
      { ...NOTHING, place: ['p', 'a'], tokens: [0] },
    ])
  })

  test('tells tokens, refusals, what was done and what ended apart', () => {
    const chain = ['p', 'a']
    const { places, task } = told(
      issued('p', 'a'),
      { event: 'token', outcome: 'refuse', client: 'a', chain },
      { event: 'token', outcome: 'ask', client: 'a', chain },
      { event: 'record', outcome: 'permit', client: 'files-api', chain },
      { event: 'record', outcome: 'refuse', client: 'files-api', chain },
      { event: 'revocation', outcome: 'permit', client: 'a', chain },
      { event: 'task', outcome: 'permit', action: 'revoke_place', place: 'p/a' },
    )
    expect(places[1]).toEqual({
      place: chain,
      tokens: [0],
      refusals: [1, 2, 4],
      actions: [3],
      endings: [5, 6],
    })
    expect(task).toEqual([])
  })

  test('has who asked and got nothing beneath the token that was shown', () => {
    const refused = { event: 'token', outcome: 'refuse', client: 'x', chain: ['p'] }
    expect(told(issued('p'), refused).places).toEqual([
      { ...NOTHING, place: ['p'], tokens: [0] },
      { ...NOTHING, place: ['p', 'x'], refusals: [1] },
    ])
  })

  test('leaves to the task what is of no place, and what a trigger ended', () => {
    const { places, task } = told(
      { event: 'task', outcome: 'permit', action: 'close_task' },
      { event: 'task', outcome: 'permit', action: 'trigger_revoke', place: 'p/a', client: 'a' },
      { event: 'token', outcome: 'refuse' },
    )
    expect(places).toEqual([])
    expect(task).toEqual([0, 1, 2])
  })

  test('takes any name for a name, and any depth', () => {
    const deep = Array.from({ length: 5000 }, (_, at) => (at % 2 ? '__proto__' : 'constructor'))
    const { places } = told(issued(...deep))
    expect(places).toHaveLength(5000)
    expect(places.at(-1)?.tokens).toEqual([0])
  })
})
