/** A tenant's own test cases: what may be written, and what running them tells. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import { caseProblems, type NamedCase, runCases } from '../../server/tenants/test-cases.ts'
import { writeTenantFolder } from '../support/tenant-folder.ts'
import { issuersOf, publicUrl, useFolder } from './folder-fixture.ts'

const folder = useFolder()
const NOW = Date.UTC(2026, 10, 22) / 1000

function write(...cases: readonly string[]): void {
  const place = writeTenantFolder(folder.root, 'acme', {
    change: (documents) => {
      issuersOf(documents)[0]!['subject_claims'] = ['department']
    },
  })
  mkdirSync(join(place, 'tests'), { recursive: true })
  const text = cases.map((one) => `  - { ${one} }\n`).join('')
  writeFileSync(join(place, 'tests', 'files.yaml'), `cases:\n${text}`)
}

function problemsOf(...cases: readonly string[]): readonly string[] {
  write(...cases)
  return folder.problems().map((line) => line.replace('acme/tests/files.yaml:', ''))
}

function load(...cases: readonly string[]) {
  write(...cases)
  const result = loadTenants({ folder: folder.root, publicUrl })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.problems))
  const { tenant, checked } = result.tenants.get('acme')!
  return { tenant, cases: checked.cases }
}

const good = 'subject: alice, actors: [planner], resource: files-api, scope: [files:read]'

describe('a case', () => {
  test('is a question with its place and what is expected', () => {
    const { cases } = load(
      `name: one, ${good}, from: idp, claims: { department: sales }, task_type: file-work, purpose: why, ` +
        'at: 2026-11-22T10:00:00Z, key: none, expect: permit, granted: [files:read], policies: [all]',
      'name: two, actors: [planner, researcher], resource: https://mail.api, expect: refuse, reason: task_type_not_permitted',
    )
    const [one, two] = cases
    expect(one).toEqual({
      name: 'one',
      file: 'tests/files.yaml',
      line: 2,
      column: 5,
      asked: {
        subject: 'alice',
        issuer: 'idp',
        claims: { department: ['sales'] },
        actors: ['planner'],
        taskType: 'file-work',
        resource: 'files-api',
        scope: ['files:read'],
        purpose: 'why',
        key: 'none',
      },
      at: Date.UTC(2026, 10, 22, 10) / 1000,
      expect: { decision: 'permit', granted: ['files:read'], policies: ['all'] },
    } satisfies NamedCase)
    expect(two).toMatchObject({ asked: { key: undefined, claims: {}, subject: undefined } })
    expect(two).not.toHaveProperty('at')
  })

  test('names what the tenant has', () => {
    expect(
      problemsOf(
        'name: a, subject: alice, from: ipd, actors: [planer], task_type: file-wrk, resource: file-api, ' +
          'scope: [files:raed], expect: permit, granted: [files:wrte], policies: [al]',
      ),
    ).toEqual([
      '2:38: unknown trusted issuer "ipd"; did you mean "idp"?',
      '2:52: unknown agent "planer"; did you mean "planner"?',
      '2:72: unknown task type "file-wrk"; did you mean "file-work"?',
      '2:92: unknown resource "file-api"; did you mean "files-api"?',
      '2:110: unknown scope "files:raed"; did you mean "files:read"?',
      '2:149: unknown scope "files:wrte"; did you mean "files:write"?',
      '2:173: unknown policy "al"; did you mean "all"?',
    ])
  })

  test('may ask for a home made for an agent', () => {
    expect(
      problemsOf('name: a, actors: [planner], resource: planner.home, expect: refuse'),
    ).toEqual([])
    const home = 'https://as.example.com/t/acme/agents/planner'
    expect(problemsOf(`name: a, actors: [planner], resource: "${home}", expect: refuse`)).toEqual(
      [],
    )
  })

  test.each([
    [
      'a claim rules never see',
      `name: a, ${good}, claims: { departement: x }, expect: refuse`,
      'not in "subject_claims"',
    ],
    [
      'a claim of ours',
      `name: a, ${good}, claims: { act: x }, expect: refuse`,
      'meaning of its own',
    ],
    [
      'claims of nobody',
      'name: a, actors: [planner], claims: { department: x }, resource: files-api, expect: refuse',
      'leave "claims" out',
    ],
    [
      'an issuer of nobody',
      'name: a, actors: [planner], from: idp, resource: files-api, expect: refuse',
      'leave "from" out',
    ],
    [
      'a reason for a permit',
      `name: a, ${good}, expect: permit, reason: task_ended`,
      'a permit has no reason',
    ],
    [
      'scopes of a refusal',
      `name: a, ${good}, expect: refuse, granted: []`,
      'nothing is granted unless',
    ],
    [
      'a reason there is not',
      `name: a, ${good}, expect: refuse, reason: task_endet`,
      'did you mean "task_ended"',
    ],
    [
      'an unknown expectation',
      `name: a, ${good}, expect: allow`,
      'expected "permit" or "ask" or "refuse"',
    ],
    [
      'no agent',
      'name: a, actors: [], resource: files-api, expect: refuse',
      'name the agent that asks',
    ],
    [
      'seventeen agents',
      `name: a, actors: [${Array(17).fill('coder').join()}], resource: files-api, expect: refuse`,
      'at most 16 actors',
    ],
    ['an unknown member', `name: a, ${good}, expect: permit, scopes: []`, 'did you mean "scope"'],
  ])('does not have %s', (_, text, problem) => {
    const problems = problemsOf(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
  })

  test('has a name of its own', () => {
    expect(problemsOf(`name: a, ${good}, expect: permit`, `name: a, ${good}, expect: ask`)).toEqual(
      ['3:13: another case is named "a"'],
    )
  })
})

describe('running them', () => {
  test('tells every difference, at the place of the case', () => {
    const { tenant, cases } = load(
      `name: as expected, ${good}, expect: permit, granted: [files:read], policies: [all]`,
      `name: not refused, ${good}, expect: refuse, reason: task_ended`,
      `name: another scope, ${good}, expect: permit, granted: [files:write]`,
      'name: a stranger, subject: alice, actors: [rogue], resource: files-api, expect: permit',
      'name: needs a human, subject: alice, actors: [planner], resource: pay-api, scope: [pay:transfer], expect: ask',
    )
    const results = runCases(tenant, cases, NOW)
    expect(results.map(({ passed }) => passed)).toEqual([true, false, false, false, true])
    expect(caseProblems('tenants/acme', results)).toEqual([
      {
        file: 'tenants/acme/tests/files.yaml',
        line: 3,
        column: 5,
        text: 'case "not refused": expected refuse, is permit; expected reason task_ended, is none',
      },
      {
        file: 'tenants/acme/tests/files.yaml',
        line: 4,
        column: 5,
        text: 'case "another scope": expected scope files:write, is files:read',
      },
      {
        file: 'tenants/acme/tests/files.yaml',
        line: 5,
        column: 5,
        text: 'case "a stranger": expected permit, is refuse (task_type_not_permitted)',
      },
    ])
  })

  test('uses the time a case states, else the time of the run', () => {
    const place = writeTenantFolder(folder.root, 'acme', {
      change: ({ agents }) => {
        agents.agents[0]!['expires'] = '2026-11-22'
      },
    })
    mkdirSync(join(place, 'tests'))
    writeFileSync(
      join(place, 'tests', 'a.yaml'),
      `cases:\n- { name: before, ${good}, at: 2026-11-21, expect: permit }\n- { name: now, ${good}, expect: permit }\n`,
    )
    const result = loadTenants({ folder: folder.root, publicUrl })
    if (result.kind === 'refused') throw new Error(JSON.stringify(result.problems))
    const { tenant, checked } = result.tenants.get('acme')!
    const passedAt = (now: number) =>
      runCases(tenant, checked.cases, now).map(({ passed }) => passed)
    expect(passedAt(NOW - 1)).toEqual([true, true])
    expect(passedAt(NOW)).toEqual([true, false])
  })
})
