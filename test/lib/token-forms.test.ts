/** What a token may look like and still be one, and what a verifier with revocation asks and reports of it. */
import { beforeAll, describe, expect, test } from 'vitest'
import { VerificationError } from '../../lib/src/errors.ts'
import type { RevocationCheck, StatusReference } from '../../lib/src/revocation.ts'
import { TextCache } from '../../lib/src/text-cache.ts'
import { aProof, ISSUER, NOW, signToken } from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'

let f: Fixture
beforeAll(async () => {
  f = await aFixture()
})

describe('claims about the sign-in', () => {
  test.each([
    [{ acr: 'urn:acr', amr: ['pwd', 'otp'], auth_time: 0, sub_profile: 'user' }, 'accepted'],
    [{ amr: [] }, 'accepted'],
    [{ amr: ['pwd', 1] }, 'claim_malformed'],
    [{ amr: [1] }, 'claim_malformed'],
    [{ amr: 'pwd' }, 'claim_malformed'],
    [{ acr: 1 }, 'claim_malformed'],
    [{ sub_profile: 1 }, 'claim_malformed'],
    [{ auth_time: '0' }, 'claim_malformed'],
    [{ nbf: NOW }, 'accepted'],
  ])('%j: %s', async (more, expected) => {
    expect(await f.outcome({ ...f.claims(), ...more })).toBe(expected)
  })
})

describe('the header', () => {
  test.each([
    [{ typ: undefined }, 'token_type_wrong'],
    [{ typ: 'xat+jwt' }, 'token_type_wrong'],
    [{ typ: 'at+jwtx' }, 'token_type_wrong'],
    [{ typ: 'application/at+jwt' }, 'accepted'],
    [{ kid: 'x'.repeat(256) }, 'key_unknown'],
    [{ kid: 'x'.repeat(257) }, 'token_malformed'],
  ])('%j: %s', async (header, expected) => {
    expect(await f.outcome(f.claims(), header)).toBe(expected)
  })
})

test('keys that cannot be had are an outage, not a bad token', async () => {
  const verifier = f.with({ fetch: () => Promise.reject(new Error('down')) })
  expect(await f.outcome(f.claims(), {}, verifier)).toBe('keys_unavailable')
})

describe('revocation', () => {
  const asked: { readonly reference: StatusReference; readonly scope: readonly string[] }[] = []
  let closed = 0
  const verifierOf = (check: () => number | Promise<number>) =>
    f.with({
      revocation: (): RevocationCheck => ({
        check: (reference, scope) => {
          asked.push({ reference, scope })
          return check()
        },
        close: () => void (closed += 1),
      }),
    })

  test('is asked of the root and of every hop, for the scope of the route', async () => {
    expect(
      await f.outcome(
        f.claims(),
        {},
        verifierOf(() => 3),
      ),
    ).toBe('accepted')
    expect(asked.pop()).toMatchObject({
      reference: { uri: `${ISSUER}/status/g1-7`, indexes: [48_210, 48_213, 48_212, 48_211] },
      scope: ['ledger:propose'],
    })
  })

  test.each([
    ['at once', () => 3],
    ['later', async () => 3],
  ])('is reported with its age, known %s', async (_, check) => {
    const token = await signToken(f.issuerKey, f.claims())
    const presented = {
      token,
      proof: await aProof(f.agentKey, { token }),
      method: 'GET',
      url: URL_CALLED,
      scheme: 'DPoP',
    } as const
    const report = await verifierOf(check).verify(presented, NEED)
    expect(report).toMatchObject({ revocation: 'checked', ages: { status: 3 } })
    const unchecked = await f.verifier.verify(presented, NEED)
    expect(unchecked).toMatchObject({ revocation: 'not_checked', ages: { status: undefined } })
  })

  test('that says no is the refusal', async () => {
    const refuse = () => Promise.reject(new VerificationError('token_revoked'))
    expect(await f.outcome(f.claims(), {}, verifierOf(refuse))).toBe('token_revoked')
  })

  test('ends with the verifier, and a verifier without any ends too', () => {
    verifierOf(() => 0).close()
    expect(closed).toBe(1)
    f.verifier.close()
  })
})

test('a route that asks for nothing, or for two things, is a mistake', async () => {
  const token = await signToken(f.issuerKey, f.claims())
  const presented = { token, method: 'GET', url: URL_CALLED }
  for (const need of [
    undefined,
    {},
    { scope: '' },
    { scope: 1 },
    { scope: 'a', handover: true },
    { handover: 'yes' },
    { scope: 'a', delegated: false },
  ])
    await expect(f.verifier.verify(presented, need as never)).rejects.toThrow(TypeError)
  expect(await reasonOf(f.verifier.verify({ ...presented, token: 1 as never }, NEED))).toBe(
    'token_missing',
  )
})

describe('what is remembered', () => {
  test('is found by its whole text, the least recently used leaves first', () => {
    const cache = new TextCache<number>(2)
    const long = (name: string, start = 'x') => start.repeat(40) + name.repeat(16)
    for (const [at, name] of ['a', 'b', 'a'].entries()) cache.keep(long(name), at)
    expect(cache.find(long('a'))).toBe(2)
    expect(cache.find(long('a', 'y'))).toBeUndefined()
    cache.keep(long('c'), 3)
    expect([cache.find(long('a')), cache.find(long('b')), cache.find(long('c'))]).toEqual([
      2,
      undefined,
      3,
    ])
    cache.forget(long('a'))
    expect([cache.find(long('a')), cache.find(long('c'))]).toEqual([undefined, 3])
  })

  test('is nothing where there is room for nothing', () => {
    const cache = new TextCache<number>(0)
    cache.keep('text', 1)
    expect(cache.find('text')).toBeUndefined()
  })
})
