/** Who is in the way of a token: an agent of its chain that is gone, at its end, disabled, or no longer the one that bore the id. */
import { describe, expect, test } from 'vitest'
import type { BoundsHop, DelegatedClaims } from '../../lib/src/act-bounds.ts'
import { findInactive, isReplaced } from '../../server/core/live-actors.ts'
import type { Agent } from '../../server/core/tenant.ts'
import { anAgent, aRoot, aTenant, ISSUER, NOW, someClaims } from './facts.ts'

const LINE = ['planner', 'researcher', 'coder'] as const
const made = (iat: number): BoundsHop => ({
  jti: `hop-${iat}`,
  idx: iat,
  scope: 1,
  reach: 7,
  aud: 0,
  iat,
  exp: 300,
})

/** planner handed to researcher after 10 seconds, researcher to coder after 20. */
const CHAIN = someClaims({
  act: {
    sub: 'coder',
    iss: ISSUER,
    act: { sub: 'researcher', iss: ISSUER, act: { sub: 'planner', iss: ISSUER } },
  },
  act_bounds: { v: 1, root: aRoot(), hops: [made(20), made(10), made(1)] },
})

/** The same where planner works for itself: the oldest hop has no level. */
const OWN: DelegatedClaims = {
  ...CHAIN,
  sub: 'planner',
  act: { sub: 'coder', iss: ISSUER, act: { sub: 'researcher', iss: ISSUER } },
  act_bounds: { ...CHAIN.act_bounds, root: aRoot({ basis: 'client' }) },
}

const found = (changed: string, parts: Partial<Agent>, claims = CHAIN) => {
  const agents = LINE.map((id) => anAgent(id, id === changed ? parts : {}))
  return findInactive(aTenant({ agents }), claims, NOW + 30)
}

describe.each([
  ['for a user', CHAIN],
  ['for itself', OWN],
])('a chain %s', (_, claims) => {
  test('is nobody’s obstacle while every agent of it is at work', () => {
    expect(found('nobody', {}, claims)).toBeUndefined()
  })

  test.each(LINE)('ends with %s, wherever it stands in it', (id) => {
    expect(found(id, { disabled: true }, claims)).toBe('actor_inactive')
    expect(found(id, { expires: NOW + 30 }, claims)).toBe('actor_inactive')
    expect(found(id, { expires: NOW + 31 }, claims)).toBeUndefined()
    const others = LINE.filter((name) => name !== id).map((name) => anAgent(name))
    expect(findInactive(aTenant({ agents: others }), claims, NOW + 30)).toBe('actor_inactive')
  })

  test.each([
    ['planner', 1],
    ['researcher', 10],
    ['coder', 20],
  ] as const)('E10 is not that of another %s, who came after its own hop', (id, iat) => {
    expect(found(id, { registeredAt: NOW + iat }, claims)).toBe('actor_replaced')
    expect(found(id, { registeredAt: NOW + iat - 1 }, claims)).toBeUndefined()
  })
})

test('the oldest in the way is told', () => {
  const agents = [
    anAgent('planner', { registeredAt: NOW + 5 }),
    anAgent('researcher', { disabled: true }),
    anAgent('coder'),
  ]
  expect(findInactive(aTenant({ agents }), CHAIN, NOW + 30)).toBe('actor_replaced')
})

test('E10 with fewer hops than agents, the time of the root stands for the one that is missing', () => {
  const short = { ...CHAIN, act_bounds: { ...CHAIN.act_bounds, hops: [made(20)] } }
  expect(found('coder', { registeredAt: NOW }, short)).toBe('actor_replaced')
  expect(found('coder', { registeredAt: NOW - 1 }, short)).toBeUndefined()
})

test('E10 what was made in the very second an id changed hands is not the new agent’s', () => {
  expect(isReplaced({ registeredAt: undefined }, 0)).toBe(false)
  expect(isReplaced({ registeredAt: NOW }, NOW - 1)).toBe(true)
  expect(isReplaced({ registeredAt: NOW }, NOW)).toBe(true)
  expect(isReplaced({ registeredAt: NOW }, NOW + 1)).toBe(false)
})
