/** `actchain check`: all that is wrong, each with its place, and what a tenant's own test cases say. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli } from './run-cli.ts'
import { runHere } from './run-here.ts'
import { addStarter, replacing, starterTenant } from './starter-folder.ts'

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')
const SUMMARY = /^globex: 2 agents, 2 resources, 6 policies, 7 cases passed, version [0-9a-f]{12}$/

describe('a good folder', () => {
  test('is summed up in one line a tenant', async () => {
    const { tenants, folder } = starterTenant('globex')
    addStarter(tenants, 'acme')
    const both = await runHere(['check', `${tenants}/`])
    const one = await runHere(['check', folder])
    expect([both.code, both.stderr, one.code, one.stderr]).toEqual([0, '', 0, ''])
    expect(linesOf(both.stdout)).toEqual([
      expect.stringMatching(/^acme: 2 agents, /),
      expect.stringMatching(SUMMARY),
    ])
    expect(linesOf(one.stdout)).toEqual([expect.stringMatching(SUMMARY)])
  })

  test('is found by ACTCHAIN_TENANTS, whatever the server of this environment needs besides', async () => {
    const { tenants } = starterTenant('globex')
    const env = { ACTCHAIN_TENANTS: tenants, ACTCHAIN_MODE: 'production', ACTCHAIN_STORE: 'redis:' }
    // As a process, to be sure that there is nothing else it needs.
    const { code, stdout } = await runCli(['check'], { env })
    expect([code, linesOf(stdout)]).toEqual([0, [expect.stringMatching(SUMMARY)]])
  })

  test('as JSON is one line', async () => {
    const { folder } = starterTenant('globex')
    const { code, stdout } = await runHere(['check', folder, '--json'])
    expect([code, linesOf(stdout).map((line) => JSON.parse(line))]).toEqual([
      0,
      [
        {
          kind: 'tenant',
          tenant: 'globex',
          valid: true,
          agents: 2,
          resources: 2,
          policies: 6,
          version: expect.stringMatching(/^[0-9a-f]{64}$/),
          problems: 0,
          warnings: 0,
          cases: 7,
          cases_failed: 0,
        },
      ],
    ])
  })
})

describe('problems', () => {
  test('of every file and every tenant are told at once, with their places and what was meant', async () => {
    const { tenants, folder } = starterTenant('globex', {
      'agents.yaml': replacing('class: retrieval', 'class: retreival'),
      'task-types.yaml': replacing('openers: [assistant]', 'openers: [asistant]'),
      'policies/questions.cedar': replacing('context.recipient', 'context.recipent'),
    })
    const other = addStarter(tenants, 'acme', { 'tenant.yaml': undefined })
    const { code, stdout, stderr } = await runHere(['check', tenants])
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(`^${other}/tenant.yaml:1:1: missing file`),
      'acme: 1 problem',
      expect.stringMatching(`^${folder}/agents.yaml:24:12: .*; did you mean "retrieval"\\?$`),
      expect.stringMatching(
        `^${folder}/policies/questions.cedar:\\d+:\\d+: .*recipent.*; did you mean "recipient"\\?$`,
      ),
      expect.stringMatching(
        `^${folder}/task-types.yaml:7:15: .*asistant.*; did you mean "assistant"\\?$`,
      ),
      'globex: 3 problems',
    ])
  })

  test('as JSON lines have file, line, column, text and suggestion', async () => {
    const { folder } = starterTenant('globex', {
      'agents.yaml': replacing('class: retrieval', 'class: retreival'),
    })
    const { code, stdout } = await runHere(['check', folder, '--json'])
    const [first, ...rest] = linesOf(stdout).map((line) => JSON.parse(line))
    expect(code).toBe(1)
    expect(first).toMatchObject({
      kind: 'problem',
      tenant: 'globex',
      file: `${folder}/agents.yaml`,
      line: 24,
      column: 12,
      text: 'expected "retrieval" or "worker" or "orchestrator"',
      suggestion: 'retrieval',
    })
    expect(rest.at(-1)).toMatchObject({ kind: 'tenant', valid: false, cases: 0 })
    expect(rest.at(-1)).not.toHaveProperty('version')
  })
})

describe('warnings', () => {
  test('are told and stop nothing: a tenant without rules refuses everything', async () => {
    const { folder } = starterTenant('globex', {
      'policies/questions.cedar': undefined,
      'tests/questions.yaml': undefined,
    })
    const { code, stdout } = await runHere(['check', folder])
    expect(code).toBe(0)
    expect(linesOf(stdout)[0]).toMatch(/: warning: no policies: every request is refused$/)
    expect(linesOf(stdout)[1]).toMatch(
      /^globex: 2 agents, 2 resources, 0 policies, 0 cases passed, /,
    )
  })
})

describe('test cases', () => {
  const failing = {
    'tests/questions.yaml': replacing(
      '    scope: [files:delete]\n    expect: refuse',
      '    scope: [files:delete]\n    expect: permit',
    ),
  }

  test('that fail are named with their place, what was expected and why it is otherwise', async () => {
    const { folder } = starterTenant('globex', failing)
    const { code, stdout } = await runHere(['check', folder])
    expect(code).toBe(1)
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(
        `^${folder}/tests/questions.yaml:\\d+:5: case "nobody deletes": expected permit, is refuse \\(scope_not_permitted, scope_beyond_task_type\\)$`,
      ),
      expect.stringMatching(/^globex: .*, 1 of 7 cases failed, version /),
    ])
  })

  test('that fail are JSON lines with what was expected and what was got', async () => {
    const { folder } = starterTenant('globex', failing)
    const { code, stdout } = await runHere(['check', folder, '--json'])
    const [line, summary] = linesOf(stdout).map((text) => JSON.parse(text))
    expect(code).toBe(1)
    expect(line).toMatchObject({
      kind: 'case',
      tenant: 'globex',
      name: 'nobody deletes',
      file: `${folder}/tests/questions.yaml`,
      column: 5,
      expect: { decision: 'permit' },
      got: { decision: 'refuse', reason: 'scope_not_permitted', guard: 'scope_beyond_task_type' },
    })
    expect(summary).toMatchObject({ valid: false, problems: 0, cases: 7, cases_failed: 1 })
  })
})

describe('nothing to check', () => {
  test('is said, with what to do', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'actchain-empty-'))
    mkdirSync(join(empty, 'Not-An-Id'))
    const nowhere = await runHere(['check', join(empty, 'none')])
    const bad = await runHere(['check', empty])
    expect([nowhere.code, bad.code]).toEqual([1, 1])
    expect(nowhere.stderr).toMatch(
      /is no folder that can be read; name a folder of tenants, or one tenant\.\n$/,
    )
    expect(bad.stderr).toMatch(/"Not-An-Id" is not the id of a tenant; rename the folder\.\n$/)
    const none = mkdtempSync(join(tmpdir(), 'actchain-empty-'))
    const { code, stdout, stderr } = await runHere(['check', none])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(`${none} has no tenant; write one with actchain init ${none}/NAME.\n`)
  })
})
