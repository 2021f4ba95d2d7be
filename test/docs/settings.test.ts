/** What docs/operations.md, the README and the decisions say of settings, dependencies and files is so. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../server/config.ts'
import { pages, ROOT, readPage, readRows } from './pages.ts'

const operations = readPage('docs/operations.md')
const settings = readFileSync(join(ROOT, 'server/settings.ts'), 'utf8')
const variables = [...settings.matchAll(/^  '(ACTCHAIN_[A-Z0-9_]+)',$/gm)].map(([, name]) => name!)

describe('settings', () => {
  test('every one of them has its row', () => {
    expect(variables.length).toBeGreaterThan(8)
    const rowed = readRows(operations).map(([first]) => first ?? '')
    const named = new Set(rowed.flatMap((cell) => cell.split(', ')))
    expect(variables.filter((name) => !named.has(`\`${name}\``))).toEqual([])
  })

  test('no page names one that does not exist', () => {
    const known = new Set(variables.flatMap((name) => [name, `${name}_FILE`]))
    const named = pages().flatMap((page) =>
      [...readPage(page).matchAll(/\bACTCHAIN_[A-Z0-9]+(?:_[A-Z0-9]+)*/g)].map(([name]) => name),
    )
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })

  test('defaults are as the table has them', () => {
    const config = readConfig({ ACTCHAIN_MODE: 'development' })
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8460,
      managementPort: 8461,
      publicUrl: 'http://127.0.0.1:8460',
      devIdp: 'http://127.0.0.1:8462',
      dataFolder: join(process.cwd(), '.actchain'),
      tenantsFolder: join(process.cwd(), 'tenants'),
      trustFolder: join(process.cwd(), '.actchain/trust'),
      internalOrigins: [],
    })
  })

  test('production asks for what the page says it asks for', () => {
    const problems = readConfig({}) as readonly { readonly setting: string }[]
    expect(problems.map(({ setting }) => setting)).toEqual([
      'ACTCHAIN_PUBLIC_URL',
      'ACTCHAIN_KEY_SECRET',
    ])
  })
})

test('every runtime dependency has its reason', () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const page = readPage('docs/decisions/0006-keep-runtime-dependencies-few.md')
  const reasoned = readRows(page)
    .slice(1)
    .map(([first]) => first?.replaceAll('`', ''))
  expect(reasoned.length).toBeGreaterThan(5)
  expect(new Set(reasoned)).toEqual(new Set(Object.keys(dependencies)))
})

test('decisions are numbered, named and titled alike', () => {
  const names = pages().filter((page) => page.startsWith('docs/decisions/'))
  expect(names.length).toBeGreaterThan(7)
  for (const name of names) {
    const [, number] = /^docs\/decisions\/(\d{4})-[a-z]+(?:-[a-z0-9]+)+\.md$/.exec(name) ?? []
    expect({ name, title: readPage(name).split('\n')[0] }).toEqual({
      name,
      title: expect.stringMatching(new RegExp(`^# ${number}: `)),
    })
    for (const part of ['## Context', '## Decision', '## Consequences']) {
      expect({ name, has: readPage(name).includes(part) }).toEqual({ name, has: true })
    }
  }
})
