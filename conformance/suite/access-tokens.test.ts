/** RFC 9068: the tokens that are issued. */
import { describe, expect } from 'vitest'
import { profile } from './given.ts'
import { send } from './http.ts'
import { epoch, headerOf, payloadOf } from './jwt.ts'
import {
  agents,
  alone,
  api,
  claimsOf,
  exchange,
  first,
  idToken,
  issuer,
  isWhole,
  open,
  request,
  second,
  subject,
  threeHops,
  tokenOf,
} from './scenario.ts'
import { verifies } from './verifies.ts'

/** A token of each grant and each way of exchanging. */
async function tokens(): Promise<readonly string[]> {
  if (!isWhole) return [tokenOf(await request())]
  const { one, two, three } = await threeHops()
  return [
    one,
    two,
    three,
    tokenOf(await open()),
    tokenOf(await second.alone({ resource: api.uri })),
  ]
}

describe('an issued token', () => {
  verifies(
    ['9068-2.1-01', '9068-2.1-03'],
    'is signed, asymmetrically, and typed',
    async () => {
      const { json } = await send(second.url('jwks'))
      const published: Record<string, unknown>[] = json['keys']
      for (const token of await tokens()) {
        const header = headerOf(token)
        expect(header['alg']).toMatch(/^(ES256|EdDSA|Ed25519|RS256)$/)
        expect(header['typ']).toMatch(/^at\+jwt$/i)
        expect(published.map((key) => key['kid'])).toContain(header['kid'])
      }
    },
    ['token', 'jwt'],
  )

  verifies(
    '9068-2.2-01',
    'has every required claim',
    async () => {
      for (const token of await tokens()) {
        const claims = payloadOf(token)
        for (const name of ['iss', 'aud', 'sub', 'client_id', 'jti']) {
          expect(claims[name]).toEqual(expect.any(String))
        }
        for (const name of ['exp', 'iat']) expect(claims[name]).toEqual(expect.any(Number))
        expect(claims['iss']).toBe(issuer)
      }
    },
    ['token', 'jwt'],
  )

  verifies('9068-2.2-02', 'is about the user', async () => {
    expect(claimsOf(await exchange())['sub']).toBe(profile.idp.subject)
  })

  verifies(
    '9068-2.2-02',
    'or about the client alone',
    async () => {
      const own = claimsOf(await alone())
      expect([own['sub'], own['client_id'], own['act']]).toEqual([second.id, second.id, undefined])
    },
    ['own', 'jwt'],
  )

  verifies(
    '9068-2.2-03',
    'has an id of its own',
    async () => {
      const replies = await Promise.all(Array.from({ length: 20 }, () => request()))
      const given = isWhole ? await subject() : tokenOf(await request())
      const ids = [...replies.map(claimsOf), payloadOf(given)].map(({ jti }) => String(jti))
      expect(new Set(ids).size).toBe(21)
      // RFC 6749 §10.10: 128 bits at least.
      for (const id of ids) expect(id.length).toBeGreaterThanOrEqual(22)
    },
    ['token', 'jwt'],
  )

  verifies('9068-2.2.1-01', 'tells how the user signed in, unchanged', async () => {
    const auth_time = epoch() - 500
    const signIn = { auth_time, acr: 'urn:example:acr:9', amr: ['hwk'] }
    const root = idToken({ claims: signIn })
    const one = tokenOf(await open({ resource: agents.second.endpoint }, {}, root))
    const two = tokenOf(await second.exchange(one, { resource: api.uri }))
    expect([payloadOf(one), payloadOf(two)]).toEqual([
      expect.objectContaining(signIn),
      expect.objectContaining(signIn),
    ])
  })

  verifies(
    '9068-2.2.3-01',
    'has the scope that was asked for',
    async () => {
      expect(claimsOf(await request({ scope: api.read }))['scope']).toBe(api.read)
    },
    ['token', 'jwt', 'scope'],
  )

  verifies(
    '9068-3-01',
    'is for the resource, letter by letter',
    async () => {
      expect(claimsOf(await request())['aud']).toBe(api.uri)
    },
    ['token', 'jwt', 'resource'],
  )

  verifies('9068-3-03', 'has a default audience, never none', async () => {
    const { aud } = claimsOf(await open())
    // The opener's own place at this issuer.
    expect(aud).toBe(`${issuer}/agents/${first.id}`)
    const other = claimsOf(await second.exchange(await subject()))
    expect(other['aud']).toBe(agents.second.endpoint)
  })
})
