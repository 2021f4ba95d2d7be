/** `actchain diff` between two folders: which facts differ, and which decisions. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runHere } from './run-here.ts'
import { replacing, starterTenant } from './starter-folder.ts'

const diff = (folder: string, against: string, ...more: readonly string[]) =>
  runHere(['diff', folder, '--against', against, ...more])

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

describe('a difference', () => {
  test('is none between equal folders, however they are commented', async () => {
    const before = starterTenant('globex').folder
    const after = starterTenant('globex', { 'agents.yaml': (text) => `# Ours.\n${text}` }).folder
    const { code, stdout, stderr } = await diff(after, before)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(/^globex: no difference; version [0-9a-f]{12} is live\.$/),
      expect.stringMatching(/^compared (\d+) of \1 combinations; 0 decisions change$/),
    ])
  })

  test('of a rule names the rule and every decision it changes', async () => {
    const before = starterTenant('globex').folder
    const after = starterTenant('globex', {
      'policies/questions.cedar': replacing(
        'permit (\n  principal,\n  action == Action::"call",',
        'permit (\n  principal == Agent::"assistant",\n  action == Action::"call",',
      ),
      'tests/questions.yaml': undefined,
    }).folder
    const { code, stdout } = await diff(after, before)
    expect(code).toBe(0)
    const [head, ...lines] = linesOf(stdout)
    expect(head).toMatch(/^globex: version [0-9a-f]{12} -> [0-9a-f]{12}$/)
    expect(lines.filter((line) => line.includes('files-are-read'))).toHaveLength(1)
    const [count, ...decisions] = lines.slice(
      lines.findIndex((line) => line.startsWith('compared')),
    )
    expect(count).toMatch(/^compared (\d+) of \1 combinations; 3 decisions change$/)
    expect(decisions).toEqual(
      [
        '  assistant/finder for alice: files:read at files-api: permit files:read -> refuse (no_rule_permits)',
        '  assistant/finder for alice: whatever is permitted at files-api: permit files:read -> refuse (target_closed_by_rules)',
        '  assistant/finder for somebody, answer-question: files:read at files-api: permit files:read -> refuse (target_closed_by_rules)',
      ].map((line) => expect.stringContaining(line.slice(0, line.lastIndexOf(' -> ')))),
    )
  })

  test('as JSON has every decision, before and after', async () => {
    const { folder: before } = starterTenant('globex')
    const { folder: after } = starterTenant('globex', {
      'policies/questions.cedar': replacing('\n@max_ttl("60s")', '\n@max_ttl("30s")'),
    })
    const { code, stdout } = await diff(after, before, '--json')
    expect(code).toBe(0)
    const found = JSON.parse(stdout)
    expect(found).toMatchObject({
      tenant: 'globex',
      before: expect.stringMatching(/^[0-9a-f]{64}$/),
      after: expect.stringMatching(/^[0-9a-f]{64}$/),
      changes: [expect.stringContaining('assistant-comments')],
    })
    expect(found.compared).toBe(found.of)
    expect(found.decisions).toContainEqual({
      asked: expect.objectContaining({
        actors: ['assistant'],
        resource: 'files-api',
        scope: ['files:comment'],
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      }),
      before: expect.objectContaining({
        decision: 'permit',
        obligations: { max_ttl: 60, require_key: 'dpop' },
      }),
      after: expect.objectContaining({
        decision: 'permit',
        obligations: { max_ttl: 30, require_key: 'dpop' },
      }),
    })
  })
})

describe('no difference is told', () => {
  test('of a folder with problems, or that is none', async () => {
    const { folder } = starterTenant('globex')
    const broken = starterTenant('globex', { 'agents.yaml': undefined }).folder
    const first = await diff(broken, folder)
    const second = await diff(folder, broken)
    const third = await diff(folder, join(folder, 'policies'))
    for (const { code, stdout } of [first, second, third]) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    }
    expect([first.stderr, second.stderr]).toEqual([
      `${broken} has a problem; see actchain check ${broken}.\n`,
      `${broken} has a problem; see actchain check ${broken}.\n`,
    ])
    expect(third.stderr).toMatch(/is no tenant folder/)
  })
})
