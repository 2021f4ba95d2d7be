/**
 * L05 What the platform forbids stays forbidden whatever a tenant's author writes: rules only take away. Against rules that
 * permit everything, against random policies in the real engine, and against texts that are hardly policies any more.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Attenuated, attenuate, type HopRequest } from '../../server/core/attenuate.ts'
import type { Case } from '../../server/core/case.ts'
import { narrow, openCeiling } from '../../server/core/ceiling.ts'
import { judge } from '../../server/core/judge.ts'
import { isRefusal } from '../../server/core/refusal.ts'
import type { Obligations, Rules } from '../../server/core/rules.ts'
import type { Resource, Tenant } from '../../server/core/tenant.ts'
import { compilePolicies } from '../../server/policy/compile-policies.ts'
import { createRules } from '../../server/policy/rules.ts'
import { aHopRequest, anAgent, anEndpoint, aRoot, aTenant, NOW, rulesOf } from '../core/facts.ts'
import { mostOf } from './facts-model.ts'
import { brokenTexts, policyTexts } from './random-policies.ts'
import { cases, tenants } from './random-tenant.ts'

/** Whatever could be bound to a permit, sense or not. */
const anyObligations: fc.Arbitrary<Obligations> = fc.record(
  {
    maxTtl: fc.oneof(fc.integer({ min: -10, max: 1000 }), fc.maxSafeInteger()),
    maxDepth: fc.oneof(fc.integer({ min: -1, max: 9 }), fc.maxSafeInteger()),
    requireKey: fc.constant('dpop'),
    approval: fc.constantFrom('read', 'propose', 'execute'),
  },
  { requiredKeys: [] },
)

/** Permit whatever they are asked, with made-up ids and these obligations one after another. */
const yeaSayers: fc.Arbitrary<Rules> = fc
  .record({
    bounds: fc.array(fc.oneof(fc.constant({}), anyObligations), { minLength: 1, maxLength: 5 }),
    policies: fc.array(fc.string(), { maxLength: 3 }),
  })
  .map(({ bounds, policies }) => {
    let asked = 0
    return rulesOf(() => ({ policies, obligations: bounds[asked++ % bounds.length] ?? {} }))
  })

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
  })
  return problems.length > 0 ? undefined : createRules(tenant, policies)
}

const often = <Value, Other>(value: Value, other: fc.Arbitrary<Other>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other })

describe('L05 one hop', () => {
  /** What a token of ours could have been narrowed to, and what a caller could ask with it. */
  const hops = fc.record({
    scope: often(7, fc.integer({ min: 1, max: 7 })),
    reach: often(63, fc.integer({ min: 1, max: 63 })),
    lasts: often(600, fc.integer({ min: 1, max: 600 })),
    maxDepth: often(3, fc.integer({ min: 1, max: 4 })),
    chain: fc.subarray(['planner', 'researcher', 'coder'], { minLength: 1 }),
    later: often(0, fc.integer({ min: 0, max: 650 })),
    asks: often(
      null,
      fc.subarray(['files:read', 'files:write', 'mail:send', 'pay:transfer', 'x:y']),
    ),
    actor: often(null, fc.integer({ min: 1, max: 700 })),
    at: fc.nat(8),
    isProven: fc.boolean(),
  })
  const strangers = aTenant({
    agents: ['planner', 'mallory'].map((id) => anAgent(id)),
    tenant: { id: 'globex' },
  })
  const elsewhere: readonly Resource[] = [
    strangers.resources.get('mallory-a2a')!,
    anEndpoint('researcher', { id: 'twin', uri: 'https://researcher.agents/a2a/' }),
  ]

  type Hop = typeof hops extends fc.Arbitrary<infer Value> ? Value : never

  function requestOf(tenant: Tenant, hop: Hop): HopRequest {
    const root = aRoot()
    const { scope, reach, maxDepth, chain, later, asks, actor } = hop
    const parent = narrow(openCeiling(root), {
      scope,
      reach,
      expiresAt: NOW + hop.lasts,
      maxDepth,
    })
    if (parent === undefined) throw new Error('neither mask is empty')
    const places = [...tenant.resources.values(), ...elsewhere]
    return aHopRequest({
      tenant,
      root,
      parent,
      taskType: [...tenant.taskTypes.values()][0]!,
      caller: tenant.agents.get(chain.at(-1)!)!,
      target: places[hop.at % places.length]!,
      chain,
      key: hop.isProven ? 'dpop' : 'none',
      scope: asks ?? undefined,
      actorExpiresAt: actor === null ? undefined : NOW + actor,
      now: NOW + later,
    })
  }

  test('stays within its parent, its parties and its time, under any obligations', () => {
    const seen = { permitted: 0, refused: 0 }
    fc.assert(
      fc.property(tenants, yeaSayers, hops, (facts, rules, hop) => {
        const request = requestOf({ ...facts, rules }, hop)
        const outcome = attenuate(request)
        if (isRefusal(outcome)) {
          seen.refused += 1
          return
        }
        seen.permitted += 1
        expectWithin(request, outcome)
      }),
      { numRuns: 6000 },
    )
    expect(seen.permitted).toBeGreaterThan(200)
    expect(seen.refused).toBeGreaterThan(1000)
  })
})

function expectWithin(request: HopRequest, outcome: Attenuated): void {
  const { tenant, taskType, root, parent, caller, target, chain, now, actorExpiresAt } = request
  const { ceiling, scope, obligations } = outcome
  expect(now).toBeLessThan(parent.expiresAt)
  expect(chain.length).toBeLessThanOrEqual(parent.maxDepth)
  expect(outcome.target).toBe(target)
  expect(tenant.resources.get(target.id)).toBe(target)
  expect(root.reach[outcome.audience]).toBe(target.uri)
  expect(parent.reach & ceiling.reach & (1 << outcome.audience)).not.toBe(0)
  const isHome = caller.home === target.id
  expect(isHome || caller.mayReach.has(target.id)).toBe(true)
  const recipient = tenant.agents.get(target.agent ?? '')
  expect(target.kind === 'api' || recipient?.disabled === false).toBe(true)

  expect(scope.length).toBeGreaterThan(0)
  for (const name of scope) {
    expect(tenant.scopes.get(name)?.tier).toMatch(/^(read|propose)$/)
    for (const names of [taskType.scopes, caller.scopes, target.scopes, recipient?.scopes]) {
      if (names !== undefined) expect([...names]).toContain(name)
    }
    expect(parent.scope & (1 << root.scope.indexOf(name))).not.toBe(0)
  }
  if (request.scope !== undefined) expect(new Set(scope)).toEqual(new Set(request.scope))

  expect(ceiling.scope & ~parent.scope).toBe(0)
  expect(ceiling.reach & ~parent.reach).toBe(0)
  const { maxTtl = Infinity, maxDepth = Infinity } = obligations
  const lifetime = Math.min(taskType.tokenLifetime, tenant.limits.tokenLifetime)
  const end = Math.min(parent.expiresAt, actorExpiresAt ?? Infinity, now + maxTtl)
  expect(ceiling.expiresAt).toBe(isHome ? end : Math.min(end, now + lifetime))
  expect(ceiling.maxDepth).toBe(Math.min(parent.maxDepth, maxDepth))
  expect(chain.length).toBeLessThanOrEqual(ceiling.maxDepth)
}
