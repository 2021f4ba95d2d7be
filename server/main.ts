/** The process: config -> app -> listen -> drain. Signals and arguments are the command line's business. */
import { constants } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type App, type AppEdges, createApp } from './app.ts'
import type { Config } from './config.ts'
import type { RequestListener } from './http/dispatch.ts'
import { StartRefused } from './start-refused.ts'
import { createLog } from './telemetry/log.ts'
import type { Clock } from './use-cases/ports.ts'

export interface RunningServer {
  readonly issuers: readonly string[]
  /** Stops accepting, lets requests under way finish, closes the store. */
  close(): Promise<void>
}

interface Place {
  readonly host: string
  readonly port: number
  /** What the operator changes when the port is taken. */
  readonly setting: string
}

const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) }
/** Milliseconds: a caller that is slower than this holds a socket, not work. */
const REQUEST_TIMEOUT_MS = 10_000
const DRAIN_LIMIT_MS = 5000

/** Throws StartRefused where the operator has to change something first: settings, a tenant's folder, a taken port. */
export async function startServer(
  config: Config,
  edges: Partial<AppEdges> = {},
): Promise<RunningServer> {
  const log = edges.log ?? createLog({ mode: config.mode, level: config.logLevel })
  const app = await createApp(config, { clock: systemClock, ...edges, log })
  const servers: Server[] = []
  try {
    const { host, port, managementPort } = config
    const open = { host, port, setting: 'ACTCHAIN_PORT' }
    servers.push(await listen(publicServer(config, app.listener), open))
    const management = { host, port: managementPort, setting: 'ACTCHAIN_MANAGEMENT_PORT' }
    servers.push(await listen(plainServer(app.health), management))
  } catch (fault) {
    await Promise.all(servers.map(stop))
    await app.close()
    throw fault
  }
  return { issuers: app.issuers, close: () => shutDown(app, servers) }
}

/**
 * No session is resumed: a resumed one has lost the certificates that came beside the client's own, and carries its certificate into
 * a handshake that proved none. Nor is one renegotiated, so a connection's certificate stays what it was.
 */
const FIXED_PEER = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

function publicServer({ tls, proxyCa }: Config, listener: RequestListener): Server {
  if (tls === undefined) return plainServer(listener)
  const { cert, key } = tls
  return createTlsServer(
    {
      cert,
      key: key.reveal(),
      // RFC 9325 §3.1.1: TLS 1.2 at least.
      minVersion: 'TLSv1.2',
      // RFC 8705 §2: asked of everybody, required of nobody here; whose it is, is the client's validator's business.
      requestCert: true,
      rejectUnauthorized: false,
      // Signs certificates of proxies, of nobody else: absent would mean whoever the system trusts.
      ca: proxyCa ?? [],
      secureOptions: FIXED_PEER,
      handshakeTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
    listener,
  )
}

function plainServer(listener: RequestListener): Server {
  return createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, listener)
}

function listen(server: Server, { host, port, setting }: Place): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (fault: NodeJS.ErrnoException) => {
      reject(fault.code === 'EADDRINUSE' ? takenPort(port, setting) : fault)
    })
    server.listen(port, host, () => resolve(server))
  })
}

function takenPort(port: number, setting: string): StartRefused {
  return new StartRefused([`Port ${port} is taken; free it or set ${setting}.`])
}

async function shutDown(app: App, servers: readonly Server[]): Promise<void> {
  app.drain()
  await Promise.all(servers.map(stop))
  await app.close()
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS)
    server.close(() => {
      clearTimeout(limit)
      resolve()
    })
    server.closeIdleConnections()
  })
}
