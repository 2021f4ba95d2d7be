/** Files that came over the network: names, sizes and contents of anyone's choosing. */
import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../server/core/problem.ts'
import { buildTenant } from '../../server/tenants/build-tenant.ts'
import { checkTenant, readCompiled } from '../../server/tenants/check-tenant.ts'
import { emptyReport } from '../../server/tenants/report.ts'
import { readSources } from '../../server/tenants/sources.ts'
import { writeTenantFolder } from '../support/tenant-folder.ts'
import { publicUrl, useFolder } from './folder-fixture.ts'

const folder = useFolder()
const place = { id: 'acme', publicUrl, label: 'acme' }

function sourcesOf(more: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  const sources = readSources(emptyReport(), writeTenantFolder(folder.root, 'acme'))!
  return new Map([...sources, ...Object.entries(more)])
}

function check(sources: ReadonlyMap<string, string>) {
  const report = emptyReport()
  const checked = checkTenant(report, place, sources)
  expect(checked === undefined).toBe(report.problems.length > 0)
  return { checked, problems: report.problems.map(formatProblem) }
}

describe('a checked tenant is plain data', () => {
  test('that makes the same tenant after it was stored', () => {
    const { checked } = check(sourcesOf())
    const stored = readCompiled(JSON.stringify(checked))!
    expect(stored).toEqual(checked)
    const { rules: _, ...tenant } = buildTenant(place, stored)
    const { rules: __, ...fresh } = buildTenant(place, checked!)
    expect(tenant).toEqual(fresh)
  })

  test('of one form: what another release stored is checked again', () => {
    const { checked } = check(sourcesOf())
    expect(
      readCompiled(JSON.stringify({ ...checked, format: checked!.format + 1 })),
    ).toBeUndefined()
    expect(readCompiled('{}')).toBeUndefined()
  })

  test('whose version follows rules and test cases too', () => {
    const versionOf = (more: Readonly<Record<string, string>>) =>
      check(sourcesOf(more)).checked!.version
    const permit = '@id("all") permit (principal, action, resource);'
    const oneCase = (name: string) =>
      `cases:\n- { name: ${name}, actors: [rogue], resource: files-api, expect: refuse }\n`
    const versions = [
      versionOf({}),
      versionOf({ 'policies/all.cedar': permit }),
      versionOf({ 'policies/other.cedar': '@id("no") forbid (principal, action, resource);' }),
      versionOf({ 'tests/a.yaml': oneCase('one') }),
      versionOf({ 'tests/a.yaml': oneCase('two') }),
      versionOf({ 'tests/b.yaml': oneCase('two') }),
    ]
    expect(new Set(versions).size).toBe(versions.length)
    expect(versionOf({ 'tests/a.yaml': `# the same\n${oneCase('one')}` })).toBe(versions[3])
  })
})

describe('F04, J07: a path of an upload is one of a folder’s names, or nothing', () => {
  test.each([
    '../x',
    '/etc/passwd',
    'policies/../../x.cedar',
    'policies/../x.cedar',
    'policies//x.cedar',
    'policies/./x.cedar',
    'policies/a/b.cedar',
    'policies\\x.cedar',
    'policies/x\0.cedar',
    'policies/x.cedar\n',
    'policies/.x.cedar',
    'policies/-x.cedar',
    'policies/X.cedar',
    'policies/х.cedar',
    'policies/ｘ.cedar',
    'policies/x.cedar.cedar',
    `policies/${'x'.repeat(64)}.cedar`,
    'policies/x.yaml',
    'policies/',
    'policies',
    'tests/x.cedar',
    'tests/x.yml',
    'agents.yml',
    'agents.yaml/',
    './agents.yaml',
    'README.md',
    '__proto__',
    'constructor',
    '',
  ])('%j is refused, and nothing else is looked at', (path) => {
    const { problems } = check(sourcesOf({ [path]: 'a: [' }))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^acme[\w./-]*:1:1: [ -~]+$/)
  })

  test.each(['policies/a.cedar', 'policies/0_a-b.cedar'])('%s is a name', (path) => {
    expect(check(sourcesOf({ [path]: '' })).problems).toEqual([])
  })
})

describe('what is too much', () => {
  const refused = (more: Readonly<Record<string, string>>) => check(sourcesOf(more)).problems

  test('files, one file, all files', () => {
    const many = Array.from({ length: 200 }, (_, n) => [`policies/p${n}.cedar`, ''] as const)
    expect(refused(Object.fromEntries(many))).toEqual(['acme:1:1: more than 200 files'])
    expect(refused({ 'policies/a.cedar': ' '.repeat(8 * 1024 * 1024 + 1) })).toEqual([
      'acme/policies/a.cedar:1:1: larger than 8 MB',
    ])
    const megabytes = Object.fromEntries(
      [1, 2, 3].map((n) => [`policies/p${n}.cedar`, 'é'.repeat(3 * 1024 * 1024)]),
    )
    expect(refused(megabytes)).toEqual(['acme:1:1: larger than 16 MB'])
  })

  test('text that is none', () => {
    expect(refused({ 'policies/a.cedar': '// \ud800' })).toEqual([
      'acme/policies/a.cedar:1:1: not UTF-8',
    ])
  })

  test('problems: a thousand are told, and few near names are looked for', () => {
    const scopes = Array.from({ length: 100_000 }, (_, n) => `files:raed${n % 9}`)
    const agents = `agents:\n- { id: coder, scopes: [${scopes.join(', ')}] }\n`
    const { problems } = check(sourcesOf({ 'agents.yaml': agents }))
    expect(problems).toHaveLength(1001)
    expect(problems.join('\n')).toContain('more than 1000 problems')
    expect(problems.filter((problem) => problem.includes('did you mean')).length).toBeLessThan(101)
  })

  test('numbers beyond counting', () => {
    const huge = ['1e999', '-1e999', '.inf', '.nan', '9'.repeat(400), '0x' + 'f'.repeat(300)]
    for (const number of huge) {
      const tenant = `display_name: Acme\nlimits: { max_depth: ${number} }\n`
      const problems = check(sourcesOf({ 'tenant.yaml': tenant })).problems
      expect(problems).toContain('acme/tenant.yaml:2:22: expected a whole number from 1 to 8')
    }
  })

  test('every request is refused without a rule, and the check warns of it', () => {
    const sources = new Map(sourcesOf())
    sources.delete('policies/all.cedar')
    const report = emptyReport()
    expect(checkTenant(report, place, sources)).toBeDefined()
    expect(report.warnings.map(formatProblem)).toEqual([
      'acme/policies:1:1: no policies: every request is refused',
    ])
  })

  test('problems of rules are named by their file in the folder', () => {
    const rule = '@id("a") permit (principal == Agent::"planer", action, resource);'
    const [problem] = refused({ 'policies/a.cedar': `// first\n${rule}` })
    expect(problem).toMatch(/^acme\/policies\/a\.cedar:2:\d+: .*did you mean "planner"\?$/)
  })
})
