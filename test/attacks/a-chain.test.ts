/** Threats A: the chain is written by the server alone, and possession of a token is no right to exchange it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS_TOKEN, type Parameters } from '../support/agent-client.ts'
import { newKey, payloadOf, signJwt } from '../support/signing.ts'
import { type Claims, PARTNER, type Stage, setStage, tokenOf } from './fixture.ts'
import { actorsOf, expectGranted, expectRefusal } from './refusal.ts'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

const actor = (token: string): Parameters => ({
  actor_token: token,
  actor_token_type: ACCESS_TOKEN,
})

const STRANGER = {
  reason: 'subject_token_unacceptable',
  guard: 'caller_neither_holder_nor_recipient',
} as const
const UNACCEPTABLE_ACTOR = 'actor_token_unacceptable'

describe('A01 splice with an unrelated actor', () => {
  test('A01 refuses a splice with an unrelated actor', async () => {
    const { server, rogue } = stage
    const [token, own] = [await stage.first(), await stage.own(rogue)]
    await expectRefusal(server, STRANGER, () => rogue.exchange(token, actor(own)))
  })

  test('A01 refuses the unrelated actor without its actor token, and for its own target', async () => {
    const { server, rogue } = stage
    const token = await stage.first()
    await expectRefusal(server, STRANGER, () => rogue.exchange(token))
    await expectRefusal(server, STRANGER, () => rogue.exchange(token, { audience: 'rogue-a2a' }))
  })

  test('A01 tells a stranger the same of a live, an expired, a revoked and a made-up token', async () => {
    const { server, rogue, planner } = stage
    const revoked = await stage.first()
    await planner.revoke(revoked)
    const forged = signJwt(newKey(), stage.tokenHeader(), payloadOf(revoked))
    const reason = 'subject_token_unacceptable'
    for (const token of [await stage.first(), revoked, forged, 'garbage']) {
      await expectRefusal(server, { reason }, () => rogue.exchange(token))
    }
  })
})

test('A02 refuses a splice across delegations: an actor token of another user', async () => {
  const { server, planner } = stage
  const alice = await stage.first()
  const bob = tokenOf(await planner.open(server.idToken('bob'), { audience: 'researcher-a2a' }))
  const expected = { reason: UNACCEPTABLE_ACTOR, guard: 'actor_not_caller' } as const
  await expectRefusal(server, expected, () => planner.exchange(alice, actor(bob)))
})

test('A02 refuses an actor token of another tenant and one that carries a chain', async () => {
  const { server, planner } = stage
  const alice = await stage.first()
  const foreign = tokenOf(
    await server.client('planner', 'globex').token({ grant_type: 'client_credentials' }),
  )
  const reason = UNACCEPTABLE_ACTOR
  await expectRefusal(server, { reason, guard: 'key_unknown' }, () =>
    planner.exchange(alice, actor(foreign)),
  )
  await expectRefusal(server, { reason, guard: 'actor_not_caller' }, () =>
    planner.exchange(alice, actor(alice)),
  )
})

test('A03 refuses an actor token of another client', async () => {
  const { server, researcher, coder } = stage
  const [token, own] = [await stage.second(), await stage.own(researcher)]
  const expected = { reason: UNACCEPTABLE_ACTOR, guard: 'actor_not_caller' } as const
  await expectRefusal(server, expected, () => coder.exchange(token, actor(own)))
})

test('A03 refuses the own actor token with a key it is not bound to, revoked or expired', async () => {
  const { server, coder } = stage
  const token = await stage.second()
  const own = await stage.own(coder)
  const reason = UNACCEPTABLE_ACTOR
  await expectRefusal(server, { reason, guard: 'actor_key_not_proven' }, () =>
    coder.exchange(token, actor(own), { proofKey: newKey() }),
  )
  expect((await coder.revoke(own)).status).toBe(200)
  await expectRefusal(server, { reason, guard: 'actor_token_revoked' }, () =>
    coder.exchange(token, actor(own)),
  )
})

test('A03 takes the own actor token: the actor is the caller', async () => {
  const { server, coder } = stage
  const [token, own] = [await stage.second(), await stage.own(coder)]
  const claims = await expectGranted(server, () =>
    coder.exchange(token, { ...actor(own), audience: 'files-api' }),
  )
  expect(actorsOf(claims)).toEqual(['coder', 'researcher', 'planner'])
})

test('A04 refuses the own token of an agent as subject and as actor', async () => {
  const { server, planner } = stage
  const own = await stage.own(planner)
  const expected = { reason: UNACCEPTABLE_ACTOR, guard: 'actor_is_subject' } as const
  await expectRefusal(server, expected, () => planner.exchange(own, actor(own)))
  const other = await stage.own(planner)
  await expectRefusal(server, expected, () => planner.exchange(own, actor(other)))
})

test('A04 refuses an agent that would act for itself after a round trip', async () => {
  const { server, planner, researcher } = stage
  const out = tokenOf(
    await planner.token({ grant_type: 'client_credentials', audience: 'researcher-a2a' }),
  )
  const back = tokenOf(await researcher.exchange(out, { audience: 'planner-a2a' }))
  expect(payloadOf(back)).toMatchObject({ sub: 'planner', client_id: 'researcher' })
  const expected = { reason: 'actor_already_in_chain' } as const
  await expectRefusal(server, expected, () => planner.exchange(back, { audience: 'files-api' }))
})

describe('A05 upstream splice, by reach', () => {
  const beyond = { reason: 'target_not_permitted', guard: 'target_beyond_reach' } as const

  test('A05 refuses the holder a token addressed to an agent outside the task', async () => {
    const { server, planner } = stage
    const token = await stage.first()
    for (const target of [{ audience: 'rogue-a2a' }, { resource: 'https://rogue.agents/a2a' }]) {
      await expectRefusal(server, beyond, () => planner.exchange(token, target))
    }
  })

  test('A05 refuses every recipient the same, and an agent without an edge of its own', async () => {
    const { server, researcher, coder } = stage
    const [first, second] = [await stage.first(), await stage.second()]
    await expectRefusal(server, beyond, () => researcher.exchange(first, { audience: 'rogue-a2a' }))
    await expectRefusal(server, beyond, () => coder.exchange(second, { audience: 'rogue-a2a' }))
    const idToken = server.idToken('alice', 'researcher')
    const closed = { reason: 'target_not_permitted', guard: 'target_closed_to_caller' } as const
    await expectRefusal(server, closed, () => researcher.open(idToken, { audience: 'rogue-a2a' }))
  })
})

describe('A06 re-rooting to reset the depth', () => {
  test.each(['task', 'txn', 'act', 'sub', 'subject', 'on_behalf_of'])(
    'A06 a token from an own root never is for the user: %s is no way into a task',
    async (parameter) => {
      const { server, coder } = stage
      const users = payloadOf(await stage.second())
      const own = await stage.own(coder)
      const value =
        parameter === 'act' ? JSON.stringify(users['act']) : String(users[parameter] ?? 'alice')
      const claims = await expectGranted(server, () =>
        coder.exchange(own, { [parameter]: value, audience: 'files-api' }),
      )
      expect(claims).toMatchObject({ sub: 'coder', client_id: 'coder' })
      expect(claims).not.toHaveProperty('act')
      expect(claims['txn']).not.toBe(users['txn'])
      expect(claims['act_bounds']['root']['basis']).toBe('client')
    },
  )

  test('A06 refuses a scope that is only delegated', async () => {
    const { server, coder } = stage
    const own = await stage.own(coder)
    await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
      coder.exchange(own, { scope: 'files:write', audience: 'files-api' }),
    )
  })
})

describe('A07 forged act', () => {
  const FORGED = JSON.stringify({ sub: 'ciso' })
  const honest = async () => actorsOf(payloadOf(await stage.second()))

  test.each<[string, Parameters]>([
    ['act', { act: FORGED }],
    ['a repeated act', { act: [FORGED, FORGED] }],
    ['act[sub]', { 'act[sub]': 'ciso' }],
    ['act.sub', { 'act.sub': 'ciso' }],
    ['act_bounds', { act_bounds: '{"v":1}' }],
    ['claims', { claims: `{"access_token":{"act":${FORGED}}}` }],
    ['client_metadata.act', { client_metadata: `{"act":${FORGED}}` }],
    ['request', { request: FORGED }],
    ['sub', { sub: 'ciso' }],
    ['may_act', { may_act: FORGED }],
  ])('A07 ignores a forged %s parameter', async (_, form) => {
    const { server, researcher } = stage
    const token = await stage.first()
    const claims = await expectGranted(server, () =>
      researcher.exchange(token, { audience: 'coder-a2a', ...form }),
    )
    expect(actorsOf(claims)).toEqual(await honest())
    expect(claims['act']).toEqual({
      sub: 'researcher',
      iss: server.issuer(),
      sub_profile: 'ai_agent',
      act: payloadOf(token)['act'],
    })
    expect(JSON.stringify(claims)).not.toContain('ciso')
  })

  test('A07 refuses authorization_details with an act', async () => {
    const { server, researcher } = stage
    const token = await stage.first()
    const details = JSON.stringify([{ type: 'x', act: { sub: 'ciso' } }])
    for (const value of [details, [details, details], '[]', '{}']) {
      await expectRefusal(server, { reason: 'authorization_details_unsupported' }, () =>
        researcher.exchange(token, { authorization_details: value }),
      )
    }
  })

  test('A07 ignores act in the client assertion and in the proof', async () => {
    const { server, researcher } = stage
    const token = await stage.first()
    const act = { sub: 'ciso' }
    const claims = await expectGranted(server, () =>
      researcher.exchange(token, { audience: 'coder-a2a' }, { assertion: { act }, proof: { act } }),
    )
    expect(actorsOf(claims)).toEqual(['researcher', 'planner'])
  })
})

describe('A08 act stripping by omission', () => {
  test('A08 a recipient is appended, with and without an actor token', async () => {
    const { server, coder } = stage
    const [second, own] = [await stage.second(), await stage.own(coder)]
    for (const form of [{}, actor(own)]) {
      const claims = await expectGranted(server, () =>
        coder.exchange(second, { ...form, audience: 'files-api' }),
      )
      expect(actorsOf(claims)).toEqual(['coder', 'researcher', 'planner'])
      expect(claims['act_bounds']['hops']).toHaveLength(3)
    }
  })

  test('A08 a holder keeps its levels, with and without an actor token', async () => {
    const { server, researcher } = stage
    const second = await stage.second()
    const own = await stage.own(researcher)
    for (const form of [{}, actor(own)]) {
      const claims = await expectGranted(server, () =>
        researcher.exchange(second, { ...form, audience: 'coder-a2a' }),
      )
      expect(actorsOf(claims)).toEqual(['researcher', 'planner'])
      expect(claims['act_bounds']['hops'].slice(1)).toEqual(
        payloadOf(second)['act_bounds']['hops'].slice(1),
      )
    }
  })

  test.each<[string, (own: string) => Parameters]>([
    ['actor_token without its type', (own) => ({ actor_token: own })],
    ['actor_token with an empty type', (own) => ({ actor_token: own, actor_token_type: '' })],
    ['actor_token_type without a token', () => ({ actor_token_type: ACCESS_TOKEN })],
    ['an empty actor_token', () => ({ actor_token: '', actor_token_type: ACCESS_TOKEN })],
  ])('A08 refuses %s', async (_, form) => {
    const { server, coder } = stage
    const [second, own] = [await stage.second(), await stage.own(coder)]
    await expectRefusal(server, { reason: 'actor_token_incomplete' }, () =>
      coder.exchange(second, form(own)),
    )
  })
})

const OTHER_TYPES = [
  'id_token',
  'refresh_token',
  'saml1',
  'saml2',
  'jwt',
  'unknown',
  'Access_Token',
]

test.each([
  ...OTHER_TYPES.map((type) => `urn:ietf:params:oauth:token-type:${type}`),
  'access_token',
  `${ACCESS_TOKEN} `,
  ACCESS_TOKEN.toUpperCase(),
  'urn:ietf:params:oauth:token-type:txn_token',
])('A09 refuses requested_token_type %s', async (type) => {
  const { server, coder } = stage
  const second = await stage.second()
  await expectRefusal(server, { reason: 'requested_token_type_unsupported' }, () =>
    coder.exchange(second, { requested_token_type: type }),
  )
})

test.each([
  ...OTHER_TYPES.filter((type) => !['id_token', 'jwt'].includes(type)).map(
    (type) => `urn:ietf:params:oauth:token-type:${type}`,
  ),
  'access_token',
])('A09 refuses subject_token_type and actor_token_type %s', async (type) => {
  const { server, coder } = stage
  const second = await stage.second()
  const own = await stage.own(coder)
  const reason = 'token_type_unsupported'
  await expectRefusal(server, { reason, guard: 'subject_token_type' }, () =>
    coder.exchange(second, { subject_token_type: type }),
  )
  await expectRefusal(server, { reason, guard: 'actor_token_type' }, () =>
    coder.exchange(second, { ...actor(own), actor_token_type: type }),
  )
})

describe('A10 foreign chain import', () => {
  const chain = { sub: 'ciso', iss: PARTNER }

  test.each<[string, Record<string, unknown>]>([
    ['act', { act: chain }],
    ['an empty act', { act: {} }],
    ['act null', { act: null }],
    ['act_bounds', { act_bounds: { v: 1 } }],
    ['act and act_bounds', { act: chain, act_bounds: null }],
  ])('A10 refuses a foreign token with %s', async (_, claims) => {
    const { server, planner } = stage
    const expected = { reason: 'subject_token_unacceptable', guard: 'foreign_chain' } as const
    const idToken = server.idToken('alice', 'planner', claims)
    await expectRefusal(server, expected, () => planner.open(idToken))
    const token = stage.partnerToken(claims)
    const subject_token_type = 'urn:ietf:params:oauth:token-type:jwt'
    await expectRefusal(server, expected, () => planner.exchange(token, { subject_token_type }))
  })

  test.each<[string, Record<string, unknown>]>([
    ['cnf', { cnf: { jkt: 'A'.repeat(43) } }],
    ['scope', { scope: 'pay:transfer admin' }],
    ['task and txn', { task: 't1', txn: 'stolen' }],
    ['tenant', { tenant: 'globex' }],
    ['client_id', { client_id: 'ciso' }],
    ['status', { status: { status_list: { idx: 1, uri: 'https://evil.example' } } }],
    ['roles and groups', { roles: ['admin'], groups: ['admin'], sub_profile: 'admin' }],
  ])('A10 believes nothing of a foreign %s', async (_, claims) => {
    const { server, planner } = stage
    const form = { audience: 'researcher-a2a' }
    const plain = await expectGranted(server, () => planner.open(server.idToken(), form))
    const dressed = await expectGranted(server, () =>
      planner.open(server.idToken('alice', 'planner', claims), form),
    )
    expect(withoutIds(dressed)).toEqual(withoutIds(plain))
  })

  test('A10 names a foreign subject under its issuer, with the scopes its trust rule names', async () => {
    const { server, planner } = stage
    const claims = await expectGranted(server, () =>
      planner.exchange(stage.partnerToken({ scope: 'files:write' }), {
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        audience: 'researcher-a2a',
      }),
    )
    expect(claims).toMatchObject({ sub: 'partner:alice', scope: 'files:read mail:send' })
    expect(actorsOf(claims)).toEqual(['planner'])
  })
})

describe('A11 may_act bypass', () => {
  test.each<[string, unknown, string]>([
    ['another agent', { sub: 'researcher' }, 'may_act_mismatch'],
    ['nobody', {}, 'may_act_names_nobody'],
    ['a list', [], 'may_act_malformed'],
    ['a list of the caller', [{ sub: 'planner' }], 'may_act_malformed'],
    ['null', null, 'may_act_malformed'],
    ['a wildcard', '*', 'may_act_malformed'],
    ['true', true, 'may_act_malformed'],
    ['a wildcard subject', { sub: '*' }, 'may_act_mismatch'],
    ['a list of subjects', { sub: ['planner'] }, 'may_act_mismatch'],
    ['the right sub of a wrong iss', { sub: 'planner', iss: PARTNER }, 'may_act_mismatch'],
    [
      'the right sub of another client_id',
      { sub: 'planner', client_id: 'coder' },
      'may_act_mismatch',
    ],
    ['an issuer alone', { iss: 'https://idp.example' }, 'may_act_names_nobody'],
    ['a member nobody knows', { sub: 'planner', role: 'any' }, 'may_act_unknown_member'],
    ['a case variant', { sub: 'Planner' }, 'may_act_mismatch'],
  ])('A11 refuses may_act that is %s', async (_, may_act, guard) => {
    const { server, planner } = stage
    const idToken = server.idToken('alice', 'planner', { may_act })
    await expectRefusal(server, { reason: 'may_act_mismatch', guard }, () => planner.open(idToken))
  })

  test('A11 takes may_act that names the caller in each of its members', async () => {
    const { server, planner } = stage
    const may_act = {
      sub: 'planner',
      iss: 'https://idp.example',
      client_id: 'planner',
      exp: 1,
      aud: 'x',
    }
    await expectGranted(server, () => planner.open(server.idToken('alice', 'planner', { may_act })))
  })
})

test('A12 issues no may_act, whatever is asked', async () => {
  const { server, planner, researcher } = stage
  const may_act = JSON.stringify({ sub: 'rogue' })
  const idToken = server.idToken('alice', 'planner', { may_act: { sub: 'planner' } })
  const first = await planner.open(idToken, { audience: 'researcher-a2a', may_act })
  expect(payloadOf(tokenOf(first))).not.toHaveProperty('may_act')
  const claims = await expectGranted(server, () =>
    researcher.exchange(tokenOf(first), { audience: 'coder-a2a', may_act }),
  )
  expect(claims).not.toHaveProperty('may_act')
})

test('A13 an earlier actor opens no target to the current one', async () => {
  const { server, researcher, coder, rogue } = stage
  const idToken = server.idToken('alice', 'researcher')
  const first = tokenOf(await researcher.open(idToken, { audience: 'coder-a2a' }))
  const second = tokenOf(await coder.exchange(first, { audience: 'rogue-a2a' }))
  expect(actorsOf(payloadOf(second))).toEqual(['coder', 'researcher'])
  // files-api: within the task, open to coder and researcher, closed to rogue.
  const expected = { reason: 'target_not_permitted', guard: /^target_/ } as const
  await expectRefusal(server, expected, () => rogue.exchange(second, { audience: 'files-api' }))
})

test('A14 no token for somebody else than the client is without act', async () => {
  const { server, planner, researcher, coder } = stage
  const idToken = server.idToken()
  const own = await stage.own(planner)
  const first = await stage.first()
  const second = await stage.second()
  const away = tokenOf(
    await planner.token({ grant_type: 'client_credentials', audience: 'researcher-a2a' }),
  )
  const sends = [
    () => planner.open(idToken),
    () => planner.open(idToken, actor(own)),
    () => planner.exchange(first),
    () => researcher.exchange(first),
    () => coder.exchange(second),
    () => researcher.exchange(away),
    () => planner.token({ grant_type: 'client_credentials' }),
  ]
  for (const send of sends) {
    const claims = await expectGranted(server, send)
    const { sub, client_id: client } = claims
    expect(actorsOf(claims)[0]).toBe(sub === client ? undefined : client)
    expect(actorsOf(claims)).not.toContain(sub)
  }
})

describe('A15 routing by the token, never by what was sent', () => {
  const OPTIONAL = [
    'actor_token',
    'actor_token_type',
    'audience',
    'resource',
    'scope',
    'requested_token_type',
    'authorization_details',
  ] as const
  const subsets = Array.from({ length: 128 }, (_, bits) =>
    OPTIONAL.filter((_name, at) => (bits & (1 << at)) !== 0),
  )

  test('A15 no subset of the optional parameters gives more than all of them', async () => {
    const { server, researcher } = stage
    const first = await stage.first()
    const parent = payloadOf(first)
    const full: Record<string, string> = {
      actor_token: await stage.own(researcher),
      actor_token_type: ACCESS_TOKEN,
      audience: 'coder-a2a',
      resource: 'https://coder.agents/a2a',
      scope: 'files:read files:write',
      requested_token_type: ACCESS_TOKEN,
      authorization_details: '[]',
    }
    for (const names of subsets) {
      const has = (name: (typeof OPTIONAL)[number]): boolean => names.includes(name)
      const form = Object.fromEntries(names.map((name) => [name, full[name]]))
      const send = () => researcher.exchange(first, form)
      if (has('authorization_details')) {
        await expectRefusal(server, { reason: 'authorization_details_unsupported' }, send)
      } else if (has('actor_token') !== has('actor_token_type')) {
        await expectRefusal(server, { reason: 'actor_token_incomplete' }, send)
      } else {
        expectNoMore(await expectGranted(server, send), parent, 'researcher')
      }
    }
  })

  test('A15 the same for a user token with may_act', async () => {
    const { server, planner } = stage
    const full: Record<string, string> = {
      actor_token: await stage.own(planner),
      actor_token_type: ACCESS_TOKEN,
      audience: 'researcher-a2a',
      resource: 'https://researcher.agents/a2a',
      scope: 'files:read',
      requested_token_type: ACCESS_TOKEN,
      authorization_details: '[]',
    }
    for (const names of subsets) {
      const form = Object.fromEntries(names.map((name) => [name, full[name]]))
      const elsewhere = server.idToken('alice', 'planner', { may_act: { sub: 'researcher' } })
      const refused = await planner.open(elsewhere, form)
      expect(refused.status, names.join()).toBe(400)
      const named = server.idToken('alice', 'planner', { may_act: { sub: 'planner' } })
      const answer = await planner.open(named, form)
      const isPair = names.includes('actor_token') === names.includes('actor_token_type')
      expect(answer.status).toBe(isPair && !names.includes('authorization_details') ? 200 : 400)
      if (answer.status === 200) expect(actorsOf(payloadOf(tokenOf(answer)))).toEqual(['planner'])
    }
  })
})

function expectNoMore(child: Claims, parent: Claims, caller: string): void {
  expect(actorsOf(child)).toEqual([caller, ...actorsOf(parent)])
  expect(child['sub']).toBe(parent['sub'])
  expect(child['txn']).toBe(parent['txn'])
  expect(child['act_bounds']['root']).toEqual(parent['act_bounds']['root'])
  expect(child['act_bounds']['hops'].slice(1)).toEqual(parent['act_bounds']['hops'])
  expect(parent['scope'].split(' ')).toEqual(expect.arrayContaining(child['scope'].split(' ')))
  expect(child['exp']).toBeLessThanOrEqual(parent['exp'])
  expect(child).not.toHaveProperty('may_act')
}

/** Claims with what differs between any two tokens of one shape taken out. */
function withoutIds(claims: Claims): Claims {
  const { root, hops } = claims['act_bounds']
  const own = { jti: '', txn: '', iat: 0, exp: 0, status: '', auth_time: 0 }
  return {
    ...claims,
    ...own,
    act_bounds: {
      root: { ...root, jti: '', idx: 0, iat: 0, exp: root.exp - root.iat },
      hops: hops.map((hop: object) => ({ ...hop, jti: '', idx: 0 })),
    },
  }
}
