/** The claims of a token: act nested, hops carried, offsets right; the verifier reads every chain that attenuation makes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Basis } from '../../lib/src/act-bounds.ts'
import { attenuate } from '../../server/core/attenuate.ts'
import { delegatedClaims, type Lineage, placeOf } from '../../server/core/delegated-claims.ts'
import { isRefusal } from '../../server/core/refusal.ts'
import type { Obligations, Rules } from '../../server/core/rules.ts'
import { aHopRequest, aRoot, aTenant, ISSUER, NOW, rulesOf } from './facts.ts'
import { ceilingOf, LINE, Story, type Token, verdictOf, type Wish } from './long-chain.ts'

const BASES = ['policy', 'client'] as const

/** A chain of `depth` agents; each hands on to the next in line. */
function aStory(basis: (typeof BASES)[number], depth: number, later = 1): Story {
  const story = new Story(basis)
  const handTo = (at: number): Wish => ({ target: `${LINE[at]}-a2a`, scope: undefined, later })
  story.open(handTo(1))
  for (let at = 1; at < depth; at += 1) story.receive(LINE[at]!, handTo(at + 1))
  return story
}

const identity = (sub: string) => ({ sub, iss: ISSUER, sub_profile: 'ai_agent' })

describe('for a user', () => {
  test('the first token is its opener’s, with one level and one hop', () => {
    const { claims } = aStory('policy', 1).newest
    expect(claims).toEqual({
      iss: ISSUER,
      sub: 'alice',
      sub_profile: 'user',
      aud: 'https://b.agents/a2a',
      client_id: 'a',
      scope: 'files:read files:write mail:send',
      iat: NOW + 1,
      exp: NOW + 301,
      jti: 'hop-1',
      txn: 'task',
      auth_time: NOW - 30,
      acr: 'urn:acr',
      amr: ['pwd'],
      cnf: { jkt: 'key-of-a' },
      status: { status_list: { idx: 1, uri: `${ISSUER}/status/g1-1` } },
      act: identity('a'),
      act_bounds: {
        v: 1,
        root: expect.objectContaining({ jti: 'root', iat: NOW, exp: NOW + 900, basis: 'policy' }),
        hops: [
          { jti: 'hop-1', idx: 1, scope: 0b111, reach: 2 ** 11 - 1, aud: 1, iat: 1, exp: 301 },
        ],
      },
    })
  })

  test('each recipient goes outside what was there, which stays as it was', () => {
    const story = aStory('policy', 3)
    const [first, second, third] = story.tokens.map(({ claims }) => claims)
    expect(third?.act).toEqual({
      ...identity('c'),
      act: { ...identity('b'), act: identity('a') },
    })
    expect(third?.act_bounds.hops.slice(1)).toEqual(second?.act_bounds.hops)
    expect(second?.act_bounds.hops.slice(1)).toEqual(first?.act_bounds.hops)
    expect(third?.act_bounds.root).toEqual(first?.act_bounds.root)
    expect(third).toMatchObject({ sub: 'alice', client_id: 'c', txn: 'task', acr: 'urn:acr' })
    expect(third?.act?.act?.act).not.toHaveProperty('act')
    expect(placeOf(third!)).toEqual(['a', 'b', 'c'])
  })

  test('a holder’s new token replaces its hop and keeps its place', () => {
    const story = aStory('policy', 2)
    const before = story.newest.claims
    story.hold({ target: 'files-api', scope: ['files:read'], later: 5 })
    const after = story.newest.claims
    expect(after.act).toEqual(before.act)
    expect(after.act_bounds.hops.slice(1)).toEqual(before.act_bounds.hops.slice(1))
    expect(after.act_bounds.hops[0]).toMatchObject({ jti: 'hop-3', scope: 1, iat: 7, exp: 301 })
    expect(placeOf(after)).toEqual(placeOf(before))
  })
})

describe('for itself', () => {
  test('the opener is the subject: one hop, no act', () => {
    const { claims } = aStory('client', 1).newest
    expect(claims).toMatchObject({ sub: 'a', client_id: 'a', sub_profile: 'ai_agent' })
    expect(claims).not.toHaveProperty('act')
    expect(claims.act_bounds.hops).toHaveLength(1)
    expect(placeOf(claims)).toEqual(['a'])
  })

  test('the next agent has one level and two hops', () => {
    const { claims } = aStory('client', 2).newest
    expect(claims).toMatchObject({ sub: 'a', client_id: 'b' })
    expect(claims.act).toEqual(identity('b'))
    expect(claims.act_bounds.hops).toHaveLength(2)
    expect(placeOf(claims)).toEqual(['a', 'b'])
  })

  test('another token of the opener has no act either', () => {
    const story = aStory('client', 1)
    story.hold({ target: 'files-api', scope: undefined, later: 0 })
    expect(story.newest.claims.act).toBeUndefined()
    expect(story.newest.claims.act_bounds.hops).toHaveLength(1)
    expect(verdictOf(story.newest.claims)).toBe('ok')
  })
})

describe('no chain is dropped', () => {
  const first = attenuate(aHopRequest())
  const claimsOf = (lineage: Partial<Lineage>, basis: Basis) => {
    if (isRefusal(first)) return expect.unreachable()
    return delegatedClaims({
      tenant: aTenant(),
      lineage: {
        root: aRoot({ basis }),
        subject: 'planner',
        txn: 'task',
        list: 'g1-1',
        act: undefined,
        hops: [],
        issuedAt: NOW,
        authentication: {},
        ...lineage,
      },
      holder: 'planner',
      attenuated: first,
      jti: 'hop-1',
      idx: 1,
      key: undefined,
      now: NOW,
    })
  }

  test('nor is the level of an agent that is named as its user is', () => {
    expect(claimsOf({}, 'client')).not.toHaveProperty('act')
    expect(claimsOf({}, 'policy').act).toEqual(identity('planner'))
  })

  test('where the opener meets its own task again', () => {
    const act = identity('researcher')
    expect(claimsOf({ act }, 'client').act).toEqual({ ...identity('planner'), act })
  })
})

describe('times', () => {
  test('a child is never older than its parent, whatever the clock says', () => {
    const story = aStory('policy', 1)
    story.receive('b', { target: 'c-a2a', scope: undefined, later: -100 })
    const { claims } = story.newest
    expect(claims.iat).toBe(NOW + 1)
    expect(claims.act_bounds.hops[0]).toMatchObject({ iat: 1 })
    expect(verdictOf(claims)).toBe('ok')
  })
})

test('a token without a proven key has no confirmation, not an empty one', () => {
  const story = new Story('policy', () => undefined)
  story.open({ target: 'b-a2a', scope: undefined, later: 0 })
  expect(story.newest.claims).not.toHaveProperty('cnf')
  expect(verdictOf(story.newest.claims)).toBe('ok')
})

describe.each(BASES)('with basis %s a hop the rules made shallower', (basis) => {
  /** Every delegation to `agent` is bound to that many agents. */
  const shallow = (bounds: Readonly<Record<string, number>>): Rules =>
    rulesOf(({ recipient }) => {
      const maxDepth = bounds[recipient?.id ?? '']
      return maxDepth === undefined ? {} : { obligations: { maxDepth } }
    })
  const handTo = (id: string): Wish => ({ target: `${id}-a2a`, scope: undefined, later: 1 })
  const depthsOf = ({ claims }: Token) => claims.act_bounds.hops.map(({ max_depth }) => max_depth)

  test('says so once, holds every later hop to it, and the verifier reads them all', () => {
    const story = new Story(basis, undefined, shallow({ c: 3 }))
    story.open(handTo('b'))
    expect(depthsOf(story.newest)).toEqual([undefined])
    story.receive('b', handTo('c'))
    expect(depthsOf(story.newest)).toEqual([3, undefined])
    story.receive('c', handTo('d'))
    expect(depthsOf(story.newest)).toEqual([undefined, 3, undefined])
    expect(story.newest.ceiling.maxDepth).toBe(3)
    expect(story.tokens.map(({ claims }) => verdictOf(claims))).toEqual(['ok', 'ok', 'ok'])
    const refusal = { reason: 'chain_too_long', guard: 'chain_too_long' }
    expect(story.receive('d', { target: 'files-api', scope: undefined, later: 0 })).toMatchObject(
      refusal,
    )
    expect(story.receive('d', handTo('e'))).toMatchObject(refusal)
  })

  test('keeps it where its holder exchanges again for somewhere the rules bind to nothing', () => {
    const story = new Story(basis, undefined, shallow({ b: 2 }))
    story.open(handTo('b'))
    story.hold(handTo('c'))
    expect(depthsOf(story.newest)).toEqual([2])
    expect(verdictOf(story.newest.claims)).toBe('ok')
    story.receive('c', handTo('d'))
    expect(story.receive('d', handTo('e'))).toMatchObject({ reason: 'chain_too_long' })
  })

  test('is never deepened by a later rule', () => {
    const story = new Story(basis, undefined, shallow({ b: 3, c: 8, d: 99 }))
    story.open(handTo('b'))
    story.receive('b', handTo('c'))
    story.receive('c', handTo('d'))
    expect(depthsOf(story.newest)).toEqual([undefined, undefined, 3])
    expect(story.newest.ceiling.maxDepth).toBe(3)
    expect(verdictOf(story.newest.claims)).toBe('ok')
  })
})

describe.each(BASES)('with basis %s the verifier reads', (basis) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('a chain of %d agents, and its token for an API', (depth) => {
    const story = aStory(basis, depth)
    story.hold({ target: 'files-api', scope: undefined, later: 1 })
    expect(story.tokens.map(({ claims }) => verdictOf(claims))).toEqual(
      Array.from({ length: depth + 1 }, () => 'ok'),
    )
    expect(placeOf(story.newest.claims)).toEqual(LINE.slice(0, depth))
    expect(story.newest.claims.scope).toBe('files:read files:write')
  })

  test('and a ninth agent gets no token', () => {
    const story = aStory(basis, 8)
    expect(story.receive('i', { target: 'i-a2a', scope: undefined, later: 0 })).toMatchObject({
      reason: 'chain_too_long',
    })
  })

  const wishes = fc.record({
    isHolder: fc.boolean(),
    onward: fc.constantFrom('next', 'next', 'next', 'home', 'files-api', 'mail-api'),
    scope: fc.option(fc.subarray(['files:read', 'files:write', 'mail:send'], { minLength: 1 }), {
      nil: undefined,
    }),
    later: fc.integer({ min: -5, max: 120 }),
  })

  // What the rules say to each scope of each hop, one after another.
  const obligations = fc.array(
    fc.record<Obligations>(
      {
        maxTtl: fc.integer({ min: 1, max: 400 }),
        // Mostly no bound at all, or no chain would get long.
        maxDepth: fc.constantFrom(1, 2, 3, 4, 6, 9, 9, 9, 9, 9),
        approval: fc.constantFrom('propose', 'execute'),
      },
      { requiredKeys: [] },
    ),
    { minLength: 1, maxLength: 9 },
  )

  test('whatever attenuation makes, and no token is more than the one before', () => {
    let made = 0
    let deepest = 0
    const lists = fc.array(wishes, { minLength: 1, maxLength: 14 })
    fc.assert(
      fc.property(lists, fc.option(obligations, { nil: [{}] }), (list, bounds) => {
        let asked = 0
        const rules = rulesOf(() => ({ obligations: bounds[asked++ % bounds.length] ?? {} }))
        const story = new Story(basis, undefined, rules)
        let next = 1
        for (const { isHolder, onward, scope, later } of list) {
          const before: Token | undefined = story.tokens.at(-1)
          // A token for an API is the end of its line.
          if (before?.claims.aud.endsWith('.api')) break
          const isRecipient =
            before !== undefined &&
            !isHolder &&
            before.claims.aud === `https://${LINE[next]}.agents/a2a`
          const caller = isRecipient ? LINE[next]! : (before?.claims.client_id ?? 'a')
          const after = isRecipient ? next + 1 : next
          const target =
            onward === 'home'
              ? `${caller}-a2a`
              : onward === 'next'
                ? `${LINE[after] ?? caller}-a2a`
                : onward
          const wish = { target, scope, later }
          const token =
            before === undefined
              ? story.open(wish)
              : isRecipient
                ? story.receive(caller, wish)
                : story.hold(wish)
          if (isRefusal(token)) continue
          next = after
          made += 1
          deepest = Math.max(deepest, placeOf(token.claims).length)
          expectSound(before, token)
        }
      }),
      { numRuns: 1200 },
    )
    // Random lists reach far enough to mean something.
    expect(made).toBeGreaterThan(1000)
    expect(deepest).toBeGreaterThanOrEqual(3)
  })
})

function expectSound(before: Token | undefined, { claims, ceiling }: Token): void {
  expect(verdictOf(claims)).toBe('ok')
  expect(ceilingOf(claims)).toEqual(ceiling)
  if (before === undefined) return
  expect(ceiling.scope & ~before.ceiling.scope).toBe(0)
  expect(ceiling.reach & ~before.ceiling.reach).toBe(0)
  expect(claims.exp).toBeLessThanOrEqual(before.claims.exp)
  expect(claims.iat).toBeGreaterThanOrEqual(before.claims.iat)
  expect(claims.act_bounds.root).toEqual(before.claims.act_bounds.root)
}
