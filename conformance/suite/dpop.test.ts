/** RFC 9449 at the token endpoint and at the resource server. */
import { describe, expect, test } from 'vitest'
import { Client, type Fault } from './client.ts'
import { metadata } from './documents.ts'
import { profile } from './given.ts'
import type { Reply } from './http.ts'
import {
  type Claims,
  epoch,
  newKey,
  newRsaKey,
  payloadOf,
  respelt,
  tampered,
  unsigned,
} from './jwt.ts'
import {
  api,
  apiServer,
  call,
  claimsOf,
  exchange,
  expectError,
  handover,
  hashOf,
  issuer,
  isWhole,
  newId,
  second,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

let token: string | undefined
/** A token of the second agent for the API, once. */
async function apiToken(): Promise<string> {
  token ??= tokenOf(await second.exchange(await handover(), { resource: api.uri }))
  return token
}

/** The same fault at both places; the token endpoint answers 400, the resource server 401. */
async function refusedAtBoth(fault: Fault): Promise<void> {
  expectError(await exchange({}, fault), 'invalid_dpop_proof')
  expectChallenge(await call(second, await apiToken(), { fault }), 'invalid_dpop_proof')
}

type Change = (make: () => string) => string | readonly string[]

/** Proofs that are right for each place until they are changed. */
async function changedAtBoth(change: Change): Promise<void> {
  const right = await apiToken()
  const claims = { htm: 'GET', htu: `${api.uri}/files`, ath: hashOf(right) }
  const proofs = change(() => second.proof())
  expectError(await exchange({}, { proofs }), 'invalid_dpop_proof')
  const proof = change(() => second.proof({ proof: claims }))
  expectChallenge(await call(second, right, { proof }), 'invalid_dpop_proof')
}

function expectChallenge(reply: Reply, error: string, status = 401): void {
  expect({ status: reply.status, error: reply.json['error'] }).toEqual({ status, error })
  expect(reply.headers['www-authenticate']).toContain(`error="${error}"`)
}

const accepted = async (fault: Fault): Promise<void> =>
  expect((await exchange({}, fault)).status).toBe(200)

test.runIf(isWhole)('a good proof is accepted at both places', async () => {
  await accepted({})
  expect((await call(second, await apiToken())).status).toBe(200)
})

describe('form', () => {
  verifies(['9449-4.2-01', '9449-5-01'], 'the type of a proof', async () => {
    for (const typ of [undefined, 'JWT', 'at+jwt', 'dpop', 'client-authentication+jwt']) {
      await refusedAtBoth({ proofHeader: { typ } })
    }
  })

  verifies('9449-4.2-02', 'asymmetric signatures only', async () => {
    for (const alg of ['none', 'HS256', 'ES256K', 'ES512', '', undefined]) {
      await refusedAtBoth({ proofHeader: { alg } })
    }
    await changedAtBoth((make) => unsigned(make()))
  })

  verifies('9449-4.2-03', 'a public key, and no private or shared one', async () => {
    const { publicJwk } = second.proofKey
    const secrets = [
      { ...publicJwk, d: 'AAAA' },
      { kty: 'oct', k: 'AAAA' },
      { ...publicJwk, k: 'A' },
    ]
    for (const jwk of [...secrets, undefined, null, 'x', {}, [publicJwk]]) {
      await refusedAtBoth({ proofHeader: { jwk } })
    }
  })

  verifies('9449-4.2-04', 'all claims, of their types', async () => {
    const url = `${issuer}/token`
    const wrong = [
      { jti: undefined },
      { jti: '' },
      { jti: 7 },
      { htm: undefined },
      { htm: 7 },
      { htu: undefined },
      { htu: [url] },
      { iat: undefined },
      { iat: String(epoch()) },
      { iat: null },
    ]
    for (const proof of wrong) await refusedAtBoth({ proof })
  })

  verifies('9449-4.3-01', 'one proof a request', async () => {
    await changedAtBoth((make) => [make(), make()])
    await changedAtBoth((make) => `${make()},${make()}`)
    await changedAtBoth((make) => `${make()}, ${make()}`)
    await changedAtBoth(() => 'garbage')
  })

  verifies('9449-4.3-02', 'signed by its own key', async () => {
    await changedAtBoth((make) => tampered(make()))
    await changedAtBoth((make) => respelt(make()))
    expectError(
      await exchange({}, { proofHeader: { jwk: newKey().publicJwk } }),
      'invalid_dpop_proof',
    )
    const bound = { fault: { proofKey: newKey(), proofHeader: { jwk: second.proofKey.publicJwk } } }
    expectChallenge(await call(second, await apiToken(), bound), 'invalid_dpop_proof')
  })
})

describe('request', () => {
  verifies('9449-4.3-03', 'for this method', async () => {
    for (const htm of ['PUT', 'post', 'get', '']) await refusedAtBoth({ proof: { htm } })
    expectError(await exchange({}, { proof: { htm: 'GET' } }), 'invalid_dpop_proof')
    const post = { fault: { proof: { htm: 'POST' } } }
    expectChallenge(await call(second, await apiToken(), post), 'invalid_dpop_proof')
  })

  verifies('9449-4.3-04', 'for this URL, without query and fragment', async () => {
    const { host, pathname } = new URL(issuer)
    const others = [
      `https://${host}${pathname}/introspect`,
      `https://other.example${pathname}/token`,
      `http://${host}${pathname}/token`,
      `https://${host}1${pathname}/token`,
      `${profile.other.issuer}/token`,
      `${pathname}/token`,
      `https://user@${host}${pathname}/token`,
      'x',
    ]
    for (const htu of others) await refusedAtBoth({ proof: { htu } })
    await accepted({ proof: { htu: `${issuer}/token?x=1#y` } })
    await accepted({ query: '?x=1' })
    const path = '/files?x=1'
    expect((await call(second, await apiToken(), { path })).status).toBe(200)
    const other = { fault: { proof: { htu: `${api.uri}/other` } } }
    expectChallenge(await call(second, await apiToken(), other), 'invalid_dpop_proof')
  })

  verifies('9449-4.3-05', 'URLs in normal form', async () => {
    const { host, pathname } = new URL(issuer)
    await accepted({ proof: { htu: `HTTPS://${host}${pathname}/token` } })
    await accepted({ proof: { htu: `https://${host}${pathname}/%74oken` } })
    const htu = `${api.uri}/%66iles`
    expect((await call(second, await apiToken(), { fault: { proof: { htu } } })).status).toBe(200)
  })

  verifies('9449-4.3-06', 'made within a short window', async () => {
    const now = epoch()
    // The RFC names no figure; the longest in use is five minutes.
    for (const iat of [now - 3600, now + 3600, now - 400, now + 400, 1e300, -1]) {
      await refusedAtBoth({ proof: { iat } })
    }
    for (const iat of [now - 10, now + 10]) {
      await accepted({ proof: { iat } })
      const reply = await call(second, await apiToken(), { fault: { proof: { iat } } })
      expect(reply.status).toBe(200)
    }
  })
})

describe('single use', () => {
  const one = (replies: readonly Reply[]): number =>
    replies.filter(({ status }) => status === 200).length

  verifies('9449-11.1-01', 'once, however many copies race', async () => {
    const proof = second.proof()
    await accepted({ proofs: proof })
    expectError(await exchange({}, { proofs: proof }), 'invalid_dpop_proof')
    const raced = second.proof()
    const copies = Array.from({ length: 20 }, () => exchange({}, { proofs: raced }))
    expect(one(await Promise.all(copies))).toBe(1)
    const good = await apiToken()
    const claims = { htm: 'GET', htu: `${api.uri}/files`, ath: hashOf(good) }
    const called = second.proof({ proof: claims })
    const calls = Array.from({ length: 20 }, () => call(second, good, { proof: called }))
    expect(one(await Promise.all(calls))).toBe(1)
    // A proof that was never good spends nothing, and an id may serve at another URL.
    const jti = newId()
    expectError(await exchange({}, { proof: { jti, htm: 'GET' } }), 'invalid_dpop_proof')
    await accepted({ proof: { jti } })
    expect((await call(second, good, { fault: { proof: { jti } } })).status).toBe(200)
    expectError(await exchange({}, { proof: { jti: 'x'.repeat(5000) } }), 'invalid_dpop_proof')
  })
})

describe('tokens', () => {
  verifies('9449-5.2-01', 'nothing without a proof', async () => {
    expectError(await exchange({}, { proofs: null }), 'invalid_dpop_proof')
    expectError(await second.alone({ resource: api.uri }, { proofs: null }), 'invalid_dpop_proof')
  })

  verifies('9449-6-01', 'the thumbprint is of the required members', async () => {
    const jwk = { ...second.proofKey.publicJwk, kid: 'k', use: 'sig', alg: 'ES256', ext: true }
    const bound = claimsOf(await exchange({}, { proofHeader: { jwk } }))
    expect(bound['cnf']).toEqual({ jkt: second.proofKey.thumbprint })
    const rsa = newRsaKey()
    const other = claimsOf(await exchange({}, { proofKey: rsa }))
    expect(other['cnf']).toEqual({ jkt: rsa.thumbprint })
  })

  verifies('9449-6.2-01', 'introspection shows it', async () => {
    const { json } = await apiServer.introspect(await apiToken())
    expect(json).toMatchObject({ token_type: 'DPoP', cnf: { jkt: second.proofKey.thumbprint } })
  })
})

describe('the resource server', () => {
  verifies('9449-4.2-05', 'a proof is for its token', async () => {
    const other = hashOf('another token')
    for (const ath of [undefined, other, `${hashOf(await apiToken())}=`, 7]) {
      const reply = await call(second, await apiToken(), { fault: { proof: { ath } } })
      expectChallenge(reply, 'invalid_dpop_proof')
    }
  })

  verifies('9449-4.3-07', 'another key is no holder', async () => {
    const reply = await call(second, await apiToken(), { fault: { proofKey: newKey() } })
    expectChallenge(reply, 'invalid_token')
  })

  verifies(['9449-7.1-01', '9700-2.2.1-01'], 'its scheme and a proof, or nothing', async () => {
    const good = await apiToken()
    expectChallenge(await call(second, good, { proof: null }), 'invalid_dpop_proof')
    const own = tokenOf(await second.alone({ resource: api.uri }))
    expect(payloadOf(own)['cnf']).toEqual({ jkt: second.proofKey.thumbprint })
    expect((await call(second, own)).status).toBe(200)
    expect((await call(second, own, { proof: null })).status).toBe(401)
  })

  verifies('9449-7.1-02', 'the challenge has the scheme, the error and algorithms', async () => {
    const told = (await call(second, await apiToken(), { proof: null })).headers
    expect(told['www-authenticate']).toMatch(/(?:^|, )DPoP .*algs="[^"]*\bES256\b[^"]*"/)
    expect(told['www-authenticate']).toContain('error="invalid_dpop_proof"')
  })

  verifies('9449-7.2-01', 'a bound token is no bearer token', async () => {
    const bearer = { scheme: 'Bearer' }
    expect((await call(second, await apiToken(), { ...bearer, proof: null })).status).toBe(401)
    expectChallengeBody(await call(second, await apiToken(), bearer))
  })
})

function expectChallengeBody(reply: Reply): void {
  expect(reply.status).toBe(401)
  expect(reply.json['error']).toBe('invalid_token')
}

describe.runIf(profile.nonces !== undefined)('a server that asks for nonces', () => {
  const setStage = () => {
    if (profile.nonces === undefined) throw new Error('no such server')
    const client = new Client(profile.nonces.issuer, profile.nonces.agent)
    const target = { resource: profile.nonces.api.uri }
    return (members: Claims = {}) => client.alone(target, { proof: members })
  }

  /** RFC 9449 §8: the error, and one nonce of the characters it allows. */
  function nonceAsked(reply: Reply): string {
    expectError(reply, 'use_dpop_nonce')
    const nonce = reply.headers['dpop-nonce']
    // Several headers arrive joined by a comma and a space.
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]{16,}$/)
    expect(nonce).not.toContain(',')
    return String(nonce)
  }

  verifies('9449-8-01', 'a proof without one is told which', async () => {
    const ask = setStage()
    expect((await ask({ nonce: nonceAsked(await ask()) })).status).toBe(200)
  })

  verifies('9449-8-02', 'only its own are good', async () => {
    const ask = setStage()
    const good = nonceAsked(await ask())
    const others = [newId(), '', `${good}x`, good.slice(1), [good], null, 7, good.toUpperCase()]
    for (const nonce of others) nonceAsked(await ask({ nonce }))
    expect((await ask({ nonce: good })).status).toBe(200)
  })

  verifies('9449-11.3-01', 'and no proof without one is good afterwards', async () => {
    const ask = setStage()
    expect((await ask({ nonce: nonceAsked(await ask()) })).status).toBe(200)
    nonceAsked(await ask())
  })
})

verifies(
  '9449-5.1-01',
  'metadata names algorithms of proofs',
  async () => {
    const algorithms = [metadata['dpop_signing_alg_values_supported']].flat() as readonly string[]
    expect(algorithms.length).toBeGreaterThan(0)
    expect(algorithms.filter((name) => /^(none|HS)/i.test(name))).toEqual([])
  },
  [],
)
