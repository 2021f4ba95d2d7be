import fc from 'fast-check'
import { calculateJwkThumbprint, decodeJwt, exportJWK } from 'jose'
import * as oauth from 'openid-client'
import { beforeAll, describe, expect, test } from 'vitest'
import { protect } from '../../lib/src/adapters/fetch.ts'
import { VerificationError } from '../../lib/src/errors.ts'
import { type NonceState, type Nonces, proofNonces } from '../../lib/src/nonces.ts'
import type { VerifierOptions } from '../../lib/src/options.ts'
import type { ReplayClaim } from '../../lib/src/replay.ts'
import type { VerificationReport } from '../../lib/src/report.ts'
import type { Verifier } from '../../lib/src/verifier.ts'
import { API, aKey, aProof, type Claims, ISSUER, NOW, signToken } from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'

const SECRET = 'c2VjcmV0cyBvZiB0aGlzIHRlc3QgYXJlIG5vdCBhbnk'
const nonces = proofNonces({ secret: SECRET })
const at = (now: number, audience = API, from = nonces) => from({ audience, now: () => now })
const stateOf = (nonce: unknown, now: number, audience?: string): Promise<NonceState> =>
  at(now, audience).check(nonce)
const nonceAt = async (now: number, audience?: string, from = nonces): Promise<string> =>
  (await at(now, audience, from).check(undefined)).next ?? expect.unreachable()

// The beginning of a minute, so that seconds below mean what they say.
const START = NOW - (NOW % 60)

describe('a nonce', () => {
  test('is 43 characters that a header takes, and the same at every instance with the secret', async () => {
    const nonce = await nonceAt(START)
    expect(nonce).toMatch(/^[\w-]{43}$/)
    expect(await nonceAt(START + 59)).toBe(nonce)
    expect(await nonceAt(START, API, proofNonces({ secret: SECRET }))).toBe(nonce)
    expect(await nonceAt(START + 60)).not.toBe(nonce)
    expect(await nonceAt(START, API, proofNonces({ secret: `${SECRET}x` }))).not.toBe(nonce)
  })

  test('holds for minutes, and is replaced before it ends', async () => {
    const nonce = await nonceAt(START)
    for (const later of [0, 59, 60, 119])
      expect(await stateOf(nonce, START + later)).toEqual({ holds: true })
    for (const later of [120, 180, 299]) {
      const next = await nonceAt(START + later)
      expect(await stateOf(nonce, START + later)).toEqual({ holds: true, next })
    }
    const refused = { holds: false, next: await nonceAt(START + 300) }
    expect(await stateOf(nonce, START + 300)).toEqual(refused)
  })

  test('of an instance whose clock is a minute ahead holds, of one further ahead not', async () => {
    expect(await stateOf(await nonceAt(START + 60), START)).toEqual({ holds: true })
    expect((await stateOf(await nonceAt(START + 120), START)).holds).toBe(false)
  })

  test('9449-9-01 of another resource is none', async () => {
    const elsewhere = await nonceAt(START, `${API}/other`)
    expect((await stateOf(elsewhere, START)).holds).toBe(false)
    expect((await stateOf(elsewhere, START, `${API}/other`)).holds).toBe(true)
    // No audience is taken for another's minute and audience.
    const period = START / 60
    const glued = await nonceAt(START, `${period}\n${API}`)
    expect((await stateOf(glued, START)).holds).toBe(false)
  })

  test('is nothing that a client makes up', async () => {
    const nonce = await nonceAt(START)
    const near = [`${nonce} `, nonce.slice(1), nonce.toLowerCase(), [nonce], { nonce }, true, null]
    for (const other of [undefined, '', ...near])
      expect((await stateOf(other, START)).holds).toBe(false)
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (value) => {
        expect((await stateOf(value, START)).holds).toBe(false)
      }),
      { numRuns: 200 },
    )
  })
})

test.each([
  ['nothing', undefined],
  ['no secret', {}],
  ['a short secret', { secret: 's'.repeat(31) }],
  ['bytes', { secret: new Uint8Array(32) }],
  ['another option', { secret: SECRET, lifetime: 5 }],
])('misuse is a TypeError at once: %s', (_, options) => {
  expect(() => proofNonces(options as { secret: string })).toThrow(TypeError)
})

describe('a resource that asks for nonces', () => {
  let f: Fixture
  let token: string
  beforeAll(async () => {
    f = await aFixture()
    token = await signToken(f.issuerKey, f.claims())
  })
  const strict = (options: Partial<VerifierOptions> = {}) => f.with({ nonces, ...options })
  const proofWith = (nonce: unknown, claims: Claims = {}) =>
    aProof(f.agentKey, { token, claims: { nonce, ...claims } })
  const verifying = (verifier: Verifier, proof: string): Promise<VerificationReport> =>
    verifier.verify({ token, proof, method: 'GET', url: URL_CALLED }, NEED)
  const refusalOf = async (verifier: Verifier, proof: string): Promise<VerificationError> => {
    const thrown: unknown = await verifying(verifier, proof).catch((error: unknown) => error)
    if (thrown instanceof VerificationError) return thrown
    return expect.unreachable()
  }

  test('9449-9-01 answers a proof without one with use_dpop_nonce and one DPoP-Nonce', async () => {
    const verifier = strict()
    const error = await refusalOf(verifier, await proofWith(undefined))
    const { status, headers, body } = verifier.challenge(error, { need: NEED, presented: 'DPoP' })
    expect(status).toBe(401)
    expect(headers).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'dpop-nonce': await nonceAt(NOW),
      'www-authenticate':
        `DPoP realm="${API}", error="use_dpop_nonce", ` +
        'error_description="the proof needs a nonce of this resource", ' +
        'scope="ledger:propose", algs="ES256 EdDSA RS256"',
    })
    expect(body).toMatchObject({ error: 'use_dpop_nonce', reason: 'proof_nonce_required' })
    const report = await verifying(verifier, await proofWith(headers['dpop-nonce']))
    expect(report.nonce).toBeUndefined()
  })

  test('I04 refuses a nonce that is old, of another resource, or of no form', async () => {
    const other = await nonceAt(NOW, `${API}/other`)
    for (const nonce of [await nonceAt(NOW - 400), other, '', 'x', 7, null, [], {}]) {
      const error = await refusalOf(strict(), await proofWith(nonce))
      expect([error.reason, error.nonce]).toEqual(['proof_nonce_required', await nonceAt(NOW)])
    }
  })

  test('9449-11.3-01 I04 a proof without nonce is refused again and again', async () => {
    const verifier = strict()
    for (let time = 0; time < 3; time++)
      expect((await refusalOf(verifier, await proofWith(undefined))).reason).toBe(
        'proof_nonce_required',
      )
  })

  test('I01 I02 a good nonce stands for nothing else', async () => {
    const good = await nonceAt(NOW)
    expect((await refusalOf(strict(), await proofWith(good, { ath: 'x' }))).reason).toBe(
      'proof_token_mismatch',
    )
    expect((await refusalOf(strict(), await proofWith(good, { iat: NOW - 61 }))).reason).toBe(
      'proof_time_refused',
    )
    const stranger = await aProof(await aKey(), { token, claims: { nonce: good } })
    expect((await refusalOf(strict(), stranger)).reason).toBe('proof_key_mismatch')
    const without = { token, method: 'GET', url: URL_CALLED }
    expect(await reasonOf(strict().verify(without, NEED))).toBe('proof_missing')
  })

  test('I03 a proof with a good nonce is used once; one that is refused for its nonce uses nothing up', async () => {
    const claims: ReplayClaim[] = []
    const used = new Set<string>()
    const replay = async (claim: ReplayClaim) => {
      claims.push(claim)
      return !used.has(claim.id) && used.add(claim.id) !== undefined
    }
    const replicas = [strict({ replay }), strict({ replay })]
    const [first = expect.unreachable()] = replicas
    await refusalOf(first, await proofWith(undefined, { jti: 'same' }))
    expect(claims).toEqual([])
    const proof = await proofWith(await nonceAt(NOW), { jti: 'same' })
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) => reasonOf(verifying(replicas[at % 2] ?? first, proof))),
    )
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'proof_replayed')).toHaveLength(19)
  })

  test('9449-8.2-01 gives the next nonce with good answers, and a fetch handler sends it', async () => {
    const verifier = strict()
    const report = await verifying(verifier, await proofWith(await nonceAt(NOW - 180)))
    expect(report.nonce).toBe(await nonceAt(NOW))
    const handle = protect(verifier, NEED, () => Response.redirect('https://x.example/', 303))
    const answer = async (nonce: string) => {
      const headers = { authorization: `DPoP ${token}`, dpop: await proofWith(nonce) }
      return handle(new Request(URL_CALLED, { headers }))
    }
    const old = await answer(await nonceAt(NOW - 180))
    expect(old.status).toBe(303)
    expect(old.headers.get('location')).toBe('https://x.example/')
    expect(old.headers.get('dpop-nonce')).toBe(await nonceAt(NOW))
    expect(old.headers.get('cache-control')).toBe('no-store')
    const fresh = await answer(await nonceAt(NOW))
    expect([fresh.status, fresh.headers.get('dpop-nonce')]).toEqual([303, null])
  })

  test('9449-9-01 9449-8.2-01 openid-client learns them by itself, and uses the next one', async () => {
    let ahead = 0
    const now = () => Date.now() / 1000
    const moving: Nonces = (deps) => nonces({ ...deps, now: () => deps.now() + ahead })
    const handle = protect(f.with({ nonces: moving, now }), NEED, () => new Response('good'))
    const seen: unknown[][] = []
    const client = new oauth.Configuration({ issuer: ISSUER }, 'writer')
    client[oauth.customFetch] = async (url, options) => {
      const request = new Request(url, options as RequestInit)
      const { nonce } = decodeJwt(request.headers.get('dpop') ?? '')
      const answer = await handle(request)
      seen.push([answer.status, nonce, answer.headers.get('dpop-nonce') ?? undefined])
      return answer
    }
    const pair = await oauth.randomDPoPKeyPair('ES256')
    const DPoP = oauth.getDPoPHandle(client, pair)
    const jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey))
    const issued = Math.floor(now())
    const own = await signToken(f.issuerKey, f.claims({ cnf: { jkt }, now: issued }))
    const get = async () => {
      const url = new URL(URL_CALLED)
      const options = [undefined, undefined, { DPoP }] as const
      const answer = await oauth.fetchProtectedResource(client, own, url, 'GET', ...options)
      expect(await answer.text()).toBe('good')
    }
    await get()
    await get()
    ahead = 180
    await get()
    await get()
    const [first, , , second] = seen.map(([, , given]) => given)
    expect(seen).toEqual([
      [401, undefined, first],
      [200, first, undefined],
      [200, first, undefined],
      [200, first, second],
      [200, second, undefined],
    ])
    expect(second).not.toBe(first)
  })
})
