/**
 * Who may import whom. An absent edge is forbidden and types count. The table is docs/architecture.md's; a folder that is
 * not in it may import nothing. A checker that sees nothing fails.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EVERYTHING, ROOMS, type Room } from './support/rooms.ts'

/** Files at the top of `server` that wire or start; they alone may import every room. */
const WIRING = new Set([
  'server/app.ts',
  'server/main.ts',
  'server/config.ts',
  'server/settings.ts',
  'server/tls-settings.ts',
  'server/pkcs11-settings.ts',
  'server/telemetry-settings.ts',
  'server/tenant-listeners.ts',
  'server/open-telemetry.ts',
  'server/start-record.ts',
  'server/heal-tasks.ts',
  'server/keyrings.ts',
  'server/trust-material.ts',
  'server/open-tenants.ts',
  'server/development-keys.ts',
  'server/start-refused.ts',
  'server/tenant-checks.ts',
  'server/operator-key.ts',
  'server/open-admin.ts',
  'server/anchors-file.ts',
  'server/open-anchors.ts',
  'server/open-audit.ts',
  'server/open-events.ts',
  'server/open-keys.ts',
  'server/event-pusher.ts',
  'server/waiting-places.ts',
  'server/open-status.ts',
  'server/open-usage.ts',
])

interface Import {
  readonly from: string
  readonly to: string
}

const root = resolve(import.meta.dirname, '..')
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*(?:\n[^'"\n;]*)*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'|(?:^|\n)import\s+'([^']+)'/g

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules') && !path.includes('/dist/'))
}

function importsOf(from: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? ''
    const to = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(from), specifier))
      : specifier
    return { from, to }
  })
}

function roomOf(path: string): Room | undefined {
  return ROOMS.filter(({ at }) => path.startsWith(`${at}/`)).sort(
    (a, b) => b.at.length - a.at.length,
  )[0]
}

function isAllowed({ from, to }: Import): boolean {
  const room = roomOf(from)
  if (room === undefined) return false
  const isOurs = /^(?:lib|keys|server|conformance|examples|test|bench|tools|tenants)\//.test(to)
  if (!isOurs) return room.packages.some((name) => matchesPackage(name, to))
  if (roomOf(to)?.at === room.at) return true
  return room.rooms.some((name) => name === EVERYTHING || to === name || to.startsWith(`${name}/`))
}

function matchesPackage(name: string, specifier: string): boolean {
  if (name === EVERYTHING) return true
  return name === 'node:'
    ? specifier.startsWith('node:')
    : specifier === name || specifier.startsWith(`${name}/`)
}

const FOLDERS = ['lib/src', 'keys', 'server', 'conformance', 'examples', 'test', 'bench', 'tools']
const files = FOLDERS.flatMap(sources)
const imports = files.flatMap((path) => importsOf(path, readFileSync(join(root, path), 'utf8')))

describe('import rules', () => {
  test('the checker sees the house', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(imports.length).toBeGreaterThan(400)
  })

  test('every import is an allowed edge', () => {
    expect(imports.filter((edge) => !isAllowed(edge))).toEqual([])
  })

  test('only wiring files stand at the top of server', () => {
    const top = files.filter((path) => /^server\/[^/]+\.ts$/.test(path))
    expect(top.filter((path) => !WIRING.has(path))).toEqual([])
  })

  test('only server/oauth and the development identity provider know oidc-provider', () => {
    const knowing = imports.filter(
      ({ to }) => to === 'oidc-provider' || to.startsWith('oidc-provider/'),
    )
    const rooms = new Set(knowing.map(({ from }) => roomOf(from)?.at))
    // Tests may look into it, and benchmarks compare with it.
    for (const room of ['test', 'bench']) rooms.delete(room)
    expect(rooms).toEqual(new Set(['server/dev-idp', 'server/oauth']))
  })

  test.each([
    ['server/core/decide.ts', "import { readFileSync } from 'node:fs'"],
    ['server/core/decide.ts', "import type { Clock } from '../use-cases/ports.ts'"],
    ['server/use-cases/exchange-token.ts', "import { Provider } from 'oidc-provider'"],
    ['lib/src/chain.ts', "import { createHash } from 'node:crypto'"],
    ['lib/src/chain.ts', "import type { Tenant } from '../../server/core/tenant.ts'"],
    ['lib/src/index.ts', "export * from '../../server/core/tenant.ts'"],
    ['server/http/documents.ts', "import {\n  a,\n  b,\n} from '../oauth/provider.ts'"],
    ['conformance/a.test.ts', "import { createVerifier } from '../lib/src/index.ts'"],
    ['examples/demo/agent.ts', "const x = await import('../../server/main.ts')"],
    ['elsewhere/a.ts', "import 'node:fs'"],
  ])('a seeded violation is caught: %s', (from, text) => {
    const seeded = importsOf(from, text)
    expect(seeded).toHaveLength(1)
    expect(seeded.every(isAllowed)).toBe(false)
  })

  test('nothing of ours reads a clock or chance inside core', () => {
    const core = sources('server/core').map((path) => readFileSync(join(root, path), 'utf8'))
    expect(core.filter((text) => /\bDate\b|Math\.random|process\.|\bawait\b/.test(text))).toEqual(
      [],
    )
  })
})
