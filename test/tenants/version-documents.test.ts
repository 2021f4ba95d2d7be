import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { versionOf } from '../../lib/src/audit/tenant-version.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { readVersion } from '../../server/tenants/version.ts'
import { readDocuments } from '../../server/tenants/version-documents.ts'
import { versionOfFolder } from '../support/stored-version.ts'

const TENANTS = join(import.meta.dirname, '../../tenants')

/** As evidence carries it. */
const sent = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject

test('who has the documents of a version has its id', async () => {
  const { version, sources } = versionOfFolder(TENANTS, 'acme', 'https://as.example.com')
  const documents = readDocuments(new Map(Object.entries(sources)))
  expect(Object.keys(documents)).toEqual(Object.keys(sources))
  expect(documents['tenant.yaml']).toMatchObject({ display_name: expect.any(String) })
  const policy = Object.keys(sources).find((path) => path.endsWith('.cedar')) ?? ''
  expect(documents[policy]).toBe(readFileSync(join(TENANTS, 'acme', policy), 'utf8'))
  expect(await versionOf(sent(documents))).toBe(version)
  const changed = { ...documents, [policy]: `${sources[policy]} ` }
  expect(await versionOf(sent(changed))).not.toBe(version)
})

test.each([
  ['members that look like numbers', { 'a.yaml': { 10: 1, 9: 2, b: 3, '-1': 4 } }],
  ['members beyond ASCII', { 'a.yaml': { ä: 1, z: 2, '\u{1f600}': 3, '\ufb01': 4 } }],
  ['no value', { 'a.yaml': null, 'b.yaml': [null, { c: null }] }],
  ['numbers of every kind', { 'a.yaml': [0, -0, 1e21, 0.1, 2 ** 53, Infinity] }],
  ['nothing', {}],
])('server and verifier have one id for %s', async (_what, documents) => {
  expect(await versionOf(sent(documents))).toBe(readVersion(documents))
})

test('YAML that never was a version is no document', () => {
  expect(() => readDocuments(new Map([['tenant.yaml', 'a: [']]))).toThrow('tenant.yaml')
})
