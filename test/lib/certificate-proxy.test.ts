/** A resource server behind nginx, which ends mutual TLS and tells of the client's certificate by RFC 9440. */
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { protect } from '../../lib/src/adapters/koa.ts'
import { forwardedCertificate, hasTrustedCertificate } from '../../lib/src/certificate.ts'
import {
  CLIENT_AUTH,
  makeLeaf,
  makeRoot,
  makeSelfSigned,
  type TestCertificate,
} from '../support/certificates.ts'
import { signToken } from '../support/chain-token.ts'
import { NO_NGINX, startTlsProxy, type TlsProxy } from '../support/nginx.ts'
import { makeServerCertificate } from '../support/tls-connection.ts'
import { aFixture, NEED } from '../support/verifier-fixture.ts'
import { type Connection, type Fields, serveOverTls, type TlsResource } from './tls-resource.ts'

const title = `behind nginx${NO_NGINX === undefined ? '' : ` (${NO_NGINX})`}`

describe.skipIf(NO_NGINX !== undefined)(title, () => {
  let resource: TlsResource
  let proxy: TlsProxy
  let agent: TestCertificate
  let other: TestCertificate
  let large: TestCertificate
  let bound: string

  beforeAll(async () => {
    const f = await aFixture()
    const proxies = await makeRoot({ subject: 'CN=Proxies' })
    const verifier = f.with({ certificateOf: forwardedCertificate(hasTrustedCertificate) })
    const app = new Koa()
    app.use(protect(verifier, NEED))
    app.use((ctx) => {
      ctx.body = {}
    })
    resource = await serveOverTls(app.callback(), proxies)
    const { authority, port } = resource
    proxy = await startTlsProxy({
      server: await makeServerCertificate(authority),
      client: await makeLeaf(proxies, { subject: 'CN=nginx', extendedKeyUsage: [CLIENT_AUTH] }),
      upstream: `https://127.0.0.1:${port}`,
      authority,
    })
    agent = await makeSelfSigned({ subject: 'CN=agent' })
    other = await makeSelfSigned({ subject: 'CN=agent' })
    const names = Array.from({ length: 40 }, (_, at) => `agent-${at}.agents.acme.example`)
    large = await makeSelfSigned({
      keyKind: 'RSA-2048',
      names: names.map((value) => ({ type: 'dns', value })),
    })
    bound = await signToken(f.issuerKey, f.claims({ cnf: { 'x5t#S256': agent.thumbprint } }))
  })
  afterAll(async () => {
    await proxy?.close()
    resource?.close()
  })

  const clientCert = ({ der }: TestCertificate): string =>
    `:${Buffer.from(der).toString('base64')}:`
  const call = (connection: Connection, ...more: Fields) =>
    resource.call([['authorization', `Bearer ${bound}`], ...more], {
      port: proxy.port,
      ...connection,
    })

  test('8705-3-02 I06 the certificate that nginx saw is the one that counts', async () => {
    expect((await call({ certificate: agent })).status).toBe(200)
    expect((await call({ certificate: other })).body.reason).toBe('certificate_mismatch')
    expect((await call({})).body.reason).toBe('certificate_missing')
    // As large as certificates come.
    expect(large.der.length).toBeGreaterThan(1_500)
    expect((await call({ certificate: large })).body.reason).toBe('certificate_mismatch')
  })

  test('8705-6.5-01 what a client writes into the header does not arrive', async () => {
    const headers: Fields = [
      ['Client-Cert', clientCert(agent)],
      ['client-cert', clientCert(agent)],
    ]
    expect((await call({ certificate: other }, ...headers)).body.reason).toBe(
      'certificate_mismatch',
    )
    expect((await call({}, ...headers)).body.reason).toBe('certificate_missing')
    // Nor where it goes around nginx.
    const around = { port: resource.port, certificate: agent }
    expect((await call(around, ...headers)).body.reason).toBe('certificate_missing')
  })

  test('I06 a resumed session has its own certificate, whoever else calls', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = await call({ certificate: agent, version })
      const again = await call({ certificate: other, session: first.session, version })
      expect([again.resumed, again.status]).toEqual([true, 200])
      const none = await call({ version })
      const resumed = await call({ certificate: agent, session: none.session, version })
      expect([resumed.resumed, resumed.body.reason]).toEqual([true, 'certificate_missing'])
    }
  })
})
