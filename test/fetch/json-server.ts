/** A real server on loopback that counts requests; http, or https with a certificate of its own. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export interface JsonServer {
  readonly port: number
  readonly origin: string
  /** PEM of the certificate, where there is one. */
  readonly certificate: string | undefined
  readonly requests: () => number
  close(): Promise<void>
}

export async function startHttp(listener: RequestListener): Promise<JsonServer> {
  return listen(createServer(), 'http', listener, undefined)
}

export async function startHttps(name: string, listener: RequestListener): Promise<JsonServer> {
  const { certificate, key } = await makeCertificate(name)
  return listen(createTlsServer({ cert: certificate, key }), 'https', listener, certificate)
}

export function sendJson(value: unknown): RequestListener {
  return (_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(value))
  }
}

async function listen(
  server: Server,
  scheme: string,
  listener: RequestListener,
  certificate: string | undefined,
): Promise<JsonServer> {
  let requests = 0
  server.on('request', (request, response) => {
    requests += 1
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `${scheme}://127.0.0.1:${port}`,
    certificate,
    requests: () => requests,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function makeCertificate(name: string) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  })
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificate: certificate.toString('pem'),
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
  }
}
