/** RFC 9449 §5 to §7: tokens that are bound to a key, how they are made and how they are used. */
import { describe, expect } from 'vitest'
import { metadata } from './documents.ts'
import { AT_TOKEN_ENDPOINT, apiToken, expectChallenge } from './dpop.ts'
import { newKey, newRsaKey, payloadOf } from './jwt.ts'
import {
  api,
  apiServer,
  call,
  claimsOf,
  exchange,
  expectError,
  hashOf,
  isWhole,
  request,
  second,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

/** Those the server takes proofs by, as its metadata says. */
function algorithms(): readonly unknown[] {
  const listed = metadata['dpop_signing_alg_values_supported']
  return Array.isArray(listed) ? listed : []
}

describe('tokens', () => {
  verifies('9449-5.2-01', 'nothing without a proof', async () => {
    expectError(await exchange({}, { proofs: null }), 'invalid_dpop_proof')
    expectError(await second.alone({ resource: api.uri }, { proofs: null }), 'invalid_dpop_proof')
  })

  verifies(
    '9449-6-01',
    'the thumbprint is of the required members',
    async () => {
      const jwk = { ...second.proofKey.publicJwk, kid: 'k', use: 'sig', alg: 'ES256', ext: true }
      const bound = claimsOf(await request({}, { proofHeader: { jwk } }))
      expect(bound['cnf']).toEqual({ jkt: second.proofKey.thumbprint })
      if (!algorithms().includes('RS256')) return
      const rsa = newRsaKey()
      const other = claimsOf(await request({}, { proofKey: rsa }))
      expect(other['cnf']).toEqual({ jkt: rsa.thumbprint })
    },
    [...AT_TOKEN_ENDPOINT, 'jwt'],
  )

  verifies(
    '9449-6.2-01',
    'introspection shows it',
    async () => {
      const { json } = isWhole
        ? await apiServer.introspect(await apiToken())
        : await second.introspect(tokenOf(await request()))
      expect(json).toMatchObject({ token_type: 'DPoP', cnf: { jkt: second.proofKey.thumbprint } })
    },
    [...AT_TOKEN_ENDPOINT, 'introspection'],
  )
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
    const { status, json } = await call(second, await apiToken(), bearer)
    expect([status, json['error']]).toEqual([401, 'invalid_token'])
  })
})

verifies(
  '9449-5.1-01',
  'metadata names algorithms of proofs',
  async () => {
    expect(algorithms().length).toBeGreaterThan(0)
    expect(algorithms().filter((name) => /^(none|HS)/i.test(String(name)))).toEqual([])
  },
  [],
)
