/**
 * Threats L05: what the author of a tenant's rules can do to the platform, to other tenants and to the server, over the
 * management API: nothing.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Engine, processEngine } from '../../server/policy/engine.ts'
import { type AdminClient, operatorOf } from '../support/admin-client.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { apply, changedFiles, liveVersionOf } from './live.ts'
import { PRODUCERS, type Reachable } from './producers.ts'
import { expectGranted, expectRefusal, expectRefused } from './refusal.ts'

let stage: Stage
let operator: AdminClient
beforeAll(async () => {
  stage = await setStage()
  operator = await operatorOf(stage.server)
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(() => stage.close())

/** Every yes an author can write: for all, for each by name, with the widest bounds there are. */
const YES = {
  'yes.cedar': `
@id("all") permit (principal, action, resource);
@id("wide") @max_ttl("8h") @max_depth("8") permit (principal, action, resource);
@id("rogue") permit (principal == Agent::"rogue", action, resource);
@id("transfer") permit (principal, action == Action::"call", resource == Resource::"pay-api")
  when { context.scope == Scope::"pay:transfer" };
@id("anybody") permit (principal, action == Action::"open", resource) when { true || context has subject };
@id("humans") permit (principal, action == Action::"approve", resource);
`,
}

/** What the platform itself forbids, by the reason it is refused with. */
const PLATFORM: readonly Reachable[] = [
  'subject_token_unacceptable',
  'subject_token_expired',
  'subject_token_revoked',
  'actor_token_unacceptable',
  'may_act_mismatch',
  'actor_already_in_chain',
  'actor_inactive',
  'subject_inactive',
  'chain_too_long',
  'task_ended',
  'task_type_not_permitted',
  'target_not_permitted',
  'scope_not_permitted',
  'scope_nothing_left',
  'approval_required',
  'client_authentication_failed',
  'grant_not_permitted',
  'proof_invalid',
  'proof_required',
  'proof_replayed',
]

describe('L05 rules that permit everything', () => {
  beforeAll(async () => {
    await apply(stage.server, operator, { rules: YES })
  })

  test.each(PLATFORM)('L05 permit nothing the platform forbids: %s', async (reason) => {
    expectRefused(await PRODUCERS[reason](stage), reason)
  })

  test('L05 let in no token and no agent of another tenant', async () => {
    const { server, researcher } = stage
    const globex = server.client('planner', 'globex')
    const theirs = tokenOf(await globex.open(server.idToken(), { audience: 'researcher-a2a' }))
    const expected = { reason: 'subject_token_unacceptable', guard: 'key_unknown' } as const
    await expectRefusal(server, expected, () => researcher.exchange(theirs))
    const stranger = { client_assertion: globex.assertion({ assertion: { aud: server.issuer() } }) }
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      stage.planner.token({ grant_type: 'client_credentials', ...stranger }),
    )
  })

  test('L05 hand nothing to an agent that is disabled', async () => {
    const { server } = stage
    await apply(server, operator, { tenant: 'initech', rules: YES })
    const planner = server.client('planner', 'initech')
    const form = { task_type: 'file-work', audience: 'coder-a2a' }
    const expected = { reason: 'target_not_permitted', guard: 'recipient_inactive' } as const
    await expectRefusal(server, expected, () => planner.open(server.idToken(), form))
  })

  test('L05 lengthen no life and no chain', async () => {
    const { server, planner, researcher } = stage
    const first = await expectGranted(server, () =>
      planner.open(server.idToken(), { audience: 'researcher-a2a' }),
    )
    const { root } = first['act_bounds']
    expect([first['exp'] - first['iat'], root.exp - root.iat, root.max_depth]).toEqual([
      300, 600, 3,
    ])
    const handed = await stage.first()
    const second = await expectGranted(server, () =>
      researcher.exchange(handed, { audience: 'coder-a2a' }),
    )
    expect(second['exp'] - second['iat']).toBeLessThanOrEqual(300)
  })
})

const permit = (id: string, condition: string): string =>
  `@id("${id}") permit (principal, action == Action::"call", resource) when { ${condition} };`

/** One wrong policy each, and what of it is told. */
const WRONG: readonly (readonly [string, RegExp])[] = [
  ['@id("a") permit (principal in Tenant::"globex", action, resource);', /globex/],
  ['@id("b") permit (principal == Agent::"auditor", action, resource);', /auditor/],
  ['@id("c") permit (principal, action, resource == Resource::"ledger-api");', /ledger-api/],
  ['@id("d") permit (principal, action == Action::"mint", resource);', /mint/],
  [permit('e', 'context.scope == Scope::"ledger:write"'), /ledger:write/],
  [permit('f', 'context.task_type == TaskType::"root-work"'), /root-work/],
  [permit('g', 'principal.secret == "x"'), /secret/],
  [permit('h', 'fetch("https://evil.example").ok'), /fetch/],
  [permit('i', `${'('.repeat(400)}true${')'.repeat(400)}`), /brackets are nested/],
  [permit('j', `context.key like "${'*a'.repeat(400)}"`), /pattern/],
  [permit('k', `context.depth == 1${'+1'.repeat(600)}`), /operators/],
  [permit('l', `context.key == "${'x'.repeat(9000)}"`), /bytes/],
  ['permit (principal, action, resource);', /id/],
  ['@id("n") @run("now") permit (principal, action, resource);', /run/],
  ['@id("o") @approval("nobody") permit (principal, action, resource);', /approval/],
  ['@id("p") permit (principal == ?principal, action, resource);', /\?principal|template/],
]

describe('L05 rules that reach too far', () => {
  test('L05 are refused when they are added, each with its place, and nothing is stored', async () => {
    const { server, planner } = stage
    const [before, known] = await state()
    const rules = WRONG.map(
      ([text], at) => [`r${String(at).padStart(2, '0')}.cedar`, text] as const,
    )
    const answer = await operator.post('/tenants/acme/versions', {
      files: changedFiles(server, { rules: Object.fromEntries(rules) }),
    })
    expect(answer.status).toBe(422)
    const problems = answer.body['problems'] as { file: string; text: string }[]
    for (const [at, [, expected]] of WRONG.entries()) {
      const file = `policies/${rules[at]?.[0]}`
      const told = problems.filter((problem) => problem.file.endsWith(file))
      expect(told.map(({ text }) => text).join('\n'), file).toMatch(expected)
    }
    expect(await state()).toEqual([before, known])
    await expectGranted(server, () => planner.open(server.idToken()))
  })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['more policies than a tenant may have', { 'policies/many.cedar': many(2001, 'true') }],
    [
      'more work than all policies may be',
      { 'policies/work.cedar': many(1500, `context.depth == 1${'+1'.repeat(95)}`) },
    ],
    ['a list that doubles itself', { 'agents.yaml': bomb() }],
    ['brackets without an end', { 'agents.yaml': '['.repeat(200_000) }],
  ])('L05 a version of %s is refused, and the server goes on', async (_, spoiled) => {
    const { server, planner } = stage
    const before = await state()
    const files = { ...changedFiles(server, { rules: YES }), ...spoiled }
    const [answer, meanwhile] = await Promise.all([
      operator.post('/tenants/acme/versions', { files }),
      planner.open(server.idToken()),
    ])
    expect(answer.status, answer.text.slice(0, 200)).toBe(422)
    expect(answer.text.length).toBeLessThan(100_000)
    tokenOf(meanwhile)
    expect(await state()).toEqual(before)
  })

  async function state(): Promise<readonly [string, unknown]> {
    const { body } = await operator.get('/tenants/acme/versions')
    return [await liveVersionOf(operator), body['items']]
  }
})

describe('L05 rules at the limit', () => {
  type Asked = Parameters<Engine['ask']>

  test('L05 cost their own tenant alone: another tenant’s request asks its own rule', async () => {
    const { server } = stage
    await apply(server, operator, {
      tenant: 'initech',
      rules: { 'work.cedar': many(1200, `context.depth == 1${'+1'.repeat(95)}`) },
    })
    const asked = vi.spyOn(processEngine, 'ask')
    const initech = server.client('planner', 'initech')
    const globex = server.client('planner', 'globex')
    const form = { task_type: 'file-work', audience: 'files-api', scope: 'files:read' }
    const [theirs, ...answers] = await Promise.all([
      globex.open(server.idToken(), { audience: 'files-api', scope: 'files:read' }),
      ...Array.from({ length: 3 }, () => initech.open(server.idToken(), form)),
    ])
    tokenOf(theirs)
    for (const { status } of answers) expect([200, 400]).toContain(status)
    const calls: readonly Asked[] = asked.mock.calls
    const small = calls.filter(([slice]) => slice.ids.length === 1)
    const large = calls.filter(([slice]) => slice.ids.length === 1200)
    expect(small.length + large.length).toBe(calls.length)
    expect(large.length).toBeGreaterThan(0)
    // At most an open and one call of one rule, whoever else asks, and however much.
    expect(small.length).toBeLessThanOrEqual(2)
  })
})

function many(count: number, condition: string): string {
  const policy = (at: number): string =>
    `@id("p-${at}") permit (principal, action, resource) when { ${condition.replaceAll('context.depth', `${at}`)} };`
  return Array.from({ length: count }, (_, at) => policy(at)).join('\n')
}

/** Nine lists of nine of the one before. */
function bomb(): string {
  const lists = Array.from({ length: 9 }, (_, at) => {
    const items = Array.from({ length: 9 }, () => (at === 0 ? 'x' : `*l${at - 1}`))
    return `l${at}: &l${at} [${items.join(', ')}]`
  })
  return `${lists.join('\n')}\nagents: *l8\n`
}
