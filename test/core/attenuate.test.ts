/** One hop: within parent, caller, target, recipient and task type, or refused. No clock but the one given. */
import { describe, expect, test } from 'vitest'
import { type Attenuated, attenuate } from '../../server/core/attenuate.ts'
import { narrow } from '../../server/core/ceiling.ts'
import type { HopRequest } from '../../server/core/guards.ts'
import { isRefusal } from '../../server/core/refusal.ts'
import type { Resource, Tenant } from '../../server/core/tenant.ts'
import {
  aCeiling,
  aHopRequest,
  anAgent,
  anApi,
  anEndpoint,
  aRoot,
  aTaskType,
  aTenant,
  NOW,
} from './facts.ts'

const tenant = aTenant()
const resource = (id: string, of: Tenant = tenant): Resource => of.resources.get(id)!

/** One agent more than the task may have. */
const LINE = ['planner', 'researcher', 'coder', 'rogue']

function granted(parts: Partial<HopRequest> = {}): Attenuated {
  const outcome = attenuate(aHopRequest(parts))
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.reason} ${outcome.guard}`)
  return outcome
}

const reachOf = ({ ceiling }: Attenuated): string[] =>
  aRoot().reach.filter((_, bit) => (ceiling.reach & (1 << bit)) !== 0)

describe('an API as target', () => {
  test('gets the scopes it defines and reaches itself alone', () => {
    const outcome = granted()
    expect(outcome).toMatchObject({
      audience: 2,
      scope: ['files:read', 'files:write'],
      ceiling: { scope: 0b011, reach: 0b000100, expiresAt: NOW + 300, maxDepth: 3 },
    })
    expect(outcome.target.id).toBe('files-api')
  })

  test('gets exactly what was requested, in the order of the root', () => {
    expect(granted({ scope: ['files:read'] }).scope).toEqual(['files:read'])
    expect(granted({ scope: ['files:write', 'files:read'] }).scope).toEqual([
      'files:read',
      'files:write',
    ])
  })
})

describe('an agent as target', () => {
  test('reaches what that agent may reach within the parent, and itself', () => {
    const researcher = anAgent('researcher', { mayReach: new Set(['files-api', 'coder-a2a']) })
    const of = aTenant({ agents: [anAgent('planner'), researcher, anAgent('coder')] })
    const outcome = granted({ tenant: of, target: resource('researcher-a2a', of) })
    expect(reachOf(outcome)).toEqual([
      'https://researcher.agents/a2a',
      'https://coder.agents/a2a',
      'https://files.api',
    ])
  })

  test('reaches nothing the parent has no more', () => {
    const parent = narrow(aCeiling(), { scope: 7, reach: 0b000101, expiresAt: NOW + 300 })!
    expect(reachOf(granted({ parent, target: resource('researcher-a2a') }))).toEqual([
      'https://researcher.agents/a2a',
      'https://files.api',
    ])
  })

  test('gets no scope its agent may not have, nor one its endpoint does not accept', () => {
    const researcher = anAgent('researcher', { scopes: new Set(['files:read', 'mail:send']) })
    const agents = [anAgent('planner'), researcher]
    const narrowEndpoint = anEndpoint('researcher', {
      scopes: new Set(['files:read', 'files:write']),
    })
    const of = aTenant({ agents, resources: [narrowEndpoint] })
    const target = resource('researcher-a2a', of)
    expect(granted({ tenant: of, target }).scope).toEqual(['files:read'])
  })

  test.each([
    ['disabled', { disabled: true }],
    ['at its end', { expires: NOW }],
  ])('is refused with its agent %s', (_, parts) => {
    const of = aTenant({ agents: [anAgent('planner'), anAgent('researcher', parts)] })
    expect(
      attenuate(aHopRequest({ tenant: of, target: resource('researcher-a2a', of) })),
    ).toMatchObject({
      reason: 'target_not_permitted',
      guard: 'recipient_inactive',
    })
  })

  test('is refused where nobody answers at it', () => {
    const target = anEndpoint('researcher', { agent: undefined })
    expect(attenuate(aHopRequest({ target }))).toMatchObject({ guard: 'recipient_inactive' })
  })
})

describe('the end of a token', () => {
  const home = resource('planner-a2a')
  test.each<[string, number, Partial<HopRequest>]>([
    ['the task type’s lifetime', NOW + 60, { taskType: aTaskType({ tokenLifetime: 60 }) }],
    [
      'the tenant’s lifetime',
      NOW + 30,
      { tenant: aTenant({ tenant: { limits: { ...tenant.limits, tokenLifetime: 30 } } }) },
    ],
    ['the parent’s end', NOW + 600, { now: NOW + 400 }],
    ['the actor token’s end', NOW + 7, { actorExpiresAt: NOW + 7 }],
    ['the task’s end, at home', NOW + 600, { target: home }],
    ['the actor token’s end, at home', NOW + 7, { target: home, actorExpiresAt: NOW + 7 }],
    [
      'the parent’s end, at home',
      NOW + 100,
      {
        target: home,
        parent: narrow(aCeiling(), { scope: 7, reach: 63, expiresAt: NOW + 100 })!,
      },
    ],
  ])('is %s', (_, expected, parts) => {
    expect(granted(parts).ceiling.expiresAt).toBe(expected)
  })
})

describe('refusals', () => {
  const parentWith = (scope: number, reach: number) =>
    narrow(aCeiling(), { scope, reach, expiresAt: NOW + 300 })!

  test.each<[string, string, Partial<HopRequest>]>([
    ['subject_token_expired', 'parent_expired', { now: NOW + 600 }],
    ['subject_token_expired', 'parent_expired', { now: NOW + 601 }],
    ['chain_too_long', 'chain_too_long', { chain: LINE }],
    ['target_not_permitted', 'target_beyond_reach', { target: anApi('stranger') }],
    ['target_not_permitted', 'target_beyond_reach', { parent: parentWith(7, 0b011) }],
    ['target_not_permitted', 'target_beyond_reach', { target: resource('rogue-a2a') }],
    [
      'target_not_permitted',
      'target_closed_to_caller',
      { caller: anAgent('planner', { mayReach: new Set(['mail-api']) }) },
    ],
    ['scope_not_permitted', 'scope_beyond_target', { scope: ['mail:send'] }],
    ['scope_not_permitted', 'scope_beyond_target', { scope: ['files:read', 'mail:send'] }],
    ['scope_not_permitted', 'scope_unknown', { scope: ['unheard:of'] }],
    [
      'scope_not_permitted',
      'scope_beyond_parent',
      { scope: ['files:write'], parent: parentWith(1, 63) },
    ],
    ['scope_nothing_left', 'scope_nothing_left', { parent: parentWith(4, 63) }],
    [
      'scope_nothing_left',
      'scope_nothing_left',
      { caller: anAgent('planner', { scopes: new Set() }) },
    ],
  ])('%s (%s)', (reason, guard, parts) => {
    expect(attenuate(aHopRequest(parts))).toEqual({ kind: 'refusal', reason, guard })
  })

  test('the last agent allowed is allowed', () => {
    expect(granted({ chain: LINE.slice(0, 3) }).ceiling.maxDepth).toBe(3)
  })

  test('cheap and public first: an expired parent is told before depth, target and scope', () => {
    const all = { now: NOW + 600, chain: LINE, target: anApi('stranger'), scope: ['unheard:of'] }
    expect(attenuate(aHopRequest(all))).toMatchObject({ reason: 'subject_token_expired' })
  })
})

describe('what executes', () => {
  const root = aRoot({ scope: ['files:read', 'pay:transfer'] })
  const pay = { root, parent: aCeiling(root), target: resource('pay-api') }

  test('needs the approval of a human, and is left out where nothing was requested', () => {
    expect(attenuate(aHopRequest({ ...pay, scope: ['pay:transfer'] }))).toMatchObject({
      reason: 'approval_required',
    })
    expect(attenuate(aHopRequest(pay))).toMatchObject({ reason: 'scope_nothing_left' })
  })

  test('is not told from what is refused anyway when something else is missing', () => {
    expect(attenuate(aHopRequest({ ...pay, scope: ['pay:transfer', 'mail:send'] }))).toMatchObject({
      reason: 'scope_not_permitted',
    })
  })
})
