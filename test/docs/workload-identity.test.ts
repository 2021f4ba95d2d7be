/** The guide for identity teams: what it says of tenants passes the check, and what it says of refusals is what is on record. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { agentAuth } from '../../server/tenants/agent-auth.ts'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import { writeTenantFolder } from '../support/tenant-folder.ts'
import { publicUrl, useFolder } from '../tenants/folder-fixture.ts'
import { ROOT, readBlocks, readPage, readRows } from './pages.ts'

const PAGE = 'docs/workload-identity.md'
const folder = useFolder()

interface Section {
  readonly title: string
  readonly facts: Record<string, unknown>
}

/** Sections with YAML, and all of it as one mapping. */
const sections: readonly Section[] = readPage(PAGE)
  .split(/^## /m)
  .map((text) => {
    const yaml = readBlocks(PAGE, text).filter(({ language }) => language === 'yaml')
    const facts = yaml.map((block) => parseYaml(block.text) as Record<string, unknown>)
    return { title: text.split('\n')[0] ?? '', facts: Object.assign({}, ...facts) }
  })
  .filter(({ facts }) => Object.keys(facts).length > 0)

interface StatedAgent extends Record<string, unknown> {
  readonly id: string
  readonly auth: { readonly method: string }
}

const agentsOf = ({ facts }: Section) => facts['agents'] as StatedAgent[]

describe('the facts of each way', () => {
  test.each(sections)('are a tenant’s: $title', (section) => {
    const { agents: _, ...stated } = section.facts
    writeTenantFolder(folder.root, 'acme', {
      change: (documents) => {
        const of = (id: unknown) => agentsOf(section).some((agent) => agent['id'] === id)
        Object.assign(documents.tenant, stated)
        // One of the fixture's may have the same name: the page's stands for it.
        for (const agent of documents.agents.agents.filter(({ id }) => of(id))) {
          Object.assign(
            agent,
            agentsOf(section).find(({ id }) => id === agent['id']),
          )
        }
        const known = new Set(documents.agents.agents.map(({ id }) => String(id)))
        documents.agents.agents.push(...agentsOf(section).filter(({ id }) => !known.has(id)))
      },
    })
    const result = loadTenants({ folder: folder.root, publicUrl })
    expect(result.kind === 'refused' ? result.problems : []).toEqual([])
    const warned = result.warnings.map(({ text }) => text)
    expect(warned).toEqual(section.title === 'A secret' ? [expect.stringContaining('secret')] : [])
  })

  test('are those of every method', () => {
    const shown = sections.flatMap((section) => agentsOf(section).map(({ auth }) => auth.method))
    const methods = agentAuth.options.flatMap(({ shape: { method } }) =>
      'options' in method ? method.options.slice(0, 1) : [...method.values],
    )
    expect(new Set([...shown, 'private_key_jwt'])).toEqual(new Set(methods))
    const overview = readRows(readPage(PAGE)).map((row) => row[1] ?? '')
    for (const method of methods) expect(overview).toContainEqual(expect.stringContaining(method))
  })
})

test('every guard it explains is one there is', () => {
  const sources = ['server/oauth', 'keys']
    .flatMap((room) =>
      readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFileSync(join(ROOT, room, name), 'utf8')),
    )
    .join('\n')
  const rows = readRows(readPage(PAGE))
  const start = rows.findIndex(([first]) => first === '`guard`')
  const guards = rows.slice(start + 1).flatMap(([first = '']) => first.match(/[a-z_]+…?/g) ?? [])
  expect(guards.length).toBeGreaterThan(15)
  // Some are a prefix and what the JWT helper found.
  const isThere = (guard: string): boolean =>
    [guard, guard.replace(/^assertion_/, '')]
      .map((name) => (name.endsWith('…') ? `'${name.slice(0, -1)}` : `'${name}'`))
      .some((literal) => sources.includes(literal))
  expect(guards.filter((guard) => !isThere(guard))).toEqual([])
})
