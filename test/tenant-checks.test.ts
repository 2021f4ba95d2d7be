/** Versions as the management API has them checked: what is stored, what must not become live here, what is replaced. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createTenantChecks, createTenantFolders } from '../server/tenant-checks.ts'
import { loadTenants } from '../server/tenants/load-tenants.ts'
import type { VersionContent } from '../server/use-cases/version-content.ts'
import { newKey } from './support/signing.ts'
import { type TenantChanges, writeTenantFolder } from './support/tenant-folder.ts'

const PUBLIC_URL = 'https://as.example'
const root = mkdtempSync(join(tmpdir(), 'actchain-checks-'))
afterAll(() => rmSync(root, { recursive: true }))

const development = createTenantChecks({ mode: 'development', publicUrl: PUBLIC_URL })
const production = createTenantChecks({ mode: 'production', publicUrl: PUBLIC_URL })

function sourcesOf(changes: TenantChanges = {}): Record<string, string> {
  const folder = writeTenantFolder(root, 'acme', changes)
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path, 'utf8')]),
  )
}

const withKeys: TenantChanges = {
  agentKeys: Object.fromEntries(
    ['planner', 'researcher', 'coder', 'rogue'].map((id) => [id, newKey(id).publicJwk]),
  ),
}

async function contentOf(changes: TenantChanges = {}): Promise<VersionContent> {
  const { content, problems } = await development.check('acme', sourcesOf(changes))
  if (content === undefined) throw new Error(JSON.stringify(problems))
  return content
}

describe('a version', () => {
  test('is what a start would have read from the folder', async () => {
    const content = await contentOf()
    const loaded = loadTenants({ folder: root, publicUrl: PUBLIC_URL })
    if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.problems))
    const folders = createTenantFolders(loaded.tenants)
    expect(folders.ids()).toEqual(['acme'])
    expect(folders.find('acme')).toEqual(content)
    expect(folders.find('acme')).toBe(folders.find('acme'))
    expect(folders.find('globex')).toBeUndefined()
  })

  test('L06 with development keys does not become live in production, by this path either', async () => {
    const content = await contentOf()
    expect((await development.read('acme', content)).problems).toEqual([])
    const { problems } = await production.read('acme', content)
    expect(problems).toHaveLength(4)
    expect(problems[0]).toEqual({
      file: 'acme/agents.yaml',
      line: 1,
      column: 1,
      text: "planner: auth: development_keys is for development; give the agent's own public keys.",
    })
    expect((await production.read('acme', await contentOf(withKeys))).problems).toEqual([])
  })

  test('L06 with a trusted issuer on plain http does not either', async () => {
    const issuer = 'http://127.0.0.1:8462'
    const { content, problems } = await production.check(
      'acme',
      sourcesOf({ ...withKeys, idp: { issuer } }),
    )
    const found =
      content === undefined ? problems : (await production.read('acme', content)).problems
    expect(found).toContainEqual(expect.objectContaining({ file: 'acme/tenant.yaml' }))
  })

  test('that another release stored in another form is checked again', async () => {
    const content = await contentOf()
    const older = { ...content, compiled: '{"format":0}' }
    expect(await development.read('acme', older)).toEqual(await development.read('acme', content))
    expect(await development.changes('acme', older, content)).toEqual([])
  })

  test('that cannot be read any more can still be replaced, and frees no id of its agents', async () => {
    const content = await contentOf()
    const broken = {
      ...content,
      compiled: '{"format":0}',
      sources: { 'agents.yaml': '- id: planner\n?: [' },
    }
    await expect(development.read('acme', broken)).rejects.toThrow('does not pass the check')
    expect([...(await development.replacedAgents('acme', broken))]).toContain('planner')
    expect([...(await development.replacedAgents('acme', content))].toSorted()).toEqual([
      'coder',
      'planner',
      'researcher',
      'rogue',
    ])
    expect(await development.changes('acme', broken, content)).toEqual([
      'the version before cannot be read',
    ])
  })
})

test('a new tenant has no changes to tell', async () => {
  expect(await development.changes('acme', undefined, await contentOf())).toEqual(['new tenant'])
})

test('where too many checks wait, the next one is turned away', async () => {
  const sources = sourcesOf()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, () => development.check('acme', sources)),
  )
  const refused = outcomes.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(2)
  expect((await development.check('acme', sources)).problems).toEqual([])
})
