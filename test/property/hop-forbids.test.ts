/**
 * L05 One hop, whatever the rules bind it to: within the token presented, the parties' facts and their time. The token is
 * narrowed anywhere, and the target is anything, other tenants' resources too.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Attenuated, attenuate } from '../../server/core/attenuate.ts'
import { narrow, openCeiling } from '../../server/core/ceiling.ts'
import type { HopRequest } from '../../server/core/guards.ts'
import { isRefusal } from '../../server/core/refusal.ts'
import type { Resource, Tenant } from '../../server/core/tenant.ts'
import { aHopRequest, anAgent, anEndpoint, aRoot, aTenant, NOW } from '../core/facts.ts'
import { tenants, yeaSayers } from './random-tenant.ts'

const often = <Value, Other>(value: Value, other: fc.Arbitrary<Other>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other })

/** What a token of ours could have been narrowed to, and what a caller could ask with it. */
const hops = fc.record({
  scope: often(7, fc.integer({ min: 1, max: 7 })),
  reach: often(63, fc.integer({ min: 1, max: 63 })),
  lasts: often(600, fc.integer({ min: 1, max: 600 })),
  maxDepth: often(3, fc.integer({ min: 1, max: 4 })),
  chain: fc.subarray(['planner', 'researcher', 'coder'], { minLength: 1 }),
  later: often(0, fc.integer({ min: 0, max: 650 })),
  asks: often(null, fc.subarray(['files:read', 'files:write', 'mail:send', 'pay:transfer', 'x:y'])),
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

test('L05 a hop stays within its parent, its parties and its time, under any obligations', () => {
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
    { numRuns: 3000 },
  )
  expect(seen.permitted).toBeGreaterThan(150)
  expect(seen.refused).toBeGreaterThan(500)
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
