/** The delegation profile, in the token: the chain says who acted for whom, and nobody outside writes in it. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN } from './client.ts'
import { profile } from './given.ts'
import { epoch, payloadOf, signingKey, signJwt } from './jwt.ts'
import {
  agents,
  api,
  claimsOf,
  exchange,
  expectError,
  first,
  idToken,
  issuer,
  open,
  ownToken,
  second,
  third,
  threeHops,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

const toThird = { resource: agents.third.endpoint }

describe('the chain is kept', () => {
  verifies(['PROF-04', 'PROF-26'], 'without an actor token the client is the actor', async () => {
    const { act } = claimsOf(await exchange())
    expect(act).toMatchObject({ sub: second.id, act: { sub: first.id } })
    const root = claimsOf(await open({ resource: agents.second.endpoint }))
    expect(root['act']).toMatchObject({ sub: first.id })
    const empty = claimsOf(await exchange({ actor_token: '', actor_token_type: '' }))
    expect(empty['act']).toEqual(act)
    // A holder's exchange stays in its place, chain and all.
    const home = tokenOf(await open())
    const held = claimsOf(await first.exchange(home, { resource: agents.second.endpoint }))
    expect(held['act']).toEqual(payloadOf(home)['act'])
  })

  verifies('PROF-16', 'nobody outside sets claims', async () => {
    const forged = {
      act: '{"sub":"ciso"}',
      may_act: '{"sub":"ciso"}',
      sub: 'ciso',
      aud: 'https://elsewhere.example',
      cnf: '{"jkt":"x"}',
      exp: '4102444800',
      txn: 'mine',
      act_bounds: '{}',
      claims: '{"act":{"sub":"ciso"}}',
    }
    const plain = claimsOf(await exchange())
    const claims = claimsOf(await exchange(forged, { assertion: { act: { sub: 'ciso' } } }))
    for (const name of ['sub', 'aud', 'act', 'cnf', 'client_id', 'scope', 'txn', 'may_act']) {
      expect(claims[name]).toEqual(plain[name])
    }
    const extra = {
      client_id: 'ciso',
      scope: 'admin',
      cnf: { jkt: 'x' },
      txn: 'mine',
      roles: ['a'],
    }
    const root = claimsOf(await open({}, {}, idToken({ claims: extra })))
    expect(root).toMatchObject({ client_id: first.id, cnf: { jkt: first.proofKey.thumbprint } })
    expect([root['roles'], root['txn'] === 'mine', root['scope'].includes('admin')]).toEqual([
      undefined,
      false,
      false,
    ])
  })

  verifies('PROF-18', 'may_act is not inherited', async () => {
    const token = idToken({ claims: { may_act: { sub: first.id } } })
    const one = tokenOf(await open({ resource: agents.second.endpoint }, {}, token))
    const may_act = JSON.stringify({ sub: third.id })
    const two = tokenOf(await second.exchange(one, { ...toThird, may_act }))
    const three = tokenOf(await third.exchange(two, { resource: api.uri, may_act }))
    for (const issued of [one, two, three]) expect(payloadOf(issued)).not.toHaveProperty('may_act')
  })

  verifies('PROF-19', 'actors have their issuer, and are no subjects', async () => {
    const { three } = await threeHops()
    const { act, sub } = payloadOf(three)
    for (let level = act; level !== undefined; level = level.act) {
      expect(level.iss).toBe(issuer)
      expect(level.sub).not.toBe(sub)
    }
  })

  verifies('PROF-21', 'a foreign chain is not imported', async () => {
    const chains = [
      { sub: 'someone' },
      'someone',
      [],
      null,
      7,
      { sub: 7 },
      { sub: 'a', act: 'b' },
      { sub: 'x'.repeat(12_000) },
    ]
    for (const act of chains) {
      expectError(await open({}, {}, idToken({ claims: { act } })), 'invalid_request')
    }
  })

  verifies('9700-2.6-01', 'no subject has the name of a client', async () => {
    for (const { client_id: sub } of [agents.first, agents.third, api]) {
      expectError(await open({}, {}, idToken({ claims: { sub } })), 'invalid_request')
    }
    const own = { actor_token: await ownToken(), actor_token_type: ACCESS_TOKEN }
    const itself = await second.exchange(await ownToken(), { ...own, ...toThird })
    expectError(itself, 'invalid_request')
  })

  verifies('8725-3.8-02', 'subjects of two issuers are two', async () => {
    const { partner } = profile
    const key = signingKey(partner.jwk)
    const now = epoch()
    const claims = {
      iss: partner.issuer,
      sub: partner.subject,
      aud: first.id,
      iat: now,
      exp: now + 60,
    }
    const token = signJwt(key, { alg: key.alg, kid: key.kid }, claims)
    expect(claimsOf(await open({}, {}, token))['sub']).toBe(partner.known_as)
    expect(claimsOf(await open())['sub']).not.toBe(partner.known_as)
    for (const sub of ['', 7, undefined, 'x'.repeat(10_000), 'ali\u0000ce', partner.known_as]) {
      expectError(await open({}, {}, idToken({ claims: { sub } })), 'invalid_request')
    }
    // RFC 8725 §3.8: and neither speaks for the other.
    const crossed = signJwt(key, { alg: key.alg, kid: key.kid }, payloadOf(idToken()))
    expectError(await open({}, {}, crossed), 'invalid_request')
  })
})
