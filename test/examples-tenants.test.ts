/** The sample tenants: valid, deciding as their cases say, and without a rule that no case would miss. */
import { existsSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { developmentDefaults } from '../server/core/development-defaults.ts'
import { judge } from '../server/core/judge.ts'
import { formatProblem } from '../server/core/problem.ts'
import type { Tenant } from '../server/core/tenant.ts'
import { createRules } from '../server/policy/rules.ts'
import { type LoadedTenant, loadTenants } from '../server/tenants/load-tenants.ts'
import { askedAt, runCases } from '../server/tenants/test-cases.ts'

const ROOT = join(import.meta.dirname, '..')

function load(folder: string): ReadonlyMap<string, LoadedTenant> {
  const loaded = loadTenants({ folder: join(ROOT, folder), publicUrl: 'https://as.example' })
  if (loaded.kind === 'refused') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  expect(loaded.warnings).toEqual([])
  return loaded.tenants
}

const samples = load('examples/tenants')
const all = new Map([...samples, ...load('tenants')])

/** What each has to show; a retrieval-only assistant has nothing a human could approve. */
const DECISIONS: Readonly<Record<string, readonly string[]>> = {
  acme: ['ask', 'permit', 'refuse'],
  bank: ['ask', 'permit', 'refuse'],
  'data-owners': ['ask', 'permit', 'refuse'],
  orchestrator: ['ask', 'permit', 'refuse'],
  'retrieval-assistant': ['permit', 'refuse'],
  workloads: ['ask', 'permit', 'refuse'],
}

/** Rules that stand behind the facts of today: no case can show what they are for. */
const SECOND_LINES: Readonly<Record<string, readonly string[]>> = {
  acme: ['no-execute-through-retrieval'],
  'data-owners': ['no-owner-no-access'],
  'retrieval-assistant': ['read-only', 'no-delegation'],
}

test('there are five samples, and the tenant of the demo', () => {
  expect([...all.keys()].toSorted()).toEqual(Object.keys(DECISIONS))
})

describe.each([...all].map(([id, loaded]) => ({ id, ...loaded })))('$id', (sample) => {
  const { id, tenant, checked } = sample

  test('decides as its cases say', () => {
    const results = runCases(tenant, checked.cases)
    expect(results.length).toBeGreaterThan(5)
    expect(results.filter(({ passed }) => !passed)).toEqual([])
  })

  test('has a case for each decision that applies to it', () => {
    const shown = new Set(checked.cases.map(({ expect: { decision } }) => decision))
    expect([...shown].toSorted()).toEqual(DECISIONS[id])
  })

  test('has no rule that its cases would not miss', () => {
    const idle = checked.policies
      .map((policy) => policy.id)
      .filter((policy) => !isMissed(sample, policy))
    expect(idle).toEqual(SECOND_LINES[id] ?? [])
  })

  test('refuses every case without rules', () => {
    const bare: Tenant = { ...tenant, rules: createRules(tenant, []) }
    const decisions = checked.cases.map((named) => judge(bare, askedAt(named, 0)).decision)
    expect(new Set(decisions)).toEqual(new Set(['refuse']))
  })

  test('tells editors the schema of each YAML file', () => {
    const folder = join(ROOT, samples.has(id) ? 'examples/tenants' : 'tenants', id)
    const files = [...sample.sources].filter(([path]) => path.endsWith('.yaml'))
    expect(files.length).toBeGreaterThan(4)
    for (const [path, text] of files) {
      const name = path.startsWith('tests/') ? 'tests' : basename(path, '.yaml')
      const schema = join(ROOT, `docs/schema/${name}.schema.json`)
      expect({ schema, exists: existsSync(schema) }).toEqual({ schema, exists: true })
      const place = relative(dirname(join(folder, path)), schema)
      expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=${place}`)
    }
  })

  test('says of everything for development that production refuses it', () => {
    const settings = { publicUrl: 'https://as.example', keySecret: 'a secret' }
    expect(developmentDefaults(settings, [tenant])).not.toEqual([])
  })
})

/** Whether some case ends otherwise without the rule. */
function isMissed({ tenant, checked }: LoadedTenant, policy: string): boolean {
  const others = checked.policies.filter(({ id }) => id !== policy)
  const without: Tenant = { ...tenant, rules: createRules(tenant, others) }
  return runCases(without, checked.cases).some(({ passed }) => !passed)
}
