/** SPIFFE: JWT-SVIDs as client assertions, of trust domains whose keys the suite holds. */
import { createHmac } from 'node:crypto'
import { describe, expect } from 'vitest'
import { ASSERTION_TYPE, Client } from './client.ts'
import { profile } from './given.ts'
import { type Reply, send } from './http.ts'
import {
  type Claims,
  encode,
  epoch,
  newJwk,
  signingKey,
  signJwt,
  tampered,
  unsigned,
} from './jwt.ts'
import type { Jwk, SpiffeProfile } from './profile.ts'
import { api, expectError, first, issuer, newId, tokenOf } from './scenario.ts'
import { verifies } from './verifies.ts'

const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

const { spiffe } = profile

/** Stands in where there is none, so that tests that are left out can be read. */
function absent(): SpiffeProfile {
  const jwk = newJwk()
  const spiffe_id = 'spiffe://absent.invalid/x'
  const other = { client_id: 'absent', beneath: spiffe_id, jwk }
  return { client_id: 'absent', spiffe_id, jwk, misused: [], other, revoked: { spiffe_id, jwk } }
}

describe.runIf(spiffe !== undefined)('JWT-SVIDs', () => {
  const { spiffe_id: id, client_id: name, jwk, misused, other, revoked } = spiffe ?? absent()
  const anybody = new Client(issuer, { client_id: name, jwk })
  const key = signingKey(jwk)

  /** As the trust domain signs it, with members changed. */
  function svid(claims: Claims = {}, header: Claims = {}, by: Jwk = jwk): string {
    const now = epoch()
    const signer = signingKey(by)
    return signJwt(
      signer,
      { alg: signer.alg, kid: signer.kid, typ: 'JWT', ...header },
      { sub: id, aud: [issuer], iat: now, exp: now + 120, ...claims },
    )
  }

  const present = (client_assertion: string, parameters: Claims = {}): Promise<Reply> =>
    anybody.alone({
      resource: api.uri,
      client_assertion_type: JWT_SPIFFE,
      client_assertion,
      ...parameters,
    })
  const taken = async (assertion: string, parameters: Claims = {}): Promise<void> =>
    void tokenOf(await present(assertion, parameters))
  const refused = async (assertion: string, parameters: Claims = {}): Promise<void> =>
    expectError(await present(assertion, parameters), 'invalid_client', 401)

  describe('the request', () => {
    verifies('SPCA-jwt-01', 'under a type of its own, which takes nothing else', async () => {
      await taken(svid())
      await refused(svid(), { client_assertion_type: ASSERTION_TYPE })
      await refused(svid(), { client_assertion_type: JWT_SPIFFE.toUpperCase() })
      await refused(first.assertion())
    })

    verifies('SPCA-jwt-06', 'client_id is left out, the client or its ID', async () => {
      for (const client_id of [name, id]) await taken(svid(), { client_id })
      for (const client_id of [first.id, other.client_id, `${id}/`]) {
        await refused(svid(), { client_id })
      }
      await refused(svid({ sub: `${id}x` }))
      await refused(svid({ sub: `${id}/x` }))
    })

    verifies('SPJWT-5.1-01', 'in compact form', async () => {
      const [head, payload, signature] = svid().split('.')
      await refused(JSON.stringify({ payload, protected: head, signature }))
      await refused(JSON.stringify({ payload, signatures: [{ protected: head, signature }] }))
      await refused(`${head}.${payload}`)
    })
  })

  describe('claims', () => {
    verifies('SPCA-jwt-02', 'sub, aud and exp; iss and jti are optional', async () => {
      await taken(svid({ iss: 'https://spire.example', jti: newId() }))
      for (const missing of ['sub', 'aud', 'exp']) await refused(svid({ [missing]: undefined }))
    })

    verifies(['SPCA-jwt-03', 'SPJWT-3.3-01'], 'it expires, and has not yet', async () => {
      const now = epoch()
      for (const exp of [now - 60, 0, -1, 1e300, `${now + 60}`, null, undefined]) {
        await refused(svid({ exp }))
      }
      await refused(svid({ nbf: now + 600 }))
    })

    verifies(['SPCA-jwt-04', 'SPJWT-3.2-01'], 'the issuer is its only audience', async () => {
      await taken(svid({ aud: issuer }))
      const wrong = [
        `${issuer}/token`,
        [issuer, `${issuer}/token`],
        [issuer, 'https://evil.example'],
        [issuer, issuer],
        [],
        profile.other.issuer,
        undefined,
      ]
      for (const aud of wrong) await refused(svid({ aud }))
    })

    verifies('SPJWT-3.1-01', 'its subject is a SPIFFE ID', async () => {
      for (const sub of [name, `https://${id.slice(9)}`, '', 7, [id], undefined]) {
        await refused(svid({ sub }))
      }
    })
  })

  describe('SPIFFE IDs', () => {
    const [, , domain = '', ...path] = id.split('/')
    const under = (trustDomain: string): string => `spiffe://${trustDomain}/${path.join('/')}`

    verifies('SPID-2-01', 'scheme, trust domain, no query, no fragment', async () => {
      const wrong = [
        `http://${domain}/x`,
        'spiffe://',
        'spiffe:///x',
        `${id}?y`,
        `${id}#z`,
        `${id} `,
      ]
      for (const sub of wrong) await refused(svid({ sub }))
    })

    verifies('SPID-2.1-01', 'one spelling of a trust domain', async () => {
      const wrong = [
        domain.toUpperCase(),
        `u@${domain}`,
        `${domain}:443`,
        `${domain.replace('a', '%61')}`,
        `${domain}.`,
        domain.replace('a', '\u0430'),
        `[${domain}]`,
      ]
      for (const one of wrong) await refused(svid({ sub: under(one) }))
    })

    verifies('SPID-2.2-01', 'no empty, dot or encoded segments, and few characters', async () => {
      const beneath = (segment: string): Promise<void> =>
        refused(svid({ sub: `${other.beneath}/${segment}` }, {}, other.jwk))
      for (const segment of ['', '.', '..', 'a/', 'a//b', 'a/./b', 'a/../b', '%61', 'a%2fb']) {
        await beneath(segment)
      }
      for (const character of ' !"#$%&\'()*+,:;<=>?@[\\]^`{|}~\u0000\u007f\u00e9') {
        await beneath(`a${character}b`)
      }
      await taken(svid({ sub: `${other.beneath}/A-z_0.9/..a` }, {}, other.jwk))
    })

    verifies('SPID-2.3-01', '2048 bytes', async () => {
      const start = `${other.beneath}/`
      const long = start.padEnd(2048, 'a')
      await taken(svid({ sub: long }, {}, other.jwk))
      await refused(svid({ sub: `${long}a` }, {}, other.jwk))
    })

    verifies('SPID-2.4-01', 'paths compare in their case', async () => {
      await refused(svid({ sub: `spiffe://${domain}/${path.join('/').toUpperCase()}` }))
    })

    verifies('SPCA-reg-01', 'a `/*` stands for whole segments', async () => {
      const of = (sub: string): string => svid({ sub }, {}, other.jwk)
      for (const end of ['/a', '/a/b', '/a/b/c']) await taken(of(other.beneath + end))
      for (const end of ['', 'x', 'x/a', '/*']) await refused(of(other.beneath + end))
    })
  })

  describe('the header', () => {
    verifies('SPJWT-2-01', 'alg, kid and typ alone', async () => {
      for (const more of [{ jku: issuer }, { jwk: key.publicJwk }, { x5c: [] }, { cty: 'JWT' }]) {
        await refused(svid({}, more))
      }
      await refused(svid({}, { crit: ['exp'] }))
    })

    verifies('SPJWT-2.3-01', 'absent, JWT or JOSE', async () => {
      for (const typ of [undefined, 'JWT', 'JOSE']) await taken(svid({}, { typ }))
      for (const typ of ['client-authentication+jwt', 'at+jwt', 'dpop+jwt', 'JWT ', 7]) {
        await refused(svid({}, { typ }))
      }
    })

    verifies('SPJWT-2.1-01', 'an RSA or ECDSA algorithm', async () => {
      for (const alg of ['HS256', 'EdDSA', 'Ed25519', 'none', 'es256', 'ES256K', '']) {
        await refused(svid({}, { alg }))
      }
      await refused(unsigned(svid()))
      const [, payload] = svid().split('.')
      const input = `${encode({ alg: 'HS256', kid: key.kid, typ: 'JWT' })}.${payload}`
      const secret = JSON.stringify(key.publicJwk)
      const mac = createHmac('sha256', secret).update(input).digest('base64url')
      await refused(`${input}.${mac}`)
    })
  })

  describe('keys', () => {
    verifies(['SPCA-jwt-05', 'SPCA-key-01', 'SPF-4.2-01'], 'of its own trust domain', async () => {
      const theirs = `${other.beneath}/a`
      await taken(svid({ sub: theirs }, {}, other.jwk))
      await refused(svid({ sub: theirs }))
      await refused(svid({}, {}, other.jwk))
      await refused(tampered(svid()))
      await refused(svid({}, { kid: 'unknown' }))
      await refused(svid({}, { kid: undefined }))
      await refused(svid({ sub: 'spiffe://unknown.example/a' }))
    })

    verifies('SPCA-key-04', 'none is found through iss', async () => {
      const { vectors } = profile
      if (vectors === undefined) return
      const { origin } = new URL(vectors.issuer)
      const iss = `${origin}/${newId()}`
      await refused(svid({ iss }, {}, vectors.jwk))
      await refused(svid({ iss: vectors.issuer }, {}, vectors.jwk))
      // Where the suite writes down what it was asked for.
      const { text } = await send(`${origin}/seen`)
      expect(text).not.toContain(new URL(iss).pathname)
    })

    verifies('SPJWT-6.2-01', 'keys of other uses verify none', async () => {
      expect(misused.length).toBeGreaterThan(0)
      for (const one of misused) await refused(svid({}, {}, one))
    })

    verifies('SPB-4-01', 'an empty bundle trusts nobody', async () => {
      await refused(svid({ sub: revoked.spiffe_id }, {}, revoked.jwk))
    })
  })
})
