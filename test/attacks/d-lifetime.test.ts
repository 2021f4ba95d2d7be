/** Threats D: nothing outlives what it came from, and nothing is deeper than its task. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Parameters } from '../support/agent-client.ts'
import { epoch, payloadOf, signJwt } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { actorsOf, expectGranted, expectRefusal } from './refusal.ts'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
})
afterEach(() => {
  vi.useRealTimers()
})

const setClock = (seconds: number): void => {
  vi.setSystemTime(seconds * 1000)
}

describe('D01 the ladder', () => {
  test('D01 twenty holder exchanges, each in the last second, end with the task', async () => {
    const { server, planner } = stage
    const home = tokenOf(await planner.open(server.idToken(), { audience: 'planner-a2a' }))
    const end = payloadOf(home)['act_bounds']['root']['exp']
    let token = home
    for (let rung = 0; rung < 20; rung++) {
      const parent = payloadOf(token)
      setClock(parent['exp'] - 1)
      const claims = await expectGranted(server, async () => {
        const answer = await planner.exchange(token, { audience: 'planner-a2a' })
        token = tokenOf(answer)
        return answer
      })
      expect(claims['exp']).toBeLessThanOrEqual(parent['exp'])
      expect(claims['exp']).toBeLessThanOrEqual(end)
    }
    setClock(payloadOf(token)['exp'])
    await expectRefusal(server, { reason: 'task_ended' }, () => planner.exchange(token))
  })

  test('D01 short tokens in a line: each ends with its parent at the latest', async () => {
    const { server, planner, researcher, coder } = stage
    const first = tokenOf(await planner.open(server.idToken(), { audience: 'researcher-a2a' }))
    const line = [payloadOf(first)]
    setClock(line[0]?.['exp'] - 1)
    const second = tokenOf(await researcher.exchange(first, { audience: 'coder-a2a' }))
    const third = tokenOf(await coder.exchange(second, { audience: 'files-api' }))
    line.push(payloadOf(second), payloadOf(third))
    for (const [at, { exp }] of line.entries()) {
      expect(exp).toBeLessThanOrEqual(line[at - 1]?.['exp'] ?? exp)
      expect(exp).toBeLessThanOrEqual(line[0]?.['act_bounds']['root']['exp'])
    }
    setClock(line[0]?.['exp'])
    const expired = { reason: 'subject_token_expired' } as const
    await expectRefusal(server, expired, () => planner.exchange(first, { audience: 'coder-a2a' }))
    await expectRefusal(server, expired, () => researcher.exchange(first))
    await expectRefusal(server, expired, () => coder.exchange(second))
  })

  test('D01 re-exchanging children never moves the end of the first token', async () => {
    const { server, planner } = stage
    const first = tokenOf(await planner.open(server.idToken(), { audience: 'researcher-a2a' }))
    const { exp } = payloadOf(first)
    let token = first
    for (let rung = 0; rung < 20; rung++) {
      setClock(epoch() + 14)
      token = tokenOf(await planner.exchange(token, { audience: 'researcher-a2a' }))
      expect(payloadOf(token)['exp']).toBe(exp)
    }
  })
})

describe('D02 an asked-for lifetime', () => {
  const FAR = '4102444800'
  test.each<[string, Parameters]>([
    ['expires_in', { expires_in: FAR }],
    ['requested_ttl', { requested_ttl: FAR }],
    ['exp', { exp: FAR }],
    ['lifetime', { lifetime: FAR }],
    ['requested_expiry', { requested_expiry: FAR }],
    ['not_after', { not_after: '2100-01-01T00:00:00Z' }],
  ])('D02 ignores %s', async (_, form) => {
    const { server, planner } = stage
    const claims = await expectGranted(server, () =>
      planner.open(server.idToken(), { audience: 'researcher-a2a', ...form }),
    )
    expect(claims['exp'] - claims['iat']).toBe(300)
    expect(claims['act_bounds']['root']['exp'] - claims['iat']).toBe(600)
  })

  test('D02 refuses details with dates, and takes no date from assertion or proof', async () => {
    const { server, planner } = stage
    const authorization_details = JSON.stringify([{ type: 'x', expires_at: FAR }])
    await expectRefusal(server, { reason: 'authorization_details_unsupported' }, () =>
      planner.open(server.idToken(), { authorization_details }),
    )
    const claims = await expectGranted(server, () =>
      planner.open(
        server.idToken(),
        { audience: 'researcher-a2a' },
        { assertion: { token_exp: FAR }, proof: { exp: 4_102_444_800 } },
      ),
    )
    expect(claims['exp'] - claims['iat']).toBe(300)
  })

  test('D02 a user token that lives for years opens a task of minutes', async () => {
    const { server, planner } = stage
    const idToken = server.idToken('alice', 'planner', { exp: 4_102_444_800 })
    const claims = await expectGranted(server, () =>
      planner.open(idToken, { audience: 'researcher-a2a' }),
    )
    expect(claims['act_bounds']['root']['exp'] - claims['iat']).toBe(600)
  })
})

describe('D03 long life by a side door', () => {
  test('D03 refuses offline_access, and never answers with a refresh token', async () => {
    const { server, planner } = stage
    await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
      planner.open(server.idToken(), { scope: 'files:read offline_access' }),
    )
    // expectGranted asserts the whole body: there is no refresh_token in it.
    await expectGranted(server, () => planner.open(server.idToken(), { access_type: 'offline' }))
  })

  test.each([
    'refresh_token',
    'authorization_code',
    'password',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:openid:params:grant-type:ciba',
    'implicit',
    'constructor',
  ])('D03 refuses the grant %s', async (grant_type) => {
    const { server, planner } = stage
    const token = await stage.first()
    const form = { grant_type, refresh_token: token, assertion: token, code: token }
    await expectRefusal(server, { reason: 'grant_unsupported' }, () => planner.token(form))
  })

  test('D03 after the task nothing of it is exchanged, and the user token opens a new one', async () => {
    const { server, planner, researcher } = stage
    const idToken = server.idToken('alice', 'planner', { exp: epoch() + 3600 })
    const home = tokenOf(await planner.open(idToken, { audience: 'planner-a2a' }))
    const first = tokenOf(await planner.exchange(home, { audience: 'researcher-a2a' }))
    const { root } = payloadOf(home)['act_bounds']
    setClock(root['exp'])
    await expectRefusal(server, { reason: 'task_ended' }, () => planner.exchange(home))
    await expectRefusal(server, { reason: 'task_ended' }, () => researcher.exchange(first))
    const next = await expectGranted(server, () => planner.open(idToken))
    expect(next['txn']).not.toBe(payloadOf(home)['txn'])
  })
})

test('D04 refuses the fourth agent where three are the most', async () => {
  const { server, planner, researcher, coder, rogue } = stage
  const idToken = server.idToken('alice', 'researcher')
  const first = tokenOf(await researcher.open(idToken, { audience: 'coder-a2a' }))
  const second = tokenOf(await coder.exchange(first, { audience: 'rogue-a2a' }))
  const third = tokenOf(await rogue.exchange(second, { audience: 'planner-a2a' }))
  expect(actorsOf(payloadOf(third))).toEqual(['rogue', 'coder', 'researcher'])
  for (const form of [{}, { audience: 'files-api' }, { scope: 'files:read' }]) {
    await expectRefusal(server, { reason: 'chain_too_long' }, () => planner.exchange(third, form))
  }
  // A token more in the same place is no hop deeper.
  const again = await expectGranted(server, () =>
    rogue.exchange(third, { audience: 'planner-a2a' }),
  )
  expect(again['act_bounds']['hops']).toHaveLength(3)
})

describe('D05 malformed chains', () => {
  const deep = (levels: number): string => `${'{"act":'.repeat(levels)}{}${'}'.repeat(levels)}`
  const CHAINS: readonly [string, string][] = [
    ['a list', '[]'],
    ['a list of actors', '[{"sub":"planner"}]'],
    ['a string', '"planner"'],
    ['null', 'null'],
    ['a number', '7'],
    ['true', 'true'],
    ['an empty object', '{}'],
    ['an object without sub', '{"iss":"ISSUER"}'],
    ['an object with an empty sub', '{"sub":"","iss":"ISSUER"}'],
    ['a numeric sub', '{"sub":1,"iss":"ISSUER"}'],
    ['a list as sub', '{"sub":["planner"],"iss":"ISSUER"}'],
    ['an actor of another issuer', '{"sub":"planner","iss":"https://evil.example"}'],
    ['an actor without issuer', '{"sub":"planner"}'],
    ['an act within that is a string', '{"sub":"planner","iss":"ISSUER","act":"x"}'],
    ['an act within that is null', '{"sub":"planner","iss":"ISSUER","act":null}'],
    [
      'a level more than hops',
      '{"sub":"planner","iss":"ISSUER","act":{"sub":"coder","iss":"ISSUER"}}',
    ],
    ['an unknown member', '{"sub":"planner","iss":"ISSUER","aud":"x"}'],
    ['18 levels', deep(18)],
    ['1000 levels', deep(1000)],
  ]

  test.each(CHAINS)('D05 refuses a foreign subject token whose act is %s', async (_, act) => {
    const { server, planner } = stage
    const claims = JSON.stringify(payloadOf(server.idToken())).slice(0, -1)
    const header = { alg: 'ES256', kid: 'idp-1', typ: 'JWT' }
    const token = signJwt(server.idpKey, header, `${claims},"act":${act}}`)
    const expected = {
      reason: 'subject_token_unacceptable',
      guard: /^(foreign_chain|token_malformed)$/,
    } as const
    await expectRefusal(server, expected, () => planner.open(token))
  })

  test.each(CHAINS)(
    'D05 refuses a token signed by the tenant itself whose act is %s',
    async (_, act) => {
      const { server, researcher } = stage
      const { act: _act, ...claims } = payloadOf(await stage.first())
      const text = `${JSON.stringify(claims).slice(0, -1)},"act":${act.replaceAll('ISSUER', server.issuer())}}`
      const token = await stage.signAsTenant(stage.tokenHeader(), text)
      await expectRefusal(server, { reason: 'subject_token_unacceptable' }, () =>
        researcher.exchange(token),
      )
    },
  )

  test.each<[string, string]>([
    ['10 000 levels', deep(10_000)],
    ['a sub of one megabyte', `{"sub":"${'x'.repeat(1 << 20)}"}`],
  ])('D05 refuses an act of %s unread', async (_, act) => {
    const { server, researcher } = stage
    const { act: _act, ...claims } = payloadOf(await stage.first())
    const text = `${JSON.stringify(claims).slice(0, -1)},"act":${act}}`
    const token = await stage.signAsTenant(stage.tokenHeader(), text)
    await expectRefusal(server, { reason: 'request_too_large' }, () => researcher.exchange(token))
  })
})
