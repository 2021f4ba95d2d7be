/** The delegation profile: what a chain of agents may not become, whatever is sent. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN, Client, type Fault, JWT } from './client.ts'
import { profile } from './given.ts'
import type { Form, Reply } from './http.ts'
import { epoch, newKey, payloadOf, signingKey, signJwt } from './jwt.ts'
import {
  agents,
  api,
  call,
  claimsOf,
  exchange,
  expectError,
  first,
  fourth,
  handover,
  idToken,
  issuer,
  newId,
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
import { hasVectors, vector } from './vectors-issuer.ts'
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

describe('kinds of tokens', () => {
  /** One right JWT of each kind there is here. */
  async function kinds(): Promise<Readonly<Record<string, string>>> {
    const other = new Client(profile.other.issuer, profile.other.agent)
    return {
      'access token': await subject(),
      'own access token': await ownToken(),
      'ID token': idToken(),
      'client assertion': second.assertion(),
      'DPoP proof': second.proof(),
      'access token of another server': tokenOf(
        await other.alone({ resource: profile.other.api.uri }),
      ),
      ...(hasVectors ? { 'access token of a played issuer': vector() } : {}),
    }
  }

  verifies(['8725-3.12-01', '8725-3.11-01'], 'none passes for another', async () => {
    const places: Readonly<Record<string, (token: string) => Promise<Reply>>> = {
      'access token': (token) => exchange({ subject_token: token }),
      'ID token': (token) => open({}, {}, token),
      'foreign JWT': (token) => open({ subject_token_type: JWT }, {}, token),
      'own access token': (token) =>
        exchange({ actor_token: token, actor_token_type: ACCESS_TOKEN }),
      'client assertion': (token) =>
        exchange({
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: token,
        }),
      'DPoP proof': (token) => exchange({}, { proofs: token }),
      bearer: (token) => call(second, token, { scheme: 'Bearer', proof: null }),
      'bound access token': (token) => call(second, token),
    }
    const passed: string[] = []
    for (const [kind, token] of Object.entries(await kinds())) {
      for (const [place, presentAt] of Object.entries(places)) {
        const { status } = await presentAt(token)
        if (status === 200) passed.push(`${kind} as ${place}`)
        else expect([400, 401]).toContain(status)
      }
    }
    expect(passed.sort()).toEqual([
      'DPoP proof as DPoP proof',
      'ID token as ID token',
      // Who trusts the JWTs of an issuer trusts its ID tokens.
      'ID token as foreign JWT',
      'access token as access token',
      'client assertion as client assertion',
      'own access token as bound access token',
      'own access token as own access token',
    ])
  })

  verifies(
    ['8725-3.10-01', '8725-3.10-02'],
    'keys are not found by what a token says',
    async () => {
      const own = newKey()
      const trap = `https://127.0.0.1:1/${newId()}`
      const headers = [
        { jku: trap, kid: own.kid },
        { jwk: own.publicJwk, kid: undefined },
        { x5u: trap },
        { kid: '../../x' },
        { kid: '__proto__' },
        { kid: 'x'.repeat(10_000) },
        { kid: 7 },
      ]
      for (const header of headers) {
        const alg = 'ES256'
        const root = signJwt(own, { alg, typ: 'JWT', ...header }, payloadOf(idToken()))
        expectError(await open({}, {}, root), 'invalid_request')
        const access = signJwt(own, { alg, typ: 'at+jwt', ...header }, payloadOf(await subject()))
        expectError(await exchange({ subject_token: access }), 'invalid_request')
      }
    },
  )
})

describe('single use', () => {
  verifies('PROF-22', 'of fifty copies one succeeds', async () => {
    const count = (replies: readonly Reply[]): number =>
      replies.filter(({ status }) => status === 200).length
    const token = await handover()
    const same = { client_assertion: second.assertion() }
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const copies = (form: Form, fault: Fault): Promise<readonly Reply[]> =>
      Promise.all(
        Array.from({ length: 50 }, () =>
          second.exchange(token, { resource: api.uri, ...form }, fault),
        ),
      )
    expect(count(await copies({ ...same, client_assertion_type: type }, {}))).toBe(1)
    expect(count(await copies({}, { proofs: second.proof() }))).toBe(1)
  })
})
