/** What the engine may be given is what the schema has: a member or attribute only one of them knew would never be read. */
import { describe, expect, test } from 'vitest'
import { processCedar } from '../../server/policy/cedar.ts'
import { contextMembers, ENTITY_ATTRIBUTES, neededFacts } from '../../server/policy/needed-facts.ts'
import { CEDAR_SCHEMA } from '../../server/policy/schema.ts'

interface Shape {
  readonly attributes: Readonly<Record<string, unknown>>
}

function schema() {
  const answer = processCedar.run(({ schemaToJson }) => schemaToJson(CEDAR_SCHEMA))
  if (answer.type !== 'success') throw new Error('the schema is no schema')
  return answer.json['']!
}

describe('the schema', () => {
  test('has the attributes of every entity that are given', () => {
    const { entityTypes } = schema()
    const attributes = Object.entries(entityTypes).map(([type, stated]) => {
      const { shape } = stated as { readonly shape?: Shape }
      return [type, Object.keys(shape?.attributes ?? {}).toSorted()] as const
    })
    const given = Object.entries(ENTITY_ATTRIBUTES)
    expect(Object.fromEntries(attributes)).toEqual({
      Tenant: [],
      ...Object.fromEntries(given.map(([type, names]) => [type, names.toSorted()])),
    })
  })

  test.each(['open', 'call', 'delegate'])('has the members of the context of %s', (action) => {
    const { context } = schema().actions[action]!.appliesTo!
    const { attributes } = context as unknown as Shape
    expect(contextMembers(action).toSorted()).toEqual(Object.keys(attributes).toSorted())
  })
})

describe('what policies need', () => {
  const reads = { names: [], tags: false, hierarchy: false, entities: [] }

  test('is nothing where they read nothing', () => {
    expect(neededFacts('call', [reads])).toMatchObject({ members: [], types: new Set() })
  })

  test('is everything where one of them may read everything', () => {
    const all = neededFacts('call', [reads, { ...reads, names: undefined }])
    expect(all.members).toEqual(contextMembers('call'))
    expect(all.types).toEqual(new Set(Object.keys(ENTITY_ATTRIBUTES)))
  })

  test('is what any of them reads, and a type with any attribute of that name', () => {
    const some = neededFacts('delegate', [
      { ...reads, names: ['scope', 'tier'] },
      { ...reads, names: ['recipient', 'owner'], tags: true },
    ])
    expect(some.members).toEqual(['scope', 'recipient'])
    expect(some.types).toEqual(new Set(['Scope', 'Agent', 'Resource', 'User']))
  })

  test('is every type where it matters what lies in what', () => {
    const { types, members } = neededFacts('call', [{ ...reads, hierarchy: true }])
    expect(types).toEqual(new Set(Object.keys(ENTITY_ATTRIBUTES)))
    expect(members).toEqual([])
  })
})
