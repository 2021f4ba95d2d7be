/** A real TLS server in front of a protected route, and connections to it as clients with certificates make them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { makeRoot, type TestCertificate } from '../support/certificates.ts'
import { makeServerCertificate } from '../support/tls-connection.ts'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: { readonly reason?: string; readonly [member: string]: unknown }
  /** The TLS session, to be resumed. */
  readonly session: Buffer | undefined
  readonly resumed: boolean
}

export interface Connection {
  /** What the client shows; none otherwise. */
  readonly certificate?: TestCertificate | undefined
  readonly session?: Buffer | undefined
  readonly version?: 'TLSv1.2' | 'TLSv1.3'
  /** Of a proxy in front of the server. */
  readonly port?: number
}

export type Fields = readonly (readonly [string, string])[]
export type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

export interface TlsResource {
  /** One request, over a connection of its own. */
  call(fields: Fields, connection?: Connection): Promise<Reply>
  readonly port: number
  /** Signed the server's certificate. */
  readonly authority: TestCertificate
  close(): void
}

/** `trusted` signs certificates of proxies; clients may show any. */
export async function serveOverTls(
  listener: Listener,
  trusted?: TestCertificate,
): Promise<TlsResource> {
  const authority = await makeRoot()
  const own = await makeServerCertificate(authority)
  const options = { cert: own.pem, key: own.keyPem, requestCert: true, rejectUnauthorized: false }
  const server = createServer(
    // Whoever needs no authority has one that signs nothing.
    { ...options, ca: (trusted ?? authority).pem },
    (incoming, response) => void listener(incoming, response),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    authority,
    call: (fields, connection = {}) => send(authority, fields, { port, ...connection }),
    close: () => void server.close(),
  }
}

function send(
  authority: TestCertificate,
  fields: Fields,
  { port, certificate, session, version }: Connection,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        ...(port === undefined ? {} : { port }),
        path: '/api/entries',
        headers: ['host', 'evil.example', ...fields.flat()],
        agent: false,
        ca: authority.pem,
        ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
        ...(certificate && { cert: certificate.pem, key: certificate.keyPem }),
        ...(session && { session }),
      },
      (response) => {
        const socket = response.socket as TLSSocket
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response
          const body = JSON.parse(text) as Reply['body']
          const resumed = socket.isSessionReused()
          resolve({ status, headers, body, session: kept ?? socket.getSession(), resumed })
        })
      },
    )
    let kept: Buffer | undefined
    outgoing.on('socket', (socket) => {
      socket.on('session', (given: Buffer) => {
        kept = given
      })
    })
    outgoing.on('error', reject).end()
  })
}
