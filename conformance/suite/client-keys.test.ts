/** RFC 7523 §3 and RFC 8725: what clients sign with, and what is no signature of theirs. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect } from 'vitest'
import { refused, refusedEitherWay, withAssertion } from './assertions.ts'
import { Client, type Fault } from './client.ts'
import { profile } from './given.ts'
import { encode, newKey, respelt, tampered, unsigned } from './jwt.ts'
import {
  api,
  beyond,
  call,
  expectError,
  first,
  issuer,
  ownToken,
  request,
  second,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

describe('signatures', () => {
  verifies(
    '7523-3-08',
    'by a key of the client, and no other',
    async () => {
      for (const change of [tampered, unsigned, ...beyond(respelt)]) {
        await refused(withAssertion(change(second.assertion())), change.name)
      }
      await refused(request({}, { assertionKey: first.key }))
      await refused(request({}, { assertionKey: newKey(second.key.kid) }))
      const hmac = await request({}, { assertionHeader: { alg: 'HS256' } })
      expectError(hmac, 'invalid_client', 401)
      // A key the assertion brought along.
      const own = newKey()
      const jwk = own.publicJwk
      await refused(request({}, { assertionKey: own, assertionHeader: { jwk, kid: undefined } }))
    },
    ['token', 'keys'],
  )

  verifies(
    '7523-3-09',
    'what is no JWT is refused without a fault',
    async () => {
      const good = second.assertion()
      const [header, payload, proof] = good.split('.')
      await refusedEitherWay(withAssertion(''))
      const malformed = [
        '.',
        '..',
        '...',
        `${header}.${payload}`,
        `${good}.x`,
        `${header}..${proof}`,
        `${encode('null')}.${payload}.${proof}`,
        `${encode('[]')}.${payload}.${proof}`,
        `${header}.${encode('7')}.${proof}`,
        `${header}.${encode('{"iss":')}.${proof}`,
        `${header}.${encode(Buffer.from([0xff, 0xfe]))}.${proof}`,
        `${good}=`,
        ` ${good}`,
        `${good}\n`,
        'e30.e30.',
        'a'.repeat(20_000),
        JSON.stringify({ payload, protected: header, signature: proof }),
      ]
      for (const assertion of malformed)
        await refused(withAssertion(assertion), assertion.slice(0, 9))
      const crit = { crit: ['b64'], b64: false }
      await refused(request({}, { assertionHeader: crit }))
      await refused(request({}, { assertionHeader: { crit: [] } }))
    },
    ['token', 'keys'],
  )
})

describe('keys', () => {
  verifies('7523-5-01', 'RS256 is an algorithm of clients', async () => {
    const { rsa } = profile
    if (rsa === undefined) return
    const client = new Client(issuer, rsa)
    expect(client.key.alg).toBe('RS256')
    tokenOf(await client.alone({ resource: api.uri }))
    await refused(client.alone({ resource: api.uri }, { assertionHeader: { alg: 'PS256' } }))
  })

  /** Proofs with keys that are none. */
  function weakProofs(): readonly Fault[] {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const { n, e } = privateKey.export({ format: 'jwk' })
    const rsa = { alg: 'RS256', key: privateKey, kid: undefined, thumbprint: '' }
    const { publicJwk } = second.proofKey
    const weak = [
      { kty: 'RSA', n, e },
      { kty: 'RSA', n, e: 'AQ' },
    ].map((jwk) => ({ proofKey: { ...rsa, publicJwk: jwk }, proofHeader: { jwk } }))
    const impossible = [
      { ...publicJwk, x: publicJwk['y'] },
      { ...publicJwk, crv: 'P-384' },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
    ].map((jwk) => ({ proofHeader: { jwk } }))
    return [...weak, ...impossible]
  }

  verifies(
    '8725-3.4-01',
    'weak and impossible keys are no keys',
    async () => {
      for (const fault of weakProofs()) {
        expectError(await request({}, fault), 'invalid_dpop_proof')
      }
    },
    ['token', 'proofs'],
  )

  verifies('8725-3.4-01', 'nor are they at the resource server', async () => {
    for (const fault of weakProofs()) {
      const called = await call(second, await ownToken(), { fault })
      // Either no key, or not the one the token is bound to.
      expect(called.status).toBe(401)
      expect(['invalid_dpop_proof', 'invalid_token']).toContain(called.json['error'])
    }
  })
})
