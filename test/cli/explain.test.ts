/** `actchain explain` by a folder: the decision, the facts, every guard, the rules, and what would change it. */
import { beforeAll, describe, expect, test } from 'vitest'
import { runHere } from './run-here.ts'
import { replacing, starterTenant } from './starter-folder.ts'

let tenants: string
beforeAll(() => {
  tenants = starterTenant('globex').tenants
})

const READ = [
  '--actor',
  'finder',
  '--for',
  'assistant',
  '--subject',
  'alice',
  '--resource',
  'files-api',
]

function explain(args: readonly string[], folder: string = tenants) {
  return runHere(['explain', '--tenants', folder, '--tenant', 'globex', ...args])
}

describe('an explanation', () => {
  test('of a permit says who, what, and by which rules', async () => {
    const { code, stdout, stderr } = await explain([...READ, '--scope', 'files:read'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.split('\n')
    expect(lines[0]).toBe('PERMIT files:read')
    expect(lines).toContain('Chain      assistant (orchestrator) > finder (retrieval)')
    expect(lines).toContain('Scope      files:read (read)')
    expect(lines.some((line) => line.includes('FAIL'))).toBe(false)
    expect(stdout).toMatch(/ {2}open +permit {2}assistant-opens-questions\n/)
    expect(stdout).toMatch(/ {2}finder > files-api {2}files:read +permit {2}files-are-read\n/)
  })

  test('of a refusal names the guard, and the smallest change that would permit it', async () => {
    const closed = starterTenant('globex', {
      'agents.yaml': replacing('may_reach: [files-api]', 'may_reach: []'),
      'tests/questions.yaml': undefined,
    })
    const { code, stdout } = await explain([...READ, '--scope', 'files:read'], closed.tenants)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^REFUSE target_not_permitted: .* \[target_beyond_reach\]\n/)
    expect(stdout).toMatch(/FAIL {2}target_beyond_reach +the target lies within the reach/)
    expect(stdout).toContain(
      'The smallest change that would permit it\n  agents.yaml: finder: add files-api to may_reach\n',
    )
  })

  test('of a refusal by no rule says so, and what is permitted as it is', async () => {
    const silent = starterTenant('globex', {
      'policies/questions.cedar': replacing('context.scope == Scope::"files:comment"', 'false'),
      'tests/questions.yaml': undefined,
    })
    const args = ['--actor', 'assistant', '--subject', 'alice', '--resource', 'files-api']
    const { code, stdout } = await explain(
      [...args, '--scope', 'files:read files:comment'],
      silent.tenants,
    )
    expect(code).toBe(1)
    expect(stdout).toMatch(/^REFUSE scope_not_permitted: .* \[no_rule_permits\]\n/)
    expect(stdout).toMatch(
      /assistant > files-api {2}files:comment {2}refuse {2}\[no_rule_permits\]/,
    )
    expect(stdout).toContain('Permitted as it is: files:read at files-api')
  })

  test('as JSON is the one the admin API gives', async () => {
    const { code, stdout } = await explain([...READ, '--scope', 'files:comment', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      decision: 'refuse',
      reason: 'scope_not_permitted',
      guard: 'scope_beyond_target',
      tenant: 'globex',
      version: expect.stringMatching(/^[0-9a-f]{64}$/),
      facts: { subject: 'alice', actors: [{ id: 'assistant' }, { id: 'finder' }] },
      guards: expect.arrayContaining([
        expect.objectContaining({
          at: 'assistant > finder-a2a',
          guard: 'scope_beyond_target',
          holds: false,
        }),
      ]),
    })
  })
})

describe('the question', () => {
  test('takes a moment, a key, claims of the subject and a purpose', async () => {
    const dated = starterTenant('globex', {
      'tenant.yaml': replacing(
        'subject_prefix: ""',
        'subject_prefix: ""\n    subject_claims: [department]',
      ),
      'policies/questions.cedar': replacing(
        'context.scope.tier == "read"\n};\n\n// Comments',
        'context.scope.tier == "read" && context.now < datetime("2027-01-01") &&\n' +
          '  context has subject && context.subject.hasTag("department") &&\n' +
          '  context.subject.getTag("department").contains("finance")\n};\n\n// Comments',
      ),
      'tests/questions.yaml': undefined,
    })
    const ask = (...more: readonly string[]) =>
      explain([...READ, '--from', 'dev-idp', '--purpose', 'audit', ...more], dated.tenants)
    const early = ['--at', '2026-12-31T23:59:59Z']
    const finance = ['--claim', 'department=legal', '--claim', 'department=finance']
    expect((await ask(...early, ...finance)).code).toBe(0)
    expect((await ask('--at', '2027-01-01T00:00:00Z', ...finance)).code).toBe(1)
    expect((await ask(...early, '--claim', 'department=legal')).code).toBe(1)
    expect((await ask(...early, ...finance, '--key', 'none')).code).toBe(1)
  })

  test.each([
    [['--at', '2026-12-31'], '--at must be an instant with its zone'],
    [['--at', '2026-13-31T00:00:00Z'], '--at must be an instant with its zone'],
    [['--claim', 'department'], '--claim must be name=value'],
    [['--key', 'x509'], '--key must be dpop, mtls or none.'],
  ])('that makes no sense is misuse: %j', async (args, sentence) => {
    const { code, stdout, stderr } = await explain([...READ, ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(sentence)
  })

  test('about a folder that is none, or has problems, is no answer', async () => {
    const none = await explain(READ, `${tenants}/none`)
    const broken = starterTenant('globex', { 'agents.yaml': 'agents: 1\n' })
    const faulty = await explain(READ, broken.tenants)
    expect([none.code, none.stdout, faulty.code, faulty.stdout]).toEqual([1, '', 1, ''])
    expect(none.stderr).toMatch(/is no tenant folder: it has no tenant\.yaml/)
    expect(faulty.stderr).toBe(
      `${broken.folder} has ${/has (.*);/.exec(faulty.stderr)?.[1]}; see actchain check ${broken.folder}.\n`,
    )
  })
})
