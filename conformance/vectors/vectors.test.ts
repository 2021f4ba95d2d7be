/** The files themselves: their form, their names, and that no sentence of the format goes without a vector. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { readJson, readVectorFiles, readVectors } from './vector-files.ts'

const validate = new Ajv2020({
  strict: true,
  strictRequired: false,
  formats: { uri: true },
}).compile(readJson('schema.json') as object)
const files = readVectorFiles()
const vectors = readVectors().map(({ vector }) => vector)
const format = readFileSync(new URL('../../docs/chain-format.md', import.meta.url), 'utf8')

/** Reasons that one case alone cannot have, and why. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['token_missing', 'a vector has a token'],
  ['authorization_malformed', 'vectors begin behind the Authorization header'],
  ['request_ambiguous', 'vectors begin behind the Authorization header'],
  ['keys_unavailable', 'the keys of a vector are at hand'],
  ['proof_replayed', 'takes two presentations'],
  ['replay_unavailable', 'takes a store that fails'],
])

test('each file is what schema.json says', () => {
  expect(files.size).toBeGreaterThanOrEqual(10)
  for (const [name, file] of files) {
    validate(file)
    expect([name, validate.errors]).toEqual([name, null])
  }
})

test('the schema is closed: a member nobody knows, a verdict of another kind', () => {
  const [file] = files.values()
  if (file === undefined) expect.unreachable()
  const [first, ...others] = file.vectors
  expect(validate({ ...file, x: 1 })).toBe(false)
  expect(validate({ ...file, vectors: [{ ...first, x: 1 }, ...others] })).toBe(false)
  const expected = { verdict: 'accept', reason: 'token_expired', status: 401 }
  expect(validate({ ...file, vectors: [{ ...first, expected }] })).toBe(false)
})

test('ids are unique, and so are titles in a file; an id says its file', () => {
  expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length)
  for (const [name, file] of files) {
    expect(new Set(file.vectors.map(({ title }) => title)).size).toBe(file.vectors.length)
    const prefix = name.replace('.json', '-')
    expect(file.vectors.filter(({ id }) => !id.startsWith(prefix))).toEqual([])
  }
})

test('there are as many as were promised, and not more than anyone wants to load', () => {
  const of = (verdict: string): number =>
    vectors.filter(({ expected }) => expected.verdict === verdict).length
  expect(of('accept')).toBeGreaterThan(100)
  expect(of('reject')).toBeGreaterThan(1000)
  const size = [...files.keys()].reduce(
    (sum, name) => sum + JSON.stringify(files.get(name)).length,
    0,
  )
  expect(size).toBeLessThan(3_145_728)
})

test('every reason is given by a vector, or has its reason not to be', () => {
  const errors = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const [, table = ''] = errors.split('## Of the verifier')
  const reasons = [...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, reason = '']) => reason)
  expect(reasons.length).toBeGreaterThan(60)
  const given = new Set(vectors.map(({ expected }) => expected.reason))
  expect(reasons.filter((reason) => !given.has(reason))).toEqual(
    reasons.filter((reason) => ELSEWHERE.has(reason)),
  )
  expect([...given].filter((reason) => reason !== undefined && !reasons.includes(reason))).toEqual(
    [],
  )
})

test('every sentence of chain-format §2 that names a reason is broken, and every rule is cited', () => {
  const [, section = ''] = /^## 2\. What a verifier checks$(.*?)^## 3\./ms.exec(format) ?? []
  const named = [...section.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name = '']) => name)
  const reasons = new Set(vectors.map(({ expected }) => expected.reason))
  const members = new Set([
    'act_bounds',
    'client_id',
    'max_depth',
    'sub_profile',
    'status_list',
    'not_checked',
  ])
  expect(named.length).toBeGreaterThan(40)
  expect(
    named.filter((name) => !members.has(name) && !reasons.has(name) && !ELSEWHERE.has(name)),
  ).toEqual([])
  const cited = new Set(vectors.flatMap(({ rules }) => rules))
  const rules = [...section.matchAll(/^\*\*(\d)\. /gm)].map(
    ([, rule = '']) => `chain-format §2.${rule}`,
  )
  expect(rules).toHaveLength(8)
  expect(rules.filter((rule) => !cited.has(rule))).toEqual([])
})
