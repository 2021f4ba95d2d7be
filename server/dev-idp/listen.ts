/**
 * The development identity provider on a socket: loopback only, under one host name, on keys of its own.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createIdentityProvider, type IdentityProviderOptions } from './identity-provider.ts'

export interface ListenOptions extends Omit<IdentityProviderOptions, 'issuer'> {
  /** 0 takes any free port. */
  readonly port: number
}

export interface RunningIdentityProvider {
  readonly issuer: string
  close(): Promise<void>
}

/** Resolves when it answers. Rejects with the listener's error, `EADDRINUSE` for a taken port. */
export async function listen(options: ListenOptions): Promise<RunningIdentityProvider> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = `http://${host}`
  const answer = createIdentityProvider({ ...options, issuer }).callback()
  server.on('request', (request, response) => {
    // A page whose name was rebound to 127.0.0.1 would be same-origin with us: only our own name is served.
    if (request.headers.host === host) return void answer(request, response)
    response.writeHead(421, { 'content-type': 'text/plain' }).end(`Use ${issuer}.\n`)
  })
  return { issuer, close: () => close(server) }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
