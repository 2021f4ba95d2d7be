/** Threats M: what is cheap to refuse is refused before what is expensive to check. Work is counted, never timed. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Answer } from '../support/agent-client.ts'
import { newKey, payloadOf } from '../support/signing.ts'
import { type Stage, setStage, TRUST_DOMAIN } from './fixture.ts'
import { OWN_WORK, POSITIONS, type PositionName } from './positions.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

type Members = Readonly<Record<string, unknown>>

let stage: Stage
let first: string
beforeAll(async () => {
  stage = await setStage()
  first = await stage.first()
})
afterAll(() => stage.close())
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
})

/** Counts signature checks of this process, by either of its two libraries; they still happen. */
function countVerifications(): () => number {
  const sync = vi.spyOn(crypto, 'verify')
  const web = vi.spyOn(globalThis.crypto.subtle, 'verify')
  syncBuiltinESMExports()
  // Once a second the server reads its own last checkpoint, which is nobody's request.
  const asked = () => web.mock.calls.filter(([algorithm]) => algorithm !== 'Ed25519')
  return () => sync.mock.calls.length + asked().length
}

async function verificationsOf(send: () => Promise<Answer>): Promise<number> {
  const count = countVerifications()
  await send()
  return count()
}

/** Authentication alone: one signature. */
const AUTHENTICATION = 1

describe('M02 expensive checks come last', () => {
  test('M02 an honest exchange is counted: assertion, proof and subject token', async () => {
    const count = countVerifications()
    await expectGranted(stage.server, () => stage.researcher.exchange(first))
    expect(count()).toBe(3)
  })

  test.each([
    ['an unknown client', { sub: 'nobody', iss: 'nobody' }],
    ['another iss', { iss: 'coder' }],
    ['a foreign audience', { aud: 'https://evil.example' }],
    ['no jti', { jti: undefined }],
    ['no exp', { exp: undefined }],
  ])('M02 an assertion with %s costs at most one signature check', async (_, assertion) => {
    const count = countVerifications()
    await expectRefusal(stage.server, { reason: 'client_authentication_failed' }, () =>
      stage.planner.exchange(first, {}, { assertion }),
    )
    expect(count()).toBeLessThanOrEqual(AUTHENTICATION)
  })

  test.each<[PositionName, number, string, Members]>([
    ['a JWT-SVID', 1, 'an id nobody has', { sub: `spiffe://${TRUST_DOMAIN}/agents/nobody` }],
    ['a JWT-SVID', 1, 'an unknown trust domain', { sub: 'spiffe://evil.example/agents/courier' }],
    ['a JWT-SVID', 0, 'a foreign audience', { aud: 'https://evil.example' }],
    ['a JWT-SVID', 0, 'a subject of another form', { sub: 'courier' }],
    ['a token of a platform', 1, 'another workload', { sub: 'builder-1' }],
    ['a token of a platform', 0, 'a foreign audience', { aud: 'https://evil.example' }],
    ['a token of a platform', 0, 'no exp', { exp: undefined }],
  ])('M02 and E11 %s costs %i signature checks with %s', async (name, checks, _, claims) => {
    const { reason, make } = POSITIONS[name]
    const { header, payload, sign, send } = await make(stage)
    const text = await sign(header, { ...payload, ...claims })
    const count = countVerifications()
    await expectRefusal(stage.server, { reason }, () => send(text))
    expect(count()).toBe(checks)
  })

  test('M02 a flood of assertions for random clients makes one check each and no record', async () => {
    const { server, planner } = stage
    const count = countVerifications()
    for (let at = 0; at < 10; at++) {
      const assertion = { sub: `random-${at}`, iss: `random-${at}` }
      await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
        planner.token(OWN_WORK, { assertion }),
      )
    }
    expect(count()).toBeLessThanOrEqual(10)
  })

  test.each<[string, Record<string, unknown>]>([
    [
      'an RSA key of 16k bits',
      { alg: 'RS256', jwk: { kty: 'RSA', n: 'u'.repeat(2731), e: 'AQAB' } },
    ],
    [
      'a huge exponent',
      { alg: 'RS256', jwk: { kty: 'RSA', n: 'u'.repeat(342), e: 'u'.repeat(342) } },
    ],
    [
      'an RSA key of 1024 bits',
      { alg: 'RS256', jwk: { kty: 'RSA', n: 'u'.repeat(171), e: 'AQAB' } },
    ],
    ['an unknown curve', { jwk: { kty: 'EC', crv: 'P-521', x: 'AA', y: 'AA' } }],
    ['an unknown alg', { alg: 'ES512' }],
    ['another typ', { typ: 'JWT' }],
  ])('M02 a proof with %s is refused without a check of its signature', async (_, proofHeader) => {
    const count = countVerifications()
    await expectRefusal(stage.server, { reason: 'proof_invalid' }, () =>
      stage.planner.token(OWN_WORK, { proofHeader }),
    )
    expect(count()).toBe(AUTHENTICATION)
  })

  test.each<[string, Record<string, unknown>]>([
    ['htu of another server', { htu: 'https://evil.example/token' }],
    ['an old iat', { iat: 1 }],
    ['no jti', { jti: undefined }],
  ])('M02 a proof with %s is refused without a check of its signature', async (_, proof) => {
    const count = countVerifications()
    await expectRefusal(stage.server, { reason: 'proof_invalid' }, () =>
      stage.planner.token(OWN_WORK, { proof }),
    )
    expect(count()).toBe(AUTHENTICATION)
  })

  test('M02 subject tokens of no key and no issuer of ours are refused without a check', async () => {
    const { researcher, planner, server } = stage
    const withProof = AUTHENTICATION + 1
    const stranger = { alg: 'ES256', typ: 'at+jwt', kid: 'no-such-key' }
    const token = await stage.signAsTenant(stranger, { sub: 'alice' })
    expect(await verificationsOf(() => researcher.exchange(token))).toBe(withProof)
    vi.restoreAllMocks()
    const foreign = server.idToken('alice', 'planner', { iss: 'https://evil.example' })
    expect(await verificationsOf(() => planner.open(foreign))).toBe(withProof)
    vi.restoreAllMocks()
    expect(await verificationsOf(() => researcher.exchange('x'.repeat(20_000)))).toBe(
      AUTHENTICATION,
    )
  })

  test('M03 junk in a victim\u2019s name spends none of its ids', async () => {
    const { server, planner } = stage
    const jti = 'an-id-planner-will-use'
    for (let at = 0; at < 5; at++) {
      await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
        planner.token(OWN_WORK, { assertion: { jti }, assertionKey: newKey() }),
      )
    }
    await expectGranted(server, () => planner.token(OWN_WORK, { assertion: { jti } }))
  })
})

describe('M04 bounded inputs', () => {
  const LONG = 40_000

  test.each([
    ['scope', 's'.repeat(LONG), 'scope_malformed'],
    ['scope', 's '.repeat(LONG / 2), 'scope_malformed'],
    ['scope', ' '.repeat(LONG), 'scope_malformed'],
    ['resource', `https://${'a'.repeat(LONG)}.api`, 'target_malformed'],
    ['resource', `${'a-'.repeat(LONG / 2)}:x`, 'target_malformed'],
    ['audience', 'a'.repeat(LONG), 'target_not_permitted'],
    ['purpose', 'p'.repeat(LONG), 'purpose_malformed'],
    ['purpose', 'a\nb', 'purpose_malformed'],
    ['purpose', '\u2028', 'purpose_malformed'],
    ['task_type', 't'.repeat(LONG), 'task_type_not_permitted'],
    ['requested_token_type', 'r'.repeat(LONG), 'requested_token_type_unsupported'],
    ['subject_token_type', 't'.repeat(LONG), 'token_type_unsupported'],
    ['actor_token_type', 't'.repeat(LONG), 'actor_token_incomplete'],
  ] as const)('M04 refuses a %s of 40 KB', async (name, value, reason) => {
    const { server, researcher } = stage
    await expectRefusal(server, { reason }, () => researcher.exchange(first, { [name]: value }))
  })

  test.each([
    ['scope', 's'.repeat(LONG)],
    ['purpose', 'p'.repeat(LONG)],
    ['task_type', 't'.repeat(LONG)],
  ])(
    'M04 a %s of 40 KB is refused before proof and subject token are checked',
    async (name, value) => {
      const { researcher } = stage
      const count = await verificationsOf(() => researcher.exchange(first, { [name]: value }))
      expect(count).toBe(AUTHENTICATION)
    },
  )

  test.each(['scope', 'resource', 'purpose', 'client_assertion', 'grant_type'])(
    'M04 a body of 100 KB with a long %s costs no check at all',
    async (name) => {
      const { server, researcher } = stage
      const count = countVerifications()
      await expectRefusal(server, { reason: 'request_too_large' }, () =>
        researcher.exchange(first, { [name]: 'x'.repeat(100_000) }),
      )
      expect(count()).toBe(0)
    },
  )

  test('M04 a User-Agent of 100 KB is refused by the HTTP parser, one of 8 KB is nobody\u2019s business', async () => {
    const { server, planner } = stage
    const long = { 'user-agent': 'x'.repeat(100_000) }
    const status = await planner.token(OWN_WORK, { headers: long }).then((answer) => answer.status)
    expect(status).toBe(431)
    const headers = { 'user-agent': '('.repeat(8000) }
    await expectGranted(server, () => planner.token(OWN_WORK, { headers }))
  })
})

describe('O06 confused record types', () => {
  test('O06 one id is an assertion\u2019s, a proof\u2019s and a second client\u2019s, each once', async () => {
    const { server, planner, coder } = stage
    const jti = 'the-same-everywhere'
    await expectGranted(server, () =>
      planner.token(OWN_WORK, { assertion: { jti }, proof: { jti } }),
    )
    await expectGranted(server, () => coder.token(OWN_WORK, { assertion: { jti }, proof: { jti } }))
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      planner.token(OWN_WORK, { assertion: { jti } }),
    )
    await expectRefusal(server, { reason: 'proof_replayed' }, () =>
      planner.token(OWN_WORK, { proof: { jti } }),
    )
  })

  test('O06 an id of a token, a task or a list is not spent by a replay claim, and spends none', async () => {
    const { server, planner, researcher } = stage
    const { jti, txn, act_bounds: bounds } = payloadOf(first)
    for (const id of [jti, txn, bounds['root']['jti'], 'client_assertion', 'dpop_proof', 'acme']) {
      const overrides = { assertion: { jti: id }, proof: { jti: id } }
      await expectGranted(server, () => planner.token(OWN_WORK, overrides))
    }
    await expectGranted(server, () => researcher.exchange(first))
  })

  test('O06 a task\u2019s id in the place of a token\u2019s, and the root\u2019s in the place of a hop\u2019s, is on no record', async () => {
    const { server, researcher } = stage
    const confusions: ((claims: ReturnType<typeof payloadOf>) => void)[] = [
      (claims) => Object.assign(claims, { txn: claims['jti'] }),
      (claims) => {
        claims['act_bounds']['hops'][0]['jti'] = claims['txn']
        claims['jti'] = claims['txn']
      },
      (claims) => {
        const { root, hops } = claims['act_bounds']
        const { jti } = claims
        claims['jti'] = root['jti']
        hops[0]['jti'] = root['jti']
        root['jti'] = jti
      },
    ]
    for (const confuse of confusions) {
      const claims = payloadOf(first)
      confuse(claims)
      const token = await stage.signAsTenant(stage.tokenHeader(), claims)
      await expectRefusal(server, { reason: 'subject_token_revoked' }, () =>
        researcher.exchange(token),
      )
      expect((await researcher.introspect(token)).text).toBe('{"active":false}')
    }
  })

  test('O06 ids are no tokens: not to exchange, not to introspect, not to revoke', async () => {
    const { server, planner, researcher } = stage
    const { jti, txn } = payloadOf(first)
    for (const id of [String(jti), String(txn)]) {
      await expectRefusal(server, { reason: 'subject_token_unacceptable' }, () =>
        planner.exchange(id),
      )
      expect((await planner.introspect(id)).text).toBe('{"active":false}')
      expect((await planner.revoke(id)).status).toBe(200)
    }
    await expectGranted(server, () => researcher.exchange(first))
  })
})
