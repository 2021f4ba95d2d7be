/** Threats E08: certificates in headers, with real nginx in front of the real server, and around it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentClient, Answer, Overrides } from '../support/agent-client.ts'
import {
  CLIENT_AUTH,
  makeLeaf,
  makeRoot,
  makeSelfSigned,
  type TestCertificate,
} from '../support/certificates.ts'
import { NO_NGINX, startTlsProxy, type TlsProxy } from '../support/nginx.ts'
import { payloadOf } from '../support/signing.ts'
import { type Connection, makeServerCertificate } from '../support/tls-connection.ts'
import { startTlsServer, type TlsServer } from '../support/tls-server.ts'
import { find, tokenOf } from './fixture.ts'
import { expectRefusal } from './refusal.ts'

const PROXY = '127.0.0.2'
const NO_PROOF: Overrides = { proof: null }
const OWN_WORK = { grant_type: 'client_credentials' }
const CREDENTIALS = {
  client_assertion: undefined,
  client_assertion_type: undefined,
  client_id: 'coder',
}
const unauthenticated = { reason: 'client_authentication_failed' } as const
const unbound = { reason: 'certificate_required' } as const

let server: TlsServer
let proxies: TestCertificate
let proxy: TestCertificate
/** planner has a key and is bound to a certificate; coder has nothing but its certificate. */
let planner: TestCertificate
let coder: TestCertificate

beforeAll(async () => {
  proxies = await makeRoot({ subject: 'CN=Proxies' })
  proxy = await makeLeaf(proxies, { subject: 'CN=nginx', extendedKeyUsage: [CLIENT_AUTH] })
  planner = await makeSelfSigned({ subject: 'CN=agent' })
  coder = await makeSelfSigned({ subject: 'CN=agent' })
  server = await startTlsServer({
    tenants: {
      acme: ({ agents, taskTypes }) => {
        Object.assign(find(agents.agents, 'planner'), { binding: 'mtls' })
        Object.assign(find(agents.agents, 'coder'), {
          binding: 'mtls',
          auth: { method: 'self_signed_tls_client_auth', certificates: [coder.pem] },
        })
        taskTypes.task_types.push({
          ...taskTypes.task_types[0],
          id: 'own-work',
          basis: 'client',
          openers: ['planner', 'coder'],
          subjects_from: [],
          scopes: ['files:read'],
        })
      },
    },
    environment: { ACTCHAIN_PROXIES: PROXY, ACTCHAIN_PROXY_CA: proxies.pem },
  })
})
afterAll(() => server.close())

const header = ({ der }: TestCertificate): string => `:${Buffer.from(der).toString('base64')}:`
const client = (id: string, connection: Connection): AgentClient =>
  server.client(id).over(server.connect(connection))
const askByKey = (connection: Connection): Promise<Answer> =>
  client('planner', connection).token(OWN_WORK, NO_PROOF)
const askByCertificate = (connection: Connection): Promise<Answer> =>
  client('coder', connection).token({ ...OWN_WORK, ...CREDENTIALS }, NO_PROOF)
const bindingOf = (answer: Answer): unknown => payloadOf(tokenOf(answer))['cnf']

/** Every header somebody may take for a certificate, in several spellings, each twice. */
const spoofed = (certificate: TestCertificate): NonNullable<Connection['lines']> =>
  [
    'Client-Cert',
    'CLIENT-CERT',
    'X-Forwarded-Client-Cert',
    'X-SSL-Client-Cert',
    'Ssl-Client-Cert',
  ].flatMap((name) => [[name, header(certificate)] as const, [name, header(certificate)] as const])

describe('E08 around the proxy', () => {
  const strangers = (): Record<string, Connection> => ({
    'a client without a certificate': {},
    'a listed address without a certificate': { localAddress: PROXY },
    'a listed address with another certificate': { localAddress: PROXY, certificate: planner },
    'the proxy’s certificate from another address': { certificate: proxy },
  })

  test.each(Object.keys(strangers()))(
    'E08 a header from %s authenticates nobody and binds nothing',
    async (who) => {
      const connection = strangers()[who]
      for (const lines of [spoofed(coder), [['Client-Cert', header(coder)] as const]]) {
        await expectRefusal(server, unauthenticated, () =>
          askByCertificate({ ...connection, lines }),
        )
      }
      for (const lines of [spoofed(planner), [['Client-Cert', header(planner)] as const]]) {
        await expectRefusal(server, unbound, () => askByKey({ ...connection, lines }))
      }
    },
  )

  test('E08 a client’s own certificate counts, whatever it writes into a header', async () => {
    const lines = spoofed(coder)
    const answer = await askByKey({ certificate: planner, lines })
    expect(bindingOf(answer)).toEqual({ 'x5t#S256': planner.thumbprint })
    await expectRefusal(server, unauthenticated, () =>
      askByCertificate({ certificate: planner, lines }),
    )
  })
})

describe('a proxy', () => {
  const behind = (...lines: (readonly [string, string])[]): Connection => ({
    localAddress: PROXY,
    certificate: proxy,
    lines,
  })

  test('speaks for its clients, and for none where it says nothing', async () => {
    const answer = await askByCertificate(behind(['Client-Cert', header(coder)]))
    expect(bindingOf(answer)).toEqual({ 'x5t#S256': coder.thumbprint })
    await expectRefusal(server, unbound, () => askByKey(behind()))
    await expectRefusal(server, unauthenticated, () =>
      askByCertificate(behind(...spoofed(coder).slice(4))),
    )
  })

  test('is refused where its header is no certificate, and nobody is asked further', async () => {
    const malformed = { reason: 'request_malformed', guard: 'client_certificate_header' } as const
    for (const lines of [
      [['Client-Cert', 'unreadable']],
      [
        ['Client-Cert', header(planner)],
        ['Client-Cert', header(planner)],
      ],
      [
        ['Client-Cert', header(planner)],
        ['Client-Cert-Chain', 'x'],
      ],
    ] as [string, string][][]) {
      await expectRefusal(server, malformed, () => askByKey(behind(...lines)))
      await expectRefusal(server, malformed, () => askByCertificate(behind(...lines)))
    }
  })

  test('I06 its one connection mixes no two clients', async () => {
    const send = server.connect(behind())
    const asked = Array.from({ length: 12 }, async (_, at) => {
      const certificate = at % 2 === 0 ? planner : coder
      const headers = { 'client-cert': header(certificate) }
      const one = server.client(at % 2 === 0 ? 'planner' : 'coder').over(send)
      const form = at % 2 === 0 ? OWN_WORK : { ...OWN_WORK, ...CREDENTIALS }
      const answer = await one.token(form, { ...NO_PROOF, headers })
      expect(bindingOf(answer)).toEqual({ 'x5t#S256': certificate.thumbprint })
    })
    await Promise.all(asked)
  })
})

const title = `behind nginx${NO_NGINX === undefined ? '' : ` (${NO_NGINX})`}`
describe.skipIf(NO_NGINX !== undefined)(title, () => {
  let nginx: TlsProxy
  beforeAll(async () => {
    nginx = await startTlsProxy({
      server: await makeServerCertificate(server.authority),
      client: proxy,
      upstream: server.config.publicUrl,
      authority: server.authority,
      lines: [`proxy_bind ${PROXY};`],
    })
  })
  afterAll(() => nginx?.close())
  const through = (connection: Connection): Connection => ({ ...connection, port: nginx.port })

  test('a certificate authenticates and binds, hop by hop', async () => {
    const first = client('planner', through({ certificate: planner }))
    const opened = await first.open(server.idToken(), { audience: 'coder-a2a' }, NO_PROOF)
    expect(bindingOf(opened)).toEqual({ 'x5t#S256': planner.thumbprint })
    const second = client('coder', through({ certificate: coder }))
    const form = { ...CREDENTIALS, audience: 'files-api' }
    const handed = await second.exchange(tokenOf(opened), form, NO_PROOF)
    expect(bindingOf(handed)).toEqual({ 'x5t#S256': coder.thumbprint })
  })

  test('E08 what a client writes into a header does not arrive', async () => {
    for (const certificate of [undefined, planner]) {
      const connection = through({
        ...(certificate === undefined ? {} : { certificate }),
        lines: spoofed(coder),
      })
      await expectRefusal(server, unauthenticated, () => askByCertificate(connection))
    }
    const answer = await askByKey(through({ certificate: planner, lines: spoofed(coder) }))
    expect(bindingOf(answer)).toEqual({ 'x5t#S256': planner.thumbprint })
    await expectRefusal(server, unbound, () => askByKey(through({ lines: spoofed(planner) })))
  })

  test('a certificate too long for it is refused, not overlooked', async () => {
    const names = Array.from({ length: 60 }, (_, at) => `agent-${at}.agents.acme.example`)
    const long = await makeSelfSigned({
      keyKind: 'RSA-2048',
      names: names.map((value) => ({ type: 'dns', value })),
    })
    await expectRefusal(server, { reason: 'request_malformed' }, () =>
      askByKey(through({ certificate: long })),
    )
  })

  test('E08 where it says the request went changes no issuer and no htu', async () => {
    const lines: Connection['lines'] = [
      ['X-Forwarded-Host', 'evil.example'],
      ['X-Forwarded-Proto', 'http'],
      ['X-Forwarded-Port', '1'],
      ['X-Forwarded-Prefix', '/evil'],
      ['X-Forwarded-For', '203.0.113.9'],
      ['Forwarded', 'host=evil.example;proto=http'],
      ['X-Original-URL', '/t/globex/token'],
    ]
    const one = client('planner', through({ certificate: planner, lines }))
    const answer = await one.token(OWN_WORK)
    const { iss, aud, status } = payloadOf(tokenOf(answer))
    expect([iss, new URL(aud).origin, new URL(status.status_list.uri).origin]).toEqual([
      server.issuer(),
      server.config.publicUrl,
      server.config.publicUrl,
    ])
    for (const htu of [
      'http://evil.example/t/acme/token',
      'https://evil.example/evil/t/acme/token',
    ]) {
      await expectRefusal(server, { reason: 'proof_invalid', guard: 'proof_uri' }, () =>
        one.token(OWN_WORK, { proof: { htu } }),
      )
    }
  })

  test('I06 clients that take turns over kept connections are never mixed up', async () => {
    const planners = client('planner', through({ certificate: planner }))
    const coders = client('coder', through({ certificate: coder }))
    const bare = client('planner', through({}))
    for (let turn = 0; turn < 4; turn++) {
      const [byKey, byCertificate, none] = await Promise.all([
        planners.token(OWN_WORK, NO_PROOF),
        coders.token({ ...OWN_WORK, ...CREDENTIALS }, NO_PROOF),
        bare.token(OWN_WORK, NO_PROOF),
      ])
      expect([bindingOf(byKey), bindingOf(byCertificate), none.body['reason']]).toEqual([
        { 'x5t#S256': planner.thumbprint },
        { 'x5t#S256': coder.thumbprint },
        'certificate_required',
      ])
    }
  })
})
