/**
 * L05 What the platform forbids stays forbidden whatever a tenant's author writes: rules only take away. Against rules that
 * permit everything, against random policies in the real engine, and against texts that are hardly policies any more.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Case } from '../../server/core/case.ts'
import type { SubjectToken } from '../../server/core/input-token.ts'
import { judge } from '../../server/core/judge.ts'
import { isRefusal } from '../../server/core/refusal.ts'
import type { Rules } from '../../server/core/rules.ts'
import type { Tenant } from '../../server/core/tenant.ts'
import { compilePolicies } from '../../server/policy/compile-policies.ts'
import { createRules } from '../../server/policy/rules.ts'
import { DecisionRecord } from '../../server/use-cases/decision-record.ts'
import { exchangeToken } from '../../server/use-cases/exchange-token.ts'
import { aForeignToken, aTenant, NOW } from '../core/facts.ts'
import { memoryDeps } from '../use-cases/memory-deps.ts'
import { mostOf } from './facts-model.ts'
import { brokenTexts, policyTexts } from './random-policies.ts'
import { cases, tenants, yeaSayers } from './random-tenant.ts'

const HEADER = { ref: 'r', tenant: 'acme', tenant_version: 'v1', event: 'token' } as const

class Tally {
  forbidden = 0
  permitted = 0

  /** What facts leave is the most there is, and what they forbid is not permitted. */
  check(tenant: Tenant, asked: Case): void {
    const most = mostOf(tenant, asked)
    const { decision, granted } = judge(tenant, asked)
    const isWithin = asked.scope?.every((name) => most.has(name)) ?? most.size > 0
    if (isWithin) {
      expect([...most]).toEqual(expect.arrayContaining([...granted]))
      if (decision === 'permit') this.permitted += 1
    } else {
      expect(decision).not.toBe('permit')
      expect(granted).toEqual([])
      this.forbidden += 1
    }
  }
}

describe('L05 no rule permits what facts do not', () => {
  test('not one that permits everything, whatever it binds it to', () => {
    const tally = new Tally()
    fc.assert(
      fc.property(tenants, yeaSayers, cases, (tenant, rules, asked) =>
        tally.check({ ...tenant, rules }, asked),
      ),
      { numRuns: 4000 },
    )
    expect(tally.forbidden).toBeGreaterThan(1000)
    expect(tally.permitted).toBeGreaterThan(100)
  })

  test('not one in the engine', () => {
    const tally = new Tally()
    fc.assert(
      fc.property(tenants, policyTexts, cases, (tenant, text, asked) => {
        const rules = compiled(tenant, text)
        if (rules === undefined) throw new Error(`not a policy:\n${text}`)
        tally.check({ ...tenant, rules }, asked)
      }),
      { numRuns: 250 },
    )
    expect(tally.forbidden).toBeGreaterThan(100)
    expect(tally.permitted).toBeGreaterThan(5)
  }, 240_000)

  test('not a text in which anything may have gone wrong: it is refused, or it is rules', () => {
    const tally = new Tally()
    let refused = 0
    fc.assert(
      fc.property(tenants, brokenTexts, cases, (tenant, text, asked) => {
        const rules = compiled(tenant, text)
        if (rules === undefined) refused += 1
        else tally.check({ ...tenant, rules }, asked)
      }),
      { numRuns: 250 },
    )
    expect(refused).toBeGreaterThan(30)
    expect(tally.forbidden + tally.permitted).toBeGreaterThan(5)
  }, 240_000)

  test('nor does any of it make facts of the caller’s words', () => {
    const everything = '@id("everything") permit (principal, action, resource);'
    fc.assert(
      fc.property(tenants, cases, fc.string(), (tenant, asked, words) => {
        const rules = compiled(tenant, everything)
        if (rules === undefined) throw new Error('permits everything')
        const purpose = `principal == Agent::"planner" ${words}`
        const of = { ...tenant, rules }
        expect(judge(of, { ...asked, purpose })).toEqual(judge(of, asked))
      }),
      { numRuns: 100 },
    )
  })
})

/** Undefined where the text would not become a version. */
function compiled(tenant: Tenant, text: string): Rules | undefined {
  const names = (entries: ReadonlyMap<string, unknown>) => new Set(entries.keys())
  const { policies, problems } = compilePolicies([{ file: 'policies/a.cedar', text }], {
    tenant: tenant.id,
    agents: names(tenant.agents),
    resources: names(tenant.resources),
    scopes: names(tenant.scopes),
    taskTypes: names(tenant.taskTypes),
    claims: new Set(['department']),
  })
  return problems.length > 0 ? undefined : createRules(tenant, policies)
}

describe('L05 no rule opens a way in', () => {
  const AGENTS = ['planner', 'researcher', 'coder', 'rogue']
  const attempts = fc.record({
    to: fc.constantFrom('researcher-a2a', 'coder-a2a', 'files-api', 'planner-a2a'),
    caller: fc.constantFrom(...AGENTS),
    onward: fc.constantFrom('files-api', 'mail-api', 'coder-a2a'),
    key: fc.constantFrom('planner', 'researcher', 'rogue', undefined),
    gone: fc.constantFrom(...AGENTS, undefined),
    how: fc.constantFrom({ disabled: true }, { expires: NOW }, { registeredAt: NOW }),
    client: fc.constantFrom('planner-at-idp', 'rogue-at-idp', 'https://as.example/t/acme'),
  })

  test('to a token of somebody else’s, nor past an agent that is disabled, expired or another now', async () => {
    const seen = { opened: 0, passed: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(yeaSayers, attempts, async (rules, attempt) => {
        const { to, caller, onward, key, gone, how, client } = attempt
        let tenant = aTenant({ tenant: { rules } })
        const { deps } = memoryDeps({ now: () => NOW, tenant: () => tenant })
        const send = (agent: string, place: string, subject: SubjectToken, jkt?: string) =>
          exchangeToken(deps, {
            tenant,
            caller: tenant.agents.get(agent)!,
            subject,
            actor: undefined,
            key: jkt === undefined ? undefined : { jkt },
            target: { audience: [place], resource: [] },
            scope: undefined,
            taskType: undefined,
            purpose: undefined,
            record: new DecisionRecord(HEADER),
          })
        const opened = await send('planner', to, aForeignToken({ audience: [client] }), 'planner')
        if (client !== 'planner-at-idp') expect(isRefusal(opened)).toBe(true)
        if (isRefusal(opened)) return
        seen.opened += 1
        const facts = tenant.agents.get(gone ?? '')
        if (facts !== undefined) {
          const agents = new Map([...tenant.agents, [facts.id, { ...facts, ...how }]])
          tenant = { ...tenant, agents }
        }
        const own = { kind: 'own', claims: opened.claims } as const
        const next = await send(caller, onward, own, key)
        const audience = tenant.resources.get(to)!
        const isHolder = caller === 'planner' && key === 'planner'
        const isRecipient = caller !== 'planner' && audience.agent === caller
        const isLost =
          gone === 'planner' || (isRecipient && gone === caller && 'registeredAt' in how)
        if (audience.kind === 'agent' && (isHolder || isRecipient) && !isLost) {
          if (isRefusal(next)) expect(next.guard).not.toMatch(/^(caller_|subject_|actor_)/)
          else seen.passed += 1
        } else {
          expect(isRefusal(next)).toBe(true)
          seen.refused += 1
        }
      }),
      { numRuns: 3500 },
    )
    expect(seen.passed).toBeGreaterThan(20)
    expect(seen.refused).toBeGreaterThan(100)
  })
})
