/** The delegation profile, at every hop: authority only narrows, and whoever exchanges has a right to. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, ASSERTION_TYPE, type Fault } from './client.ts'
import { profile } from './given.ts'
import type { Form, Reply } from './http.ts'
import { epoch, newKey, payloadOf } from './jwt.ts'
import {
  agents,
  api,
  claimsOf,
  exchange,
  expectError,
  first,
  fourth,
  handover,
  idToken,
  issuer,
  open,
  otherApi,
  ownToken,
  second,
  stranger,
  subject,
  third,
  threeHops,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const toThird = { resource: agents.third.endpoint }
const isWithin = (scope: string, bound: string): boolean =>
  scope.split(' ').every((name) => bound.split(' ').includes(name))

describe('authority only narrows', () => {
  verifies('PROF-01', 'scope, at every hop', async () => {
    const narrow = await handover({ scope: api.read })
    expectError(await second.exchange(narrow, { ...toThird, scope: api.write }), 'invalid_scope')
    expectError(
      await second.exchange(narrow, { resource: otherApi.uri, scope: otherApi.scope }),
      'invalid_scope',
    )
    // What the second hop let go of does not come back.
    const dropped = await second.exchange(await handover(), { ...toThird, scope: api.read })
    const two = tokenOf(dropped)
    expectError(await third.exchange(two, { resource: api.uri, scope: api.write }), 'invalid_scope')
    const three = await third.exchange(two, { resource: api.uri })
    expect(three.json['scope']).toBe(api.read)
    const chain = await threeHops()
    const [a, b, c] = [chain.one, chain.two, chain.three].map((token) => payloadOf(token)['scope'])
    expect([isWithin(b, a), isWithin(c, b)]).toEqual([true, true])
  })

  if (profile.withheld !== undefined) {
    const scope = profile.withheld
    const toSecond = { resource: agents.second.endpoint }

    verifies('PROF-01', 'and by policy, asked at every hop', async () => {
      expect((await open({ ...toSecond, scope })).status).toBe(200)
      const held = tokenOf(await open({ ...toThird, scope: `${api.read} ${scope}` }))
      expectError(await third.exchange(held, { ...toSecond, scope }), 'invalid_scope')
      const both = { ...toSecond, scope: `${api.read} ${scope}` }
      expectError(await third.exchange(held, both), 'invalid_scope')
      // What is not asked for by name is what policy leaves.
      expect((await third.exchange(held, toSecond)).json['scope']).toBe(api.read)
      // It was never the token's fault: the same one is good for it elsewhere.
      const used = await third.exchange(held, { resource: api.uri, scope })
      expect(used.json['scope']).toBe(scope)
    })
  }

  verifies('PROF-02', 'audiences are registered, and open to this client', async () => {
    for (const audience of ['https://api.internal/admin', 'admin', '*', issuer, api.uri]) {
      expectError(await exchange({ resource: undefined, audience }), 'invalid_target')
    }
    const two = tokenOf(await second.exchange(await handover(), toThird))
    const other = await third.exchange(two, { resource: otherApi.uri })
    expectError(other, 'invalid_target')
  })

  verifies('PROF-11', 'no token outlives what it came from', async () => {
    const claims = { exp: epoch() + 20 }
    const short = await open({ resource: agents.second.endpoint }, {}, idToken({ claims }))
    expect(short.json['expires_in']).toBeLessThanOrEqual(20)
    expect(claimsOf(short)['exp']).toBeLessThanOrEqual(claims.exp)
    const home = await open({}, {}, idToken({ claims }))
    expect(claimsOf(home)['exp']).toBeLessThanOrEqual(claims.exp)
    const one = tokenOf(short)
    const two = await second.exchange(one, toThird)
    expect(claimsOf(two)['exp']).toBeLessThanOrEqual(payloadOf(one)['exp'])
    const actor = await ownToken()
    const acting = { actor_token: actor, actor_token_type: ACCESS_TOKEN }
    expect(claimsOf(await exchange(acting))['exp']).toBeLessThanOrEqual(payloadOf(actor)['exp'])
    const held = await first.exchange(tokenOf(home), { resource: agents.second.endpoint })
    expect(claimsOf(held)['exp']).toBeLessThanOrEqual(claims.exp)
  })

  verifies('PROF-08', 'chains have an end', async () => {
    const two = tokenOf(await second.exchange(await handover({ scope: api.read }), toThird))
    const three = tokenOf(await third.exchange(two, { resource: agents.fourth.endpoint }))
    const levels = (JSON.stringify(payloadOf(three)['act']).match(/"sub"/g) ?? []).length
    expect(levels).toBe(profile.max_depth)
    expectError(await fourth.exchange(three, { resource: api.uri }), 'invalid_request')
    // The same agent in a shorter chain.
    const shorter = await second.exchange(await handover({ scope: api.read }), {
      resource: agents.fourth.endpoint,
    })
    const reply = await fourth.exchange(tokenOf(shorter), { resource: api.uri })
    expect(reply.status).toBe(200)
  })
})

describe('who may exchange', () => {
  verifies('PROF-03', 'holding a token is no right to it', async () => {
    const token = await subject()
    for (const client of [stranger, third]) {
      for (const form of [{}, { resource: api.uri }, { resource: client.issuer }] as Form[]) {
        expectError(await client.exchange(token, form), 'invalid_request')
      }
    }
    expectError(await open({}, {}, idToken({ agent: agents.stranger })), 'invalid_request')
    const several = idToken({ claims: { aud: [first.id, stranger.id] } })
    expectError(await open({}, {}, several), 'invalid_request')
    expectError(await open({}, {}, idToken({ claims: { azp: stranger.id } })), 'invalid_request')
    // What is meant for an API is nobody's to exchange.
    const { three } = await threeHops()
    expectError(await third.exchange(three, { resource: api.uri }), 'invalid_request')
  })

  verifies('PROF-13', 'a bound token is its holder’s, by proof, or its audience’s', async () => {
    const home = tokenOf(await open())
    const target = { resource: agents.second.endpoint }
    expectError(await first.exchange(home, target, { proofs: null }), 'invalid_dpop_proof')
    expectError(await first.exchange(home, target, { proofKey: newKey() }), 'invalid_request')
    expectError(await stranger.exchange(home, target), 'invalid_request')
    expect(claimsOf(await first.exchange(home, target))['cnf']).toBeDefined()
    expectError(await exchange({}, { proofs: null }), 'invalid_dpop_proof')
  })

  verifies('PROF-14', 'the new token is bound to the caller’s key', async () => {
    const { one, two, three } = await threeHops()
    const keys = [one, two, three].map((token) => payloadOf(token)['cnf'].jkt)
    const proven = [first, second, third].map(({ proofKey }) => proofKey.thumbprint)
    expect(keys).toEqual(proven)
    const other = newKey()
    const reply = await exchange({}, { proofKey: other })
    expect(claimsOf(reply)['cnf']).toEqual({ jkt: other.thumbprint })
  })

  verifies('PROF-06', 'the actor token is the caller’s own', async () => {
    const actors = [await ownToken(third), await ownToken(stranger), await ownToken(first)]
    for (const actor_token of actors) {
      const reply = await exchange({ actor_token, actor_token_type: ACCESS_TOKEN })
      expectError(reply, 'invalid_request')
    }
    const unproven: Fault = { proofKey: newKey() }
    const own = { actor_token: await ownToken(), actor_token_type: ACCESS_TOKEN }
    expectError(await exchange(own, unproven), 'invalid_request')
  })

  verifies('PROF-07', 'an actor token with a chain is refused', async () => {
    const actor_token = tokenOf(await second.exchange(await handover(), { resource: api.uri }))
    const reply = await exchange({ actor_token, actor_token_type: ACCESS_TOKEN })
    expectError(reply, 'invalid_request')
  })

  verifies('PROF-09', 'no agent is twice in a chain', async () => {
    const two = tokenOf(await second.exchange(await handover(), toThird))
    const back = tokenOf(await third.exchange(two, { resource: agents.second.endpoint }))
    expectError(await second.exchange(back, { resource: api.uri }), 'invalid_request')
  })
})

describe('single use', () => {
  verifies('PROF-22', 'of fifty copies one succeeds', async () => {
    const count = (replies: readonly Reply[]): number =>
      replies.filter(({ status }) => status === 200).length
    const token = await handover()
    const same = { client_assertion: second.assertion() }
    const copies = (form: Form, fault: Fault): Promise<readonly Reply[]> =>
      Promise.all(
        Array.from({ length: 50 }, () =>
          second.exchange(token, { resource: api.uri, ...form }, fault),
        ),
      )
    expect(count(await copies({ ...same, client_assertion_type: ASSERTION_TYPE }, {}))).toBe(1)
    expect(count(await copies({}, { proofs: second.proof() }))).toBe(1)
  })
})
