import type { IncomingMessage, ServerResponse } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { protect as protectExpress } from '../../lib/src/adapters/express.ts'
import { protect as protectFastify } from '../../lib/src/adapters/fastify.ts'
import { protect as protectFetch } from '../../lib/src/adapters/fetch.ts'
import { protect as protectKoa } from '../../lib/src/adapters/koa.ts'
import {
  type CertificateOf,
  forwardedCertificate,
  hasTrustedCertificate,
  tlsCertificate,
} from '../../lib/src/certificate.ts'
import { proofNonces } from '../../lib/src/nonces.ts'
import type { VerifierOptions } from '../../lib/src/options.ts'
import type { Verifier } from '../../lib/src/verifier.ts'
import {
  makeLeaf,
  makeRoot,
  makeSelfSigned,
  type TestCertificate,
} from '../support/certificates.ts'
import { API, aKey, aProof, type Claims, NOW, signToken } from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'
import { type Fields, type Listener, serveOverTls, type TlsResource } from './tls-resource.ts'

// RFC 8705 Appendix A.
const APPENDIX_THUMBPRINT = 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0'
const APPENDIX_CERTIFICATE =
  'MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMz' +
  'cwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW' +
  '9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1' +
  'E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY='

let f: Fixture
/** Signs proxies, and nobody else. */
let proxies: TestCertificate
let proxy: TestCertificate
let agent: TestCertificate
let other: TestCertificate
const closing: (() => unknown)[] = []

beforeAll(async () => {
  f = await aFixture()
  proxies = await makeRoot({ subject: 'CN=Proxies' })
  proxy = await makeLeaf(proxies, { subject: 'CN=proxy' })
  agent = await makeSelfSigned({ subject: 'CN=agent' })
  other = await makeSelfSigned({ subject: 'CN=agent' })
})
afterAll(() => Promise.all(closing.map((close) => close())))

async function serve(
  options: Partial<VerifierOptions>,
  app: (verifier: Verifier) => Promise<Listener> = koaApp,
): Promise<TlsResource> {
  const resource = await serveOverTls(await app(f.with(options)), proxies)
  closing.push(() => resource.close())
  return resource
}

async function koaApp(verifier: Verifier) {
  const app = new Koa()
  app.silent = true
  app.use(protectKoa(verifier, NEED))
  app.use((ctx) => {
    ctx.body = {}
  })
  return app.callback()
}

async function expressApp(verifier: Verifier) {
  const app = express()
  app.get('/api/entries', protectExpress(verifier, NEED), (_request, response) => {
    response.json({})
  })
  return app
}

async function fastifyApp(verifier: Verifier) {
  const app = fastify()
  app.decorateRequest('verification', null)
  app.get('/api/entries', { preHandler: protectFastify(verifier, NEED) }, async () => ({}))
  await app.ready()
  closing.push(() => app.close())
  return (request: IncomingMessage, response: ServerResponse) => app.routing(request, response)
}

const tokenFor = (cnf: Claims): Promise<string> => signToken(f.issuerKey, f.claims({ cnf }))
const boundTo = ({ thumbprint }: TestCertificate) => tokenFor({ 'x5t#S256': thumbprint })
const bearing = (token: string, ...more: Fields): Fields => [
  ['authorization', `Bearer ${token}`],
  ...more,
]
const clientCert = ({ der }: TestCertificate): [string, string] => [
  'client-cert',
  `:${Buffer.from(der).toString('base64')}:`,
]

describe.each([
  ['koa', koaApp],
  ['express', expressApp],
  ['fastify', fastifyApp],
] as const)('a token bound to a certificate, over TLS of node: %s', (_, app) => {
  let resource: TlsResource
  beforeAll(async () => {
    resource = await serve({ certificateOf: tlsCertificate }, app)
  })

  test('8705-6.2-01 I06 is taken with that certificate, though nobody signed it', async () => {
    const fields = bearing(await boundTo(agent))
    expect(await resource.call(fields, { certificate: agent })).toMatchObject({ status: 200 })
  })

  test.each([
    ['8705-3-02 I06 another certificate', 'certificate_mismatch', () => other],
    ['8705-3-03 I06 none', 'certificate_missing', () => undefined],
  ])('is refused as invalid_token under Bearer with %s', async (_name, reason, shown) => {
    const certificate = shown()
    const { status, headers, body } = await resource.call(bearing(await boundTo(agent)), {
      certificate,
    })
    expect([status, body]).toMatchObject([401, { error: 'invalid_token', reason }])
    expect(headers['www-authenticate']).toMatch(/^Bearer realm="[^"]+", error="invalid_token"/)
  })

  test('8705-6.5-01 a Client-Cert header of the client is nothing', async () => {
    const fields = bearing(await boundTo(agent), clientCert(agent))
    for (const certificate of [undefined, other])
      expect((await resource.call(fields, { certificate })).status).toBe(401)
  })
})

describe('tokens bound to a certificate', () => {
  test('8705-3-03 are refused where no place of certificates is given, whatever the client shows', async () => {
    const resource = await serve({})
    const fields = bearing(await boundTo(agent), clientCert(agent))
    const { status, headers, body } = await resource.call(fields, { certificate: agent })
    expect([status, body.reason]).toEqual([401, 'certificate_missing'])
    expect(headers['www-authenticate']).not.toContain('Bearer')
  })

  test('I01 come under Bearer, and never under DPoP', async () => {
    const resource = await serve({ certificateOf: tlsCertificate })
    const token = await boundTo(agent)
    const dpop = await aProof(f.agentKey, { token })
    const fields: Fields = [
      ['authorization', `DPoP ${token}`],
      ['dpop', dpop],
    ]
    const { body } = await resource.call(fields, { certificate: agent })
    expect(body.reason).toBe('scheme_mismatch')
  })

  test('I02 I03 I06 bound to a key too need both, and the proof is used once', async () => {
    const resource = await serve({ certificateOf: tlsCertificate })
    const token = await tokenFor({ jkt: f.agentKey.thumbprint, 'x5t#S256': agent.thumbprint })
    const proven = async (): Promise<Fields> => [
      ['authorization', `DPoP ${token}`],
      ['dpop', await aProof(f.agentKey, { token })],
    ]
    const reasonFor = async (fields: Fields, certificate?: TestCertificate) =>
      (await resource.call(fields, { certificate })).body.reason
    expect(await reasonFor(await proven())).toBe('certificate_missing')
    expect(await reasonFor(await proven(), other)).toBe('certificate_mismatch')
    expect(await reasonFor(bearing(token), agent)).toBe('scheme_mismatch')
    expect(await reasonFor([['authorization', `DPoP ${token}`]], agent)).toBe('proof_missing')
    const stranger = await aProof(await aKey(), { token })
    const byStranger: Fields = [
      ['authorization', `DPoP ${token}`],
      ['dpop', stranger],
    ]
    expect(await reasonFor(byStranger, agent)).toBe('proof_key_mismatch')
    const good = await proven()
    expect(await reasonFor(good, agent)).toBeUndefined()
    expect(await reasonFor(good, agent)).toBe('proof_replayed')
  })

  test('I04 need no nonce where a certificate alone binds them, and one where a key does too', async () => {
    const nonces = proofNonces({ secret: 's'.repeat(32) })
    const resource = await serve({ certificateOf: tlsCertificate, nonces })
    const alone = await resource.call(bearing(await boundTo(agent)), { certificate: agent })
    expect(alone.status).toBe(200)
    const token = await tokenFor({ jkt: f.agentKey.thumbprint, 'x5t#S256': agent.thumbprint })
    const call = async (nonce?: unknown) => {
      const dpop = await aProof(f.agentKey, { token, claims: { nonce } })
      const fields: Fields = [
        ['authorization', `DPoP ${token}`],
        ['dpop', dpop],
      ]
      return resource.call(fields, { certificate: agent })
    }
    const asked = await call()
    expect([asked.status, asked.body['error']]).toEqual([401, 'use_dpop_nonce'])
    expect((await call(asked.headers['dpop-nonce'])).status).toBe(200)
    const { next } = await nonces({ audience: API, now: () => NOW - 180 }).check(undefined)
    const ending = await call(next)
    expect([ending.status, ending.headers['dpop-nonce']]).toEqual([
      200,
      asked.headers['dpop-nonce'],
    ])
  })

  test('ask for the certificate only where the token holds and is bound to one', async () => {
    let asked = 0
    const certificateOf: CertificateOf = async () => {
      asked += 1
      return agent.thumbprint
    }
    const verifier = f.with({ certificateOf })
    const call = (token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      return reasonOf(verifier.verify(new Request(URL_CALLED, { headers }), NEED))
    }
    expect(await f.outcome(f.claims(), {}, verifier)).toBe('accepted')
    const good = await boundTo(agent)
    expect(await call(`${good.slice(0, -8)}AAAAAAAA`)).toBe('signature_invalid')
    expect(asked).toBe(0)
    expect(await call(good)).toBe('accepted')
    expect(asked).toBe(1)
  })
})

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a resumed session, %s', (version) => {
  test('I06 has the certificate of its first handshake, whatever is shown with it', async () => {
    const resource = await serve({ certificateOf: tlsCertificate })
    const ofAgent = bearing(await boundTo(agent))
    const ofOther = bearing(await boundTo(other))
    const { session } = await resource.call(ofAgent, { certificate: agent, version })
    for (const certificate of [agent, other, undefined]) {
      const again = await resource.call(ofAgent, { certificate, session, version })
      expect([again.resumed, again.status]).toEqual([true, 200])
      const mixed = await resource.call(ofOther, { certificate, session, version })
      expect([mixed.resumed, mixed.body.reason]).toEqual([true, 'certificate_mismatch'])
    }
  })

  test('8705-6.5-01 that never had a certificate has none, and is no proxy', async () => {
    const certificateOf = forwardedCertificate(hasTrustedCertificate)
    const resource = await serve({ certificateOf })
    const fields = bearing(await boundTo(agent), clientCert(agent))
    const { session } = await resource.call(fields, { version })
    const again = await resource.call(fields, { session, version })
    expect([again.resumed, again.body.reason]).toEqual([true, 'certificate_missing'])
    const direct = await serve({ certificateOf: tlsCertificate })
    const first = await direct.call(fields, { version })
    const resumed = await direct.call(fields, {
      certificate: agent,
      session: first.session,
      version,
    })
    expect([resumed.resumed, resumed.body.reason]).toEqual([true, 'certificate_missing'])
  })
})

test('I06 two clients at once keep their own certificates', async () => {
  const resource = await serve({ certificateOf: tlsCertificate })
  const tokens = [await boundTo(agent), await boundTo(other)]
  const replies = await Promise.all(
    [agent, other, agent, other].flatMap((certificate) =>
      tokens.map((token) => resource.call(bearing(token), { certificate })),
    ),
  )
  const statuses = replies.map(({ status }) => status)
  expect(statuses).toEqual([200, 401, 401, 200, 200, 401, 401, 200])
})

describe('behind a proxy that ends TLS', () => {
  let resource: TlsResource
  beforeAll(async () => {
    resource = await serve({ certificateOf: forwardedCertificate(hasTrustedCertificate) })
  })
  const reasonFor = async (fields: Fields, certificate: TestCertificate | undefined = proxy) =>
    (await resource.call(fields, { certificate })).body.reason

  test('8705-6.5-01 I06 the Client-Cert header of the proxy counts, of anyone else it is nothing', async () => {
    const fields = bearing(await boundTo(agent), clientCert(agent))
    expect(await reasonFor(fields)).toBeUndefined()
    expect(await reasonFor(bearing(await boundTo(agent), clientCert(other)))).toBe(
      'certificate_mismatch',
    )
    const impostor = await makeLeaf(await makeRoot({ subject: 'CN=Proxies' }), {
      subject: 'CN=proxy',
    })
    for (const certificate of [agent, other, impostor])
      expect(await reasonFor(fields, certificate)).toBe('certificate_missing')
    const { body } = await resource.call(fields)
    expect(body.reason).toBe('certificate_missing')
  })

  test('the proxy’s own certificate is no client’s', async () => {
    expect(await reasonFor(bearing(await boundTo(proxy)))).toBe('certificate_missing')
    const expired = await makeLeaf(proxies, { notAfter: new Date(Date.now() - 60_000) })
    expect(await reasonFor(bearing(await boundTo(agent), clientCert(agent)), expired)).toBe(
      'certificate_missing',
    )
  })

  test('two headers are none', async () => {
    const token = await boundTo(agent)
    const one = clientCert(agent)
    expect(await reasonFor(bearing(token, one, one))).toBe('certificate_missing')
    expect(await reasonFor(bearing(token, one, ['Client-Cert', '']))).toBe('certificate_missing')
    const [name, value] = one
    expect(await reasonFor(bearing(token, [name, `${value}, ${value}`]))).toBe(
      'certificate_missing',
    )
  })
})

describe('a Client-Cert header', () => {
  const yes = forwardedCertificate(() => true)
  const ofHeader = (value: string, from: CertificateOf = yes) =>
    from(new Request(URL_CALLED, { headers: { 'client-cert': value } }))
  const base64 = () => Buffer.from(agent.der).toString('base64')

  test('is one byte sequence, as RFC 9440 shows it', async () => {
    expect(await ofHeader(`:${base64()}:`)).toBe(agent.thumbprint)
    // RFC 8705 Appendix A: the certificate and its thumbprint.
    expect(await ofHeader(`:${APPENDIX_CERTIFICATE}:`)).toBe(APPENDIX_THUMBPRINT)
    expect(await yes({ rawHeaders: ['Client-Cert', `:${base64()}:`] })).toBe(agent.thumbprint)
    expect(await yes(new Request(URL_CALLED))).toBeUndefined()
    expect(await yes({})).toBeUndefined()
  })

  test.each<[string, (text: string) => string]>([
    ['no colons', (text) => text],
    ['one colon', (text) => `:${text}`],
    ['two values', (text) => `:${text}:, :${text}:`],
    ['a parameter', (text) => `:${text}:;a=1`],
    ['base64url', () => ':_-Aa:'],
    ['a blank inside', (text) => `:${text.slice(0, 8)} ${text.slice(8)}:`],
    ['no padding', () => ':AAA:'],
    ['too much padding', () => ':AAAA====:'],
    ['spare bits', () => ':AAB=:'],
    ['nothing', () => '::'],
    ['PEM', (text) => `-----BEGIN CERTIFICATE----- ${text} -----END CERTIFICATE-----`],
    ['escaped PEM', (text) => encodeURIComponent(`-----BEGIN CERTIFICATE-----\n${text}`)],
    ['more than any certificate', () => `:${'A'.repeat(16_384)}:`],
  ])('is nothing with %s', async (_, spelling) => {
    expect(await ofHeader(spelling(base64()))).toBeUndefined()
  })

  test.each<[string, () => unknown]>([
    ['no', () => false],
    ['nothing', () => undefined],
    ['something', () => 'yes'],
    ['a promise', async () => true],
  ])('is nothing where the answer to "is it our proxy" is %s', async (_, answer) => {
    const from = forwardedCertificate(answer as () => boolean)
    expect(await ofHeader(`:${base64()}:`, from)).toBeUndefined()
  })

  test('8705-6.5-01 reaches a fetch handler where its server says so', async () => {
    const fromUs = new WeakSet<Request>()
    const certificateOf = forwardedCertificate((request: Request) => fromUs.has(request))
    const handle = protectFetch(f.with({ certificateOf }), NEED, () => new Response('good'))
    const headers = Object.fromEntries(bearing(await boundTo(agent), clientCert(agent)))
    expect((await handle(new Request(URL_CALLED, { headers }))).status).toBe(401)
    const request = new Request(URL_CALLED, { headers })
    fromUs.add(request)
    expect((await handle(request)).status).toBe(200)
  })
})

test('a request without TLS has no certificate', async () => {
  for (const request of [{}, { socket: null }, { socket: {} }, new Request(URL_CALLED)]) {
    expect(await tlsCertificate(request)).toBeUndefined()
    expect(hasTrustedCertificate(request)).toBe(false)
  }
  const empty = { socket: { authorized: true, getPeerCertificate: () => ({}) } }
  expect(await tlsCertificate(empty)).toBeUndefined()
  expect(hasTrustedCertificate(empty)).toBe(false)
})
