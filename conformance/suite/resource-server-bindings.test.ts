/** RFC 8705 §3 and RFC 9449 §9 at a resource server: tokens bound to certificates, and nonces of its own. */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { Client } from './client.ts'
import { profile } from './given.ts'
import type { ClientCertificate, Reply } from './http.ts'
import { type Claims, newJwk, newKey } from './jwt.ts'
import { present } from './played-resource-server.ts'
import { call } from './scenario.ts'
import { hasVectors, vector, vectorProfile } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const { server, issuer, client_certificates: files } = vectorProfile()
const withVectors = describe.runIf(hasVectors)

interface Holder extends ClientCertificate {
  readonly der: Buffer
  readonly thumbprint: string
}

function holder(at: number): Holder {
  const { cert = '', key = '' } = files[at] ?? {}
  const pem = readFileSync(cert, 'utf8')
  const der = new X509Certificate(pem).raw
  // RFC 8705 §3.1: base64url, without padding.
  const thumbprint = createHash('sha256').update(der).digest('base64url')
  return { cert: pem, key: readFileSync(key, 'utf8'), der, thumbprint }
}

const boundTo = ({ thumbprint }: Holder, more: Claims = {}): string =>
  vector({ cnf: { 'x5t#S256': thumbprint, ...more } })

function expectInvalid(reply: Reply): void {
  expect([reply.status, reply.json['error']]).toEqual([401, 'invalid_token'])
  expect(reply.headers['www-authenticate']).toMatch(/\bBearer realm="[^"]+", error="invalid_token"/)
}

withVectors('a token bound to a certificate', () => {
  verifies('8705-6.2-01', 'is good with it, though no authority signed it', async () => {
    const own = holder(0)
    expect((await present(boundTo(own), { certificate: own })).status).toBe(200)
  })

  verifies('8705-3-02', 'is invalid_token with another one', async () => {
    expectInvalid(await present(boundTo(holder(0)), { certificate: holder(1) }))
    expectInvalid(await present(boundTo(holder(1)), { certificate: holder(0) }))
  })

  verifies('8705-3-03', 'is no bearer token', async () => {
    expectInvalid(await present(boundTo(holder(0))))
  })

  verifies('8705-6.5-01', 'is not saved by a header that a client writes', async () => {
    const own = holder(0)
    const base64 = own.der.toString('base64')
    const written = {
      'client-cert': `:${base64}:`,
      'client-cert-chain': `:${base64}:`,
      'x-forwarded-client-cert': `Hash=${own.der.toString('hex')};Cert="${encodeURIComponent(own.cert)}"`,
      'x-ssl-client-cert': encodeURIComponent(own.cert),
      'ssl-client-cert': base64,
    }
    for (const [name, value] of Object.entries(written)) {
      for (const certificate of [undefined, holder(1)]) {
        expectInvalid(await present(boundTo(own), { certificate, headers: { [name]: value } }))
      }
    }
  })

  verifies(['8705-3-02', '9449-4.3-07'], 'and to a key needs both', async () => {
    const own = holder(0)
    const agent = new Client(issuer, { client_id: server.actor, jwk: newJwk('a') })
    const token = boundTo(own, { jkt: agent.proofKey.thumbprint })
    const nonce = await nonceFor(agent)
    const by = { uri: server.uri, fault: { proof: { nonce } } }
    const statuses = [
      await call(agent, token, by),
      await call(agent, token, { ...by, certificate: holder(1) }),
      await call(agent, token, { ...by, certificate: own, proof: null }),
      await call(agent, token, {
        ...by,
        certificate: own,
        fault: { proof: { nonce }, proofKey: newKey() },
      }),
      await call(agent, token, { ...by, certificate: own }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([401, 401, 401, 401, 200])
  })
})

/** The nonce the resource server asks for. */
async function nonceFor(agent: Client): Promise<string> {
  const token = vector({ cnf: { jkt: agent.proofKey.thumbprint } })
  const { headers } = await call(agent, token, { uri: server.uri })
  return headers['dpop-nonce'] ?? expect.unreachable()
}

withVectors('nonces of a resource server', () => {
  verifies('9449-9-01', 'are asked for, and no other is one', async () => {
    const agent = new Client(issuer, { client_id: server.actor, jwk: newJwk('a') })
    const token = vector({ cnf: { jkt: agent.proofKey.thumbprint } })
    const ask = (nonce?: unknown) =>
      call(agent, token, { uri: server.uri, fault: { proof: { nonce } } })
    const asked = await ask()
    expect([asked.status, asked.json['error']]).toEqual([401, 'use_dpop_nonce'])
    expect(asked.headers['www-authenticate']).toMatch(
      /\bDPoP realm="[^"]+", error="use_dpop_nonce"/,
    )
    const given = asked.lines.filter(([name]) => name === 'dpop-nonce').map(([, value]) => value)
    expect(given).toEqual([expect.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{16,}$/)])
    const [good] = given
    expect((await ask(good)).status).toBe(200)
    const others = ['', `${good}x`, good?.slice(1), [good], 7, null, await nonceOfServer()]
    for (const nonce of others) expect((await ask(nonce)).json['error']).toBe('use_dpop_nonce')
  })

  verifies(['9449-9-01', '9449-11.3-01'], 'are asked for again and again', async () => {
    const agent = new Client(issuer, { client_id: server.actor, jwk: newJwk('a') })
    const token = vector({ cnf: { jkt: agent.proofKey.thumbprint } })
    const by = { uri: server.uri }
    const nonce = await nonceFor(agent)
    expect((await call(agent, token, { ...by, fault: { proof: { nonce } } })).status).toBe(200)
    expect((await call(agent, token, by)).json['error']).toBe('use_dpop_nonce')
  })
})

/** One of the authorization server, where it has any. */
async function nonceOfServer(): Promise<string | undefined> {
  if (profile.nonces === undefined) return undefined
  const client = new Client(profile.nonces.issuer, profile.nonces.agent)
  const { headers } = await client.alone({ resource: profile.nonces.api.uri })
  return headers['dpop-nonce']
}
