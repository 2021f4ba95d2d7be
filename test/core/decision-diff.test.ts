/** Which decisions differ between two versions: every combination of their facts, each asked once, the changed ones first. */
import { describe, expect, test } from 'vitest'
import type { Case } from '../../server/core/case.ts'
import { type Comparison, diffDecisions } from '../../server/core/decision-diff.ts'
import type { RuleQuestion, Rules } from '../../server/core/rules.ts'
import type { Tenant } from '../../server/core/tenant.ts'
import { aCase, anAgent, aTaskType, aTenant, aTrustedIssuer, NOW, permitAll } from './facts.ts'

/** Rules that answer by a function, and remember what they were asked. */
function rulesBy(permits: (question: RuleQuestion) => boolean, asked: RuleQuestion[] = []): Rules {
  return {
    permits: [],
    answer: (question) => {
      asked.push(question)
      const isPermitted = permits(question)
      return {
        decision: isPermitted ? 'permit' : 'refuse',
        policies: isPermitted ? ['some'] : [],
        obligations: {},
        failed: [],
      }
    },
  }
}

interface Compared {
  readonly of: number
  readonly all: readonly Comparison[]
  readonly changes: readonly Comparison[]
}

function diff(
  before: Tenant | undefined,
  after: Tenant,
  parts: { cases?: readonly Case[]; most?: number } = {},
): Compared {
  const { of, comparisons } = diffDecisions({ before, after, cases: [], now: NOW, ...parts })
  const all = [...comparisons]
  return { of, all, changes: all.filter(({ isChanged }) => isChanged) }
}

const nameOf = ({ asked }: Comparison): string =>
  `${asked.actors.join('/')} ${asked.resource} ${asked.scope?.join(' ')}`

const small = (parts: Parameters<typeof aTenant>[0] = {}): Tenant =>
  aTenant({
    agents: [
      anAgent('planner', {
        scopes: new Set(['files:read', 'files:write']),
        mayReach: new Set(['researcher-a2a', 'files-api']),
      }),
      anAgent('researcher', {
        scopes: new Set(['files:read']),
        mayReach: new Set(['files-api']),
      }),
    ],
    ...parts,
  })

describe('the combinations', () => {
  test('are what the facts leave open: actor, parent, task type, resource, scope', () => {
    const { of, all, changes } = diff(small(), small())
    expect(all.map(nameOf).toSorted()).toEqual([
      'planner files-api files:read',
      'planner files-api files:write',
      'planner planner-a2a files:read',
      'planner planner-a2a files:write',
      'planner researcher-a2a files:read',
      'planner researcher-a2a files:write',
      'planner/researcher files-api files:read',
      'planner/researcher researcher-a2a files:read',
    ])
    expect(of).toBe(8)
    expect(changes).toEqual([])
  })

  test('leave out nothing that either version permits', () => {
    const tenant = aTenant()
    const { all } = diff(tenant, tenant)
    const asked = new Set(all.map(nameOf))
    const ids = [...tenant.agents.keys()]
    const parents: readonly (readonly string[])[] = [[], ...ids.map((id) => [id])]
    let permitted = 0
    for (const before of parents) {
      for (const actor of ids) {
        for (const resource of tenant.resources.keys()) {
          for (const scope of tenant.scopes.keys()) {
            const one = aCase({ actors: [...before, actor], resource, scope: [scope] })
            const [comparison] = diffDecisions({
              before: tenant,
              after: tenant,
              cases: [one],
              now: NOW,
              most: 1,
            }).comparisons
            if (comparison?.after.decision === 'refuse') continue
            permitted += 1
            expect(asked).toContain(nameOf(comparison!))
          }
        }
      }
    }
    expect(permitted).toBeGreaterThan(20)
  })

  test('hold an agent behind each parent that can hand to it, by a shortest chain', () => {
    const { all } = diff(aTenant(), aTenant())
    const chains = new Set(all.map(({ asked }) => asked.actors.join('/')))
    expect([...chains].toSorted()).toEqual([
      'planner',
      'planner/coder',
      'planner/coder/researcher',
      'planner/researcher',
      'planner/researcher/coder',
    ])
  })

  test('an agent on its own behalf has no subject', () => {
    const own = aTaskType({ basis: 'client', subjectsFrom: new Set() })
    const { all } = diff(undefined, small({ taskTypes: [own] }))
    expect(all.length).toBeGreaterThan(0)
    expect(all.every(({ asked }) => asked.subject === undefined)).toBe(true)
  })

  test('are asked for each set of claims a test case was written with', () => {
    const claims = { department: ['finance'] }
    const rules = rulesBy(
      ({ subject }) => subject?.claims['department']?.includes('finance') === true,
    )
    const cases = [aCase({ claims }), aCase({ claims, subject: 'bob' })]
    const idp = aTrustedIssuer({ subjectClaims: ['department'] })
    const trustedIssuers = new Map([[idp.issuer, idp]])
    const before = small({ tenant: { trustedIssuers } })
    const { of, changes } = diff(before, { ...before, rules }, { cases })
    expect(of).toBe(2 + 2 * 8)
    // All that was permitted to somebody without claims is refused now, and to nobody else.
    expect(changes.map(({ asked }) => asked.claims)).toEqual(changes.map(() => ({})))
    expect(changes.length).toBe(7)
  })
})

describe('a change', () => {
  test('of a fact shows as the decisions it changes', () => {
    const after = small({
      agents: [
        anAgent('planner', {
          scopes: new Set(['files:read']),
          mayReach: new Set(['researcher-a2a', 'files-api']),
        }),
        anAgent('researcher', {
          scopes: new Set(['files:read']),
          mayReach: new Set(['files-api']),
        }),
      ],
    })
    const { changes } = diff(small(), after)
    expect(
      changes.map((change) => [nameOf(change), change.before?.decision, change.after.decision]),
    ).toEqual(
      [
        ['planner files-api files:write', 'permit', 'refuse'],
        ['planner planner-a2a files:write', 'permit', 'refuse'],
      ].map((row) => expect.arrayContaining(row)),
    )
  })

  test('of a rule shows too, and so do other terms of the same decision', () => {
    const bound: Rules = {
      ...permitAll,
      answer: (question) => ({ ...permitAll.answer(question), obligations: { maxTtl: 60 } }),
    }
    const { changes } = diff(small(), small({ tenant: { rules: bound } }))
    expect(changes.length).toBe(7)
    expect(new Set(changes.map(({ after }) => after.decision))).toEqual(new Set(['permit']))
  })

  test('of the reason of a refusal, or of the rules that permit, is none', () => {
    const closed = rulesBy(() => false)
    const renamed: Rules = {
      ...permitAll,
      answer: (question) => ({ ...permitAll.answer(question), policies: ['renamed'] }),
    }
    expect(diff(small({ tenant: { rules: closed } }), small({ taskTypes: [] })).changes).toEqual([])
    expect(diff(small(), small({ tenant: { rules: renamed } })).changes).toEqual([])
  })

  test('to a tenant that was not there is all that is permitted', () => {
    const { changes } = diff(undefined, small())
    expect(changes.length).toBe(7)
    expect(changes.every(({ before }) => before === undefined)).toBe(true)
  })
})

describe('the limit', () => {
  test('test cases come first, each once, then what touches a changed fact', () => {
    const after = small({
      agents: [
        ...['planner', 'researcher'].map((id) => small().agents.get(id)!),
        anAgent('coder', { scopes: new Set(['files:read']), mayReach: new Set(['files-api']) }),
      ],
      taskTypes: [aTaskType({ openers: new Set(['planner', 'coder']) })],
    })
    const before = small({ taskTypes: [aTaskType({ openers: new Set(['planner', 'coder']) })] })
    const cases = [aCase(), aCase(), aCase({ resource: 'mail-api' })]
    const { of, all } = diff(before, after, { cases, most: 4 })
    expect(all.map(nameOf)).toEqual([
      'planner files-api files:read',
      'planner mail-api files:read',
      'coder coder-a2a files:read',
      'coder files-api files:read',
    ])
    expect(of).toBe(2 + 2 + 8)
  })

  test('a question is put to the rules once, however many combinations share it', () => {
    const asked: RuleQuestion[] = []
    const tenant = small({ tenant: { rules: rulesBy(() => true, asked) } })
    diff(undefined, tenant)
    const opens = asked.filter(({ action }) => action === 'open')
    // Eight combinations ask for one scope or the other.
    expect(opens.map(({ request }) => request.scope)).toEqual([['files:read'], ['files:write']])
    const handovers = asked.filter(
      ({ recipient, caller }) => recipient?.id === 'researcher' && caller.id === 'planner',
    )
    // The end of one combination and on the way of two; what the researcher does not hold is not asked about.
    expect(handovers.map(({ scope, request }) => [scope, request.scope])).toEqual([
      ['files:read', ['files:read']],
    ])
    expect(new Set(asked.map((question) => JSON.stringify(question))).size).toBe(asked.length)
  })
})
