/** RFC 8705 §3 at the authorization server: tokens that are bound to the certificate of the client's TLS connection. */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { Client, type Fault } from './client.ts'
import { profile } from './given.ts'
import { type ClientCertificate, type Reply, send } from './http.ts'
import { claimsOf, tokenOf } from './scenario.ts'
import { verifies } from './verifies.ts'

const { bound } = profile

function given(): NonNullable<typeof bound> {
  if (bound === undefined) throw new Error('no such server')
  return bound
}

function shown(at: number): ClientCertificate {
  const { cert, key } = given().certificates[at] ?? { cert: '', key: '' }
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** RFC 8705 §3.1: base64url, without padding. */
function thumbprint({ cert }: ClientCertificate): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url')
}

function atApi() {
  const { uri, read } = given().api
  return { resource: uri, scope: read }
}

function expectNothing({ status, json }: Reply, expected: number): void {
  expect([status, json['access_token']]).toEqual([expected, undefined])
}

describe.runIf(bound !== undefined)('a token that is bound to a certificate', () => {
  const party = bound?.agent ?? profile.agents.first
  const client = new Client(bound?.issuer ?? '', party)
  const over = (certificate: ClientCertificate): Fault => ({ certificate, proofs: null })

  verifies('8705-3-01', 'has the thumbprint of the connection’s, and the answer too', async () => {
    for (const certificate of [shown(0), shown(1)]) {
      const cnf = { 'x5t#S256': thumbprint(certificate) }
      expect(cnf['x5t#S256']).toMatch(/^[\w-]{43}$/)
      const reply = await client.alone(atApi(), over(certificate))
      expect(claimsOf(reply)['cnf']).toEqual(cnf)
      expect(reply.json).toMatchObject({ token_type: 'Bearer', cnf })
      // A token for itself, exchanged: the new one is bound by this connection again.
      const own = tokenOf(await client.alone({}, over(certificate)))
      const next = await client.exchange(own, atApi(), over(certificate))
      expect(claimsOf(next)['cnf']).toEqual(cnf)
    }
  })

  verifies('8705-3-01', 'is exchanged over that certificate only', async () => {
    const own = tokenOf(await client.alone({}, over(shown(0))))
    expectNothing(await client.exchange(own, atApi(), over(shown(1))), 400)
    expectNothing(await client.exchange(own, atApi(), { proofs: null }), 400)
  })

  verifies('8705-3-01', 'and to the key of a proof, where one comes beside', async () => {
    const certificate = shown(0)
    const reply = await client.alone({}, { certificate })
    const { cnf } = claimsOf(reply)
    expect(cnf).toEqual({ jkt: client.proofKey.thumbprint, 'x5t#S256': thumbprint(certificate) })
    expect(reply.json['token_type']).toBe('DPoP')
    const own = tokenOf(reply)
    expectNothing(await client.exchange(own, atApi(), over(certificate)), 400)
    expectNothing(await client.exchange(own, atApi(), { certificate: shown(1) }), 400)
    expect((await client.exchange(own, atApi(), { certificate })).status).toBe(200)
  })

  verifies('8705-3.2-01', 'is introspected with its binding', async () => {
    const { issuer, api } = given()
    const certificate = shown(0)
    const token = tokenOf(await client.alone(atApi(), over(certificate)))
    const { json } = await new Client(issuer, api).introspect(token)
    const cnf = { 'x5t#S256': thumbprint(certificate) }
    expect(json).toMatchObject({ active: true, token_type: 'Bearer', cnf })
  })

  verifies('8705-3.3-01', 'is announced', async () => {
    const { json } = await send(`${given().issuer}/.well-known/oauth-authorization-server`)
    expect(json['tls_client_certificate_bound_access_tokens']).toBe(true)
    expect(json['mtls_endpoint_aliases']).toBeUndefined()
  })

  verifies('8705-3.4-01', 'is the only one its client gets', async () => {
    expectNothing(await client.alone(atApi(), { proofs: null }), 400)
    expectNothing(await client.alone(atApi()), 400)
  })

  verifies('8705-6.5-01', 'is bound by no header of a stranger', async () => {
    const { raw } = new X509Certificate(shown(0).cert)
    const value = `:${raw.toString('base64')}:`
    const names = ['Client-Cert', 'CLIENT-CERT', 'X-Forwarded-Client-Cert', 'X-SSL-Client-Cert']
    for (const name of names) {
      for (const lines of [value, [value, value]]) {
        const headers = { [name]: lines }
        expectNothing(await client.alone(atApi(), { headers, proofs: null }), 400)
        const other = await client.alone(atApi(), { ...over(shown(1)), headers })
        expect(claimsOf(other)['cnf']).toEqual({ 'x5t#S256': thumbprint(shown(1)) })
      }
    }
  })
})
