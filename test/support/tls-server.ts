/** The real server with TLS of its own, and clients with certificates. Certificates are of test/support/certificates.ts. */
import type { Send } from './agent-client.ts'
import {
  startAuthorizationServer,
  type TestServer,
  type TestServerOptions,
} from './authorization-server.ts'
import { makeRoot, type TestCertificate } from './certificates.ts'
import { type Connection, connectTo, makeServerCertificate } from './tls-connection.ts'

export interface TlsServer extends TestServer {
  /** Signed the server's certificate; no client's. */
  readonly authority: TestCertificate
  /** Requests over one kept connection of their own. */
  connect(connection?: Connection): Send
}

export async function startTlsServer(options: TestServerOptions = {}): Promise<TlsServer> {
  const authority = await makeRoot()
  const { pem, keyPem } = await makeServerCertificate(authority)
  const environment = {
    ACTCHAIN_TLS_CERT: pem,
    ACTCHAIN_TLS_KEY: keyPem,
    ...options.environment,
  }
  const server = await startAuthorizationServer({ ...options, environment })
  const closing: (() => void)[] = []
  return {
    ...server,
    authority,
    connect: (connection = {}) => {
      const { send, close } = connectTo(authority, connection)
      closing.push(close)
      return send
    },
    close: async () => {
      for (const close of closing) close()
      await server.close()
    },
  }
}
