/** Exactly one target, named by id, by URI or not at all; no spelling of one resource is another. */
import { describe, expect, test } from 'vitest'
import { findTarget } from '../../server/core/target.ts'
import { anAgent, aTenant } from './facts.ts'

const tenant = aTenant()
const find = (
  audience: readonly string[],
  resource: readonly string[] = [],
  caller = anAgent('planner'),
) => findTarget(tenant, caller, { audience, resource })

describe('a target', () => {
  test.each<[string, readonly string[], readonly string[], string]>([
    ['its id', ['files-api'], [], 'files-api'],
    ['its URI', [], ['https://files.api'], 'files-api'],
    ['both', ['files-api'], ['https://files.api'], 'files-api'],
    ['the id of an agent’s endpoint', ['coder-a2a'], [], 'coder-a2a'],
  ])('is found by %s', (_, audience, resource, id) => {
    expect(find(audience, resource)).toMatchObject({ id })
  })

  test('is found by a URI of 2048 characters', () => {
    const uri = `https://files.api/${'x'.repeat(2030)}`
    expect(find([], [uri])).toMatchObject({ guard: 'target_unknown' })
    expect(find([], [`${uri}x`])).toMatchObject({ reason: 'target_malformed' })
  })

  test('is the agent’s default where none is named, else its home', () => {
    expect(find([])).toMatchObject({ id: 'planner-a2a' })
    const settled = anAgent('planner', { defaultTarget: 'mail-api' })
    expect(find([], [], settled)).toMatchObject({ id: 'mail-api' })
  })
})

describe('no target', () => {
  const caller = anAgent('planner', { defaultTarget: 'gone' })
  test('is a default that is gone: it is not replaced by another', () => {
    expect(find([], [], caller)).toMatchObject({
      reason: 'target_not_permitted',
      guard: 'target_default_unknown',
    })
  })

  test.each<[string, readonly string[], readonly string[]]>([
    ['two ids', ['files-api', 'mail-api'], []],
    ['one id twice', ['files-api', 'files-api'], []],
    ['two URIs', [], ['https://files.api', 'https://mail.api']],
    ['one URI twice', [], ['https://files.api', 'https://files.api']],
    ['an id and another’s URI', ['files-api'], ['https://mail.api']],
    ['an id and an unknown URI', ['files-api'], ['https://nobody.api']],
    ['an unknown id and a URI', ['nobody'], ['https://files.api']],
  ])('is named by %s', (_, audience, resource) => {
    expect(find(audience, resource)).toMatchObject({ reason: 'target_ambiguous' })
  })

  test.each<[readonly string[], readonly string[]]>([
    [['nobody'], []],
    [['nobody'], ['https://nobody.api']],
    [['FILES-API'], []],
    [['files-api '], []],
    [['https://files.api'], []],
    [['__proto__'], []],
    [['constructor'], []],
    [[], ['https://nobody.api']],
    [[], ['HTTPS://files.api']],
    [[], ['https://FILES.api']],
    [[], ['https://files.api/']],
    [[], ['https://files.api:443']],
    [[], ['https://files.api?x']],
    [[], ['https://files%2eapi']],
    [[], ['https://user@files.api']],
    [[], ['urn:files-api']],
  ])('is %j %j: unknown reads as forbidden', (audience, resource) => {
    expect(find(audience, resource)).toEqual({
      kind: 'refusal',
      reason: 'target_not_permitted',
      guard: 'target_unknown',
    })
  })

  test.each([
    '',
    'files-api',
    '/files',
    '//files.api',
    'https:',
    'https://files.api#',
    'https://files.api#fragment',
    'https://files.api/a b',
    ' https://files.api',
    'https://files.api\n',
    '1https://files.api',
    `https://files.api/${'x'.repeat(2048)}`,
  ])('is %j: a resource is an absolute URI without fragment', (uri) => {
    expect(find([], [uri])).toMatchObject({ reason: 'target_malformed' })
    expect(find(['files-api'], [uri])).toMatchObject({ reason: 'target_malformed' })
    expect(find([], ['https://files.api', uri])).toMatchObject({ reason: 'target_malformed' })
  })
})
