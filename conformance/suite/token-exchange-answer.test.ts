/** RFC 8693 §2.2 and §4: the answer, and the chain in the token. */
import { describe, expect } from 'vitest'
import { ACCESS_TOKEN } from './client.ts'
import { profile } from './given.ts'
import { epoch, payloadOf } from './jwt.ts'
import {
  agents,
  api,
  apiServer,
  claimsOf,
  exchange,
  expectError,
  first,
  handover,
  idToken,
  isReadable,
  issuer,
  isWhole,
  open,
  ownToken,
  second,
  stranger,
  subject,
  third,
  threeHops,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

describe('the answer', () => {
  verifies(
    ['8693-2.2.1-01', '6749-5.1-03', '6749-4.5-01'],
    'success is 200, JSON and a token',
    async () => {
      const reply = await exchange()
      expect(reply.status).toBe(200)
      expect(reply.headers['content-type']).toMatch(/^application\/json\b/)
      expect(reply.json['access_token']).toEqual(expect.any(String))
      const fault = await exchange({ scope: 'unknown' })
      expectError(fault, 'invalid_scope')
    },
    ['exchange'],
  )

  verifies(
    ['8693-2.2.1-02', '8693-2.1-19'],
    'the issued type is always named',
    async () => {
      const requested = await exchange({ requested_token_type: ACCESS_TOKEN })
      for (const reply of [await exchange(), requested]) {
        expect(reply.json['issued_token_type']).toBe(ACCESS_TOKEN)
      }
    },
    ['exchange'],
  )

  verifies(
    '8693-2.2.1-03',
    'it is told how the token is used',
    async () => {
      expect((await exchange()).json['token_type']).toMatch(/^(?:bearer|dpop)$/i)
    },
    ['exchange'],
  )

  verifies(
    ['8693-2.2.1-03', '9449-5-02'],
    'a bound token is announced as DPoP',
    async () => {
      for (const reply of [await exchange(), await second.alone({ resource: api.uri })]) {
        expect(reply.json['token_type']).toMatch(/^dpop$/i)
        expect(claimsOf(reply)['cnf']).toEqual({ jkt: second.proofKey.thumbprint })
      }
    },
    ['exchange', 'own', 'proofs', 'jwt', 'resource'],
  )

  verifies(
    '8693-2.2.1-05',
    'the lifetime is a number and true',
    async () => {
      const reply = await exchange()
      expect(reply.json['expires_in']).toEqual(expect.any(Number))
      expect(reply.json['expires_in']).toBeGreaterThan(0)
      if (!isReadable(tokenOf(reply))) return
      const { exp, iat } = claimsOf(reply)
      expect(Math.abs(reply.json['expires_in'] - (exp - iat))).toBeLessThanOrEqual(5)
      expect(Math.abs(exp - epoch() - reply.json['expires_in'])).toBeLessThanOrEqual(5)
    },
    ['exchange'],
  )

  verifies(
    ['8693-2.2.1-06', '6749-3.3-02', '8707-2.2-02'],
    'the scope is told whether it was asked for or not',
    async () => {
      const asked = await exchange({ scope: api.read })
      const unasked = await exchange({ scope: undefined })
      // RFC 6749 §5.1: what was asked for need not be told.
      const told = isWhole ? asked.json['scope'] : (asked.json['scope'] ?? api.read)
      expect(told).toBe(api.read)
      expect(unasked.json['scope']).toEqual(expect.any(String))
      for (const reply of [asked, unasked]) {
        if (!isReadable(tokenOf(reply))) continue
        expect(reply.json['scope'] ?? told).toBe(claimsOf(reply)['scope'])
      }
      if (!isWhole) return
      expect(new Set(unasked.json['scope'].split(' '))).toEqual(new Set([api.read, api.write]))
    },
    ['exchange', 'scope'],
  )

  verifies(
    '8693-2.2.1-07',
    'no refresh token comes with it',
    async () => {
      expect((await exchange()).json['refresh_token']).toBeUndefined()
      expectError(await exchange({ scope: 'offline_access' }), 'invalid_scope')
    },
    ['exchange'],
  )

  verifies(
    '8693-2.2.1-08',
    'members are at the top and of their types',
    async () => {
      const { json } = await exchange()
      const required = {
        access_token: expect.any(String),
        issued_token_type: expect.any(String),
        token_type: expect.any(String),
      }
      const optional = { expires_in: expect.any(Number), scope: expect.any(String) }
      if (isWhole) {
        expect(json).toEqual({ ...required, ...optional, cnf: { jkt: expect.any(String) } })
        return
      }
      const told = Object.entries(optional).filter(([name]) => name in json)
      expect(json).toMatchObject({ ...required, ...Object.fromEntries(told) })
    },
    ['exchange'],
  )

  verifies('8693-2.2.2-03', 'what policy does not accept is invalid_request', async () => {
    const disabled = idToken({ claims: { sub: profile.idp.disabled_subject } })
    expectError(await open({}, {}, disabled), 'invalid_request')
    const elsewhere = idToken({ claims: { may_act: { sub: agents.third.client_id } } })
    expectError(await open({}, {}, elsewhere), 'invalid_request')
    // A stranger that nothing was handed to.
    expectError(await stranger.exchange(await subject(), { resource: api.uri }), 'invalid_request')
    const forStranger = idToken({ agent: agents.stranger })
    const opened = await stranger.exchange(forStranger, {
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    })
    expectError(opened, 'invalid_request')
  })
})

describe('the chain', () => {
  const actor = (client: { id: string }) => ({ sub: client.id, iss: issuer })

  verifies(['8693-4.1-01', '8693-4.1-07'], 'act names the actor with its issuer', async () => {
    const parameters = { actor_token: await ownToken(), actor_token_type: ACCESS_TOKEN }
    const { act } = claimsOf(await exchange(parameters))
    expect(act).toMatchObject({ ...actor(second), act: actor(first) })
  })

  verifies('8693-4.1-02', 'no level of act says anything about validity', async () => {
    const { three } = await threeHops()
    const levels: Record<string, unknown>[] = []
    for (let act = payloadOf(three)['act']; act !== undefined; act = act.act) levels.push(act)
    expect(levels).toHaveLength(3)
    const forbidden = ['exp', 'nbf', 'iat', 'aud', 'jti', 'scope', 'cnf', 'auth_time']
    for (const level of levels) {
      expect(forbidden.filter((name) => name in level)).toEqual([])
    }
  })

  verifies(
    ['8693-4.1-03', '8693-4.1-08', 'PROF-05'],
    'the newest actor is outermost, the rest is nested whole, the subject stays',
    async () => {
      const { one, two, three } = await threeHops()
      const [a, b, c] = [one, two, three].map(payloadOf)
      expect(a!['act']).toMatchObject(actor(first))
      expect(a!['act'].act).toBeUndefined()
      expect(b!['act']).toMatchObject(actor(second))
      expect(JSON.stringify(b!['act'].act)).toBe(JSON.stringify(a!['act']))
      expect(c!['act']).toMatchObject(actor(third))
      expect(JSON.stringify(c!['act'].act)).toBe(JSON.stringify(b!['act']))
      const subjects = [a, b, c].map((claims) => claims!['sub'])
      expect(new Set(subjects).size).toBe(1)
      expect(subjects[0]).toContain(profile.idp.subject)
    },
  )

  verifies(
    ['8693-4.1-06', 'PROF-15'],
    'introspection shows the chain as the token has it',
    async () => {
      const { three } = await threeHops()
      const { act } = (await apiServer.introspect(three)).json
      expect(act).toEqual(payloadOf(three)['act'])
    },
  )

  verifies('8693-4.3-01', 'client_id is the client that asked', async () => {
    const { one, two, three } = await threeHops()
    expect([one, two, three].map((token) => payloadOf(token)['client_id'])).toEqual([
      first.id,
      second.id,
      third.id,
    ])
  })

  verifies('8693-5-01', 'a token ends before and allows no more than its parent', async () => {
    const { one, two, three } = await threeHops()
    const [a, b, c] = [one, two, three].map(payloadOf)
    for (const [parent, child] of [
      [a!, b!],
      [b!, c!],
    ] as const) {
      expect(child['exp']).toBeLessThanOrEqual(parent['exp'])
      const held: string[] = parent['scope'].split(' ')
      expect(child['scope'].split(' ').filter((name: string) => !held.includes(name))).toEqual([])
    }
  })
})

describe('may_act', () => {
  const openWith = (mayAct: unknown) => {
    const token = idToken({ claims: { may_act: mayAct } })
    return open({ resource: agents.second.endpoint }, {}, token)
  }
  const named = { sub: first.id }

  verifies('8693-4.4-01', 'it decides who may act', async () => {
    expect((await openWith(named)).status).toBe(200)
    const others = [{ sub: second.id }, {}, [], null, '*', { sub: [first.id] }, { iss: issuer }]
    for (const other of others) expectError(await openWith(other), 'invalid_request')
  })

  verifies(
    '8693-4.4-02',
    'it is compared with the actor token’s party, or the client',
    async () => {
      const token = idToken({ claims: { may_act: named } })
      const others = { actor_token: await ownToken(), actor_token_type: ACCESS_TOKEN }
      expectError(await open(others, {}, token), 'invalid_request')
      expect((await open({}, {}, token)).status).toBe(200)
      const own = { actor_token: await ownToken(first), actor_token_type: ACCESS_TOKEN }
      expect((await open(own, {}, token)).status).toBe(200)
    },
  )

  verifies(['8693-4.4-03', 'PROF-17'], 'every identity member has to match', async () => {
    const iss = profile.idp.issuer
    const right = { sub: first.id, iss, client_id: first.id }
    expect((await openWith(right)).status).toBe(200)
    const wrong = [
      { ...right, iss: 'https://elsewhere.example' },
      { ...right, sub: second.id },
      { ...right, client_id: second.id },
      { ...right, email: 'planner@example.com' },
    ]
    for (const mayAct of wrong) expectError(await openWith(mayAct), 'invalid_request')
  })

  verifies('8693-4.4-04', 'times and audience in it mean nothing', async () => {
    const past = { ...named, exp: 1, nbf: epoch() + 9999, aud: 'https://elsewhere.example' }
    expect((await openWith(past)).status).toBe(200)
  })
})

// A token of its own, so that no other test of this file is in its way.
verifies('8693-4.2-01', 'scope is one string', async () => {
  const token = tokenOf(await second.exchange(await handover(), { resource: api.uri }))
  expect(payloadOf(token)['scope']).toBe(`${api.read} ${api.write}`)
})
