/** docs/schema is what the schemas of a tenant's files say, and they say something of every member. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { describeFiles } from '../../server/tenants/file-schemas.ts'
import { schemaTexts } from '../../tools/schemas.ts'

const texts = schemaTexts()

test('the JSON Schemas are current: npm run schemas', () => {
  const [first = ''] = texts.keys()
  expect(readdirSync(dirname(first))).toHaveLength(texts.size)
  for (const [path, text] of texts) expect(readFileSync(path, 'utf8')).toBe(text)
})

test('an editor can use every pattern in them', () => {
  const patterns = [...texts.values()].flatMap((text) => [...text.matchAll(/"pattern": (".*")/g)])
  expect(patterns.length).toBeGreaterThan(40)
  for (const [, pattern = ''] of patterns) {
    expect(() => new RegExp(JSON.parse(pattern) as string, 'u')).not.toThrow()
  }
})

test('every member is described in a sentence', () => {
  const files = describeFiles()
  expect(files.map(({ file }) => file)).toEqual([
    'tenant.yaml',
    'agents.yaml',
    'resources.yaml',
    'task-types.yaml',
    'tests/*.yaml',
  ])
  for (const { members } of files) {
    for (const { path, description } of members) {
      expect({ path, description }).toEqual({
        path,
        description: expect.stringMatching(/^\S.+\.$/),
      })
    }
  }
})

test('defaults and conditions are as they would be written', () => {
  const members = describeFiles().flatMap((file) => file.members)
  const of = (path: string) => members.filter((member) => member.path === path)
  expect(of('limits.task_lifetime')).toMatchObject([{ type: 'duration', default: '15m' }])
  expect(of('trusted_issuers')).toMatchObject([{ default: [], isRequired: false }])
  expect(of('resources[].agent')).toMatchObject([{ where: 'kind: agent', isRequired: true }])
  expect(of('resources[].uri')).toMatchObject([{ where: undefined }])
  expect(of('resources[].scopes{}.tier')).toMatchObject([{ where: 'kind: api' }])
})
