/** The import table of docs/architecture.md is the one the architecture test holds. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { EVERYTHING, ROOMS } from '../support/rooms.ts'
import { readRows } from './pages.ts'

const root = resolve(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  return names.map((name) => (name === EVERYTHING ? 'everything' : `\`${name}\``)).join(', ')
}

test('the page shows every import rule, and no other', () => {
  const [, section = ''] = /## Import rules\n(.*?)\n## /s.exec(page) ?? []
  const [head, ...rows] = readRows(section)
  const rules = ROOMS.map(({ at, rooms, packages }) => [
    `\`${at}\``,
    listed(rooms),
    listed(packages),
  ])
  expect(rules.length).toBeGreaterThan(10)
  expect(head).toEqual(['from', 'may import', 'packages'])
  expect(rows).toEqual(rules)
})

test('the files one exchange goes through exist', () => {
  const [, section = ''] = /## One exchange\n(.*?)\n## /s.exec(page) ?? []
  const names = [...section.matchAll(/`((?:http|oauth|core|use-cases)\/[a-z-]+)`/g)].map(
    ([, name]) => `server/${name}.ts`,
  )
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !existsSync(join(root, name)))).toEqual([])
})
