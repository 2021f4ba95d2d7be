/**
 * Every block of code in the project's pages is something: commands that exist, sources that compile, data that loads. Only
 * `text` is for reading alone. A checker that sees nothing fails.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { parseProfile } from '../../conformance/run/profile-text.ts'
import { compilePolicies } from '../../server/policy/compile-policies.ts'
import { agent } from '../../server/tenants/agents-file.ts'
import { testCase } from '../../server/tenants/cases-file.ts'
import { eventReceiver, eventTransmitter } from '../../server/tenants/event-parties.ts'
import { resource } from '../../server/tenants/resources-file.ts'
import { taskType } from '../../server/tenants/task-types-file.ts'
import { roleGrant, tenantFile, trustedIssuer } from '../../server/tenants/tenant-file.ts'
import {
  attester,
  certificateAuthority,
  trustDomain,
  workloadIssuer,
} from '../../server/tenants/trust-file.ts'
import { type Block, pages, ROOT, readBlocks, readPage } from './pages.ts'
import { sampleNames } from './sample-names.ts'
import { findFault, readCommands } from './shell-lines.ts'

const blocks = pages().flatMap((page) => readBlocks(page, readPage(page)))

function inLanguage(...languages: readonly string[]): readonly Block[] {
  return blocks.filter(({ language }) => languages.includes(language))
}

/** What a snippet may take for granted, by the name it uses and does not make itself. */
const GIVEN: Readonly<Record<string, string>> = {
  VerificationError: "import { VerificationError } from '@actchain/verifier'",
  createVerifier: "import { createVerifier } from '@actchain/verifier'",
  statusLists: "import { statusLists } from '@actchain/verifier/status'",
  protect: "import { protect } from '@actchain/verifier/koa'",
  verifier: "declare const verifier: import('@actchain/verifier').Verifier",
  app: "declare const app: import('express').Express",
  request: 'declare const request: Request',
  issuer: 'declare const issuer: string',
  audience: 'declare const audience: string',
}

function moduleOf({ text }: Block): string {
  const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(text)
  const isMade = (name: string): boolean =>
    new RegExp(`^(?:import|const|let|function)\\b[^=\\n]*\\b${name}\\b`, 'm').test(text)
  const given = Object.entries(GIVEN)
    .filter(([name]) => isUsed(name) && !isMade(name))
    .map(([, line]) => line)
  return [...given, text, 'export {}', ''].join('\n')
}

/** The compiler's complaints about these modules, under the project's own configuration. */
async function compile(sources: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-snippets-'))
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    for (const [index, text] of sources.entries()) {
      writeFileSync(join(folder, `snippet-${index}.ts`), text)
    }
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
    const configuration = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions,
      include: ['*.ts'],
    }
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration))
    const tsc = join(ROOT, 'node_modules/.bin/tsc')
    return await promisify(execFile)(tsc, ['--noEmit', '-p', folder]).then(
      () => '',
      (error: { stdout: string; stderr: string }) => `${error.stdout}${error.stderr}`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('the checker', () => {
  test('sees pages and blocks of every kind', () => {
    expect(pages()).toEqual(
      expect.arrayContaining(['README.md', 'docs/architecture.md', 'lib/README.md']),
    )
    for (const kind of ['sh', 'ts', 'json', 'yaml', 'cedar', 'text']) {
      expect({ kind, count: inLanguage(kind).length }).not.toMatchObject({ count: 0 })
    }
  })

  test('knows the language of every block', () => {
    // What is for nginx and Apache is run: test/support/nginx.ts, conformance/interop/servers.
    const known = new Set(['sh', 'ts', 'js', 'json', 'yaml', 'cedar', 'nginx', 'apache', 'text'])
    expect(blocks.filter(({ language }) => !known.has(language)).map(({ at }) => at)).toEqual([])
  })

  test('finds a fence that is left open', () => {
    expect(() => readBlocks('a.md', 'x\n```sh\nnpm ci\n')).toThrow('a.md:2')
  })

  test.each([
    'npm run nothing',
    'npm publish',
    'npm install --no-save pkcs11js@1.0.0',
    'apt-get install windows',
    'actchain conjure',
    'actchain serve --sideways',
    'npx actchain dev --json',
    'node --conditions=actchain:source server/nowhere.ts',
    'npx vitest run test/nowhere.test.ts',
    'npx vitest run --project nowhere',
    'rm -rf /',
  ])('finds that this does nothing: %s', async (line) => {
    expect(await findFault(readCommands(line)[0] ?? [])).toEqual(expect.any(String))
  })

  test('finds sources that do not compile', async () => {
    const block = { at: '', page: '', language: 'ts', text: 'verifier.verify(1, { scope: 2 })' }
    expect(await compile([moduleOf(block)])).toContain('snippet-0.ts')
  })
})

test('every command exists', async () => {
  const commands = inLanguage('sh').flatMap(({ at, text }) =>
    readCommands(text).map((command) => ({ at, command })),
  )
  expect(commands.length).toBeGreaterThan(10)
  const faults: string[] = []
  for (const { at, command } of commands) {
    const fault = await findFault(command)
    if (fault !== undefined) faults.push(`${at}: ${fault}`)
  }
  expect(faults).toEqual([])
})

test('the two commands that set everything up stand in the README as they are', () => {
  const commands = blocks.filter(({ page, language }) => page === 'README.md' && language === 'sh')
  const texts = commands.map(({ text }) => text.trim())
  expect(texts).toEqual(expect.arrayContaining(['npm ci && npm start', 'npm ci && npm test']))
})

test('every source compiles', { timeout: 60_000 }, async () => {
  const sources = inLanguage('ts', 'js')
  expect(sources.length).toBeGreaterThan(2)
  const places = sources.map(({ at }, index) => `snippet-${index}.ts is ${at}`).join('\n')
  const complaints = await compile(sources.map(moduleOf))
  expect(complaints === '' ? '' : `${complaints}${places}`).toBe('')
})

test('every JSON text parses, as one value or as lines', () => {
  for (const { at, text } of inLanguage('json')) {
    const isWhole = isJson(text)
    const isLines = text.split('\n').every(isJson)
    expect({ at, parses: isWhole || isLines }).toEqual({ at, parses: true })
  }
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Whatever an example takes from the environment. */
const SETTINGS = new Proxy<Record<string, string>>({}, { get: (_, name) => String(name) })

test('every YAML text loads, and what is of a tenant file or a profile has its form', () => {
  const entries = {
    agents: agent,
    resources: resource,
    task_types: taskType,
    trusted_issuers: trustedIssuer,
    roles: roleGrant,
    cases: testCase,
    event_receivers: eventReceiver,
    event_transmitters: eventTransmitter,
    trust_domains: trustDomain,
    certificate_authorities: certificateAuthority,
    workload_issuers: workloadIssuer,
    attesters: attester,
  }
  let seen = 0
  for (const { at, text } of inLanguage('yaml')) {
    const document = parseYaml(text) as Record<string, unknown>
    if ('issuer' in document) {
      expect(() => parseProfile(at, text, SETTINGS)).not.toThrow()
      continue
    }
    for (const [member, schema] of Object.entries(entries)) {
      for (const entry of (document[member] ?? []) as unknown[]) {
        seen += 1
        expect({ at, ...schema.safeParse(entry) }).toMatchObject({ at, success: true })
      }
    }
    if ('display_name' in document) expect(tenantFile.safeParse(document).success).toBe(true)
  }
  expect(seen).toBeGreaterThan(0)
})

test('every Cedar text is of policies that a tenant could have', () => {
  const texts = inLanguage('cedar')
  const names = sampleNames()
  for (const { at, text } of texts) {
    const { policies, problems, warnings } = compilePolicies([{ file: at, text }], names)
    expect({ at, problems, warnings }).toEqual({ at, problems: [], warnings: [] })
    expect(policies.length).toBeGreaterThan(0)
  }
})

test('a Cedar text that names nobody is found', () => {
  const text = '@id("a") permit (principal == Agent::"nobody", action, resource);'
  expect(compilePolicies([{ file: '', text }], sampleNames()).problems).toHaveLength(1)
})

test('every link within the project leads somewhere', () => {
  const links = pages().flatMap((page) =>
    [...readPage(page).matchAll(/\]\((?!https?:)([^)#\s]+)(#[^)\s]*)?\)/g)].map(
      ([, path = '']) => ({
        page,
        path,
      }),
    ),
  )
  expect(links.length).toBeGreaterThan(20)
  const broken = links.filter(({ page, path }) => !existsSync(resolve(ROOT, dirname(page), path)))
  expect(broken).toEqual([])
})
