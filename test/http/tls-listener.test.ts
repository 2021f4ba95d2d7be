/** The server's own TLS: each connection is a handshake of its own, and its certificate stays what it was. */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { find, tokenOf } from '../attacks/fixture.ts'
import { makeSelfSigned, type TestCertificate } from '../support/certificates.ts'
import { payloadOf } from '../support/signing.ts'
import { startTlsServer, type TlsServer } from '../support/tls-server.ts'

let server: TlsServer
let own: TestCertificate
let other: TestCertificate

beforeAll(async () => {
  own = await makeSelfSigned()
  other = await makeSelfSigned()
  server = await startTlsServer({
    tenants: {
      acme: ({ agents, taskTypes }) => {
        find(agents.agents, 'planner')['binding'] = 'mtls'
        taskTypes.task_types.push({
          ...taskTypes.task_types[0],
          id: 'own-work',
          basis: 'client',
          subjects_from: [],
        })
      },
    },
  })
})
afterAll(() => server.close())

interface Client {
  readonly certificate?: TestCertificate
  readonly session?: Buffer | undefined
  readonly version?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
}

async function handshake({ certificate, session, version }: Client): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: server.config.port,
    ca: server.authority.pem,
    ...(certificate && { cert: certificate.pem, key: certificate.keyPem }),
    ...(session && { session }),
    ...(version && { minVersion: version, maxVersion: version }),
    // So that a client of this age could speak as it likes.
    ...(version === 'TLSv1.1' && { ciphers: 'DEFAULT@SECLEVEL=0' }),
  })
  await once(socket, 'secureConnect')
  return socket
}

/** One request for a token by planner's key: what it is bound to, or the reason there is none. */
async function bindingOver(socket: TLSSocket): Promise<unknown> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: server.client('planner').assertion(),
  }).toString()
  socket.write(
    [
      'POST /t/acme/token HTTP/1.1',
      'Host: as.example',
      'Connection: close',
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  )
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const [, text = '{}'] = Buffer.concat(chunks).toString('utf8').split('\r\n\r\n')
  const answer = JSON.parse(text)
  return answer.access_token === undefined ? answer.reason : payloadOf(answer.access_token)['cnf']
}

const boundTo = ({ thumbprint }: TestCertificate) => ({ 'x5t#S256': thumbprint })

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
  test('a session is not resumed: who shows no certificate has none, who shows another has that', async () => {
    const first = await handshake({ certificate: own, version })
    let session: Buffer | undefined = first.getSession()
    first.on('session', (ticket: Buffer) => {
      session = ticket
    })
    expect(await bindingOver(first)).toEqual(boundTo(own))
    expect(session).toBeInstanceOf(Buffer)
    for (const [certificate, expected] of [
      [undefined, 'certificate_required'],
      [other, boundTo(other)],
      [own, boundTo(own)],
    ] as const) {
      const again = await handshake({ ...(certificate && { certificate }), session, version })
      expect(again.isSessionReused()).toBe(false)
      expect(await bindingOver(again)).toEqual(expected)
    }
  })
})

test('nobody changes a certificate within a connection', async () => {
  const socket = await handshake({ certificate: own, version: 'TLSv1.2' })
  const fault = await new Promise<unknown>((resolve) => {
    socket.once('error', resolve)
    socket.once('close', () => resolve('closed'))
    socket.renegotiate({}, resolve)
  })
  expect(fault).not.toBeNull()
  socket.destroy()
})

test('nothing below TLS 1.2', async () => {
  const answer = expect(handshake({ version: 'TLSv1.1' })).rejects
  await answer.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
})

test('a certificate is asked for and not required', async () => {
  const socket = await handshake({})
  socket.destroy()
  const planner = server.client('planner')
  const answer = await planner.over(server.connect({ certificate: own })).token({
    grant_type: 'client_credentials',
  })
  expect(payloadOf(tokenOf(answer))['cnf']).toMatchObject(boundTo(own))
})

test('the metadata says that tokens can be bound to certificates', async () => {
  const url = `${server.issuer()}/.well-known/oauth-authorization-server`
  const answer = await server.connect()(url, { method: 'GET', body: '', headers: {} })
  const metadata = (await answer.json()) as Record<string, unknown>
  expect(metadata['tls_client_certificate_bound_access_tokens']).toBe(true)
})
