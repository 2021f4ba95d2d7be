/** TLS connections of tests: each with the client certificate, the chain beside it and the local address that a test wants. */
import { Agent, type RequestOptions, request } from 'node:https'
import type { Send } from './agent-client.ts'
import { makeLeaf, SERVER_AUTH, type TestCertificate } from './certificates.ts'

export interface Connection {
  /** What the client shows; none otherwise. */
  readonly certificate?: TestCertificate
  /** What it sends beside it, nearest issuer first. */
  readonly chain?: readonly TestCertificate[]
  /** Such as `127.0.0.2`: every address of 127.0.0.0/8 is this machine. */
  readonly localAddress?: string
  /** Put in front of every request, several lines of a name as they stand. */
  readonly lines?: readonly (readonly [string, string])[]
  /** Where to connect, instead of the origin of the URL. */
  readonly port?: number
}

/** `authority` signed the certificate of the server. */
export function connectTo(
  authority: TestCertificate,
  connection: Connection,
): { readonly send: Send; readonly close: () => void } {
  const agent = agentOf(authority, connection)
  return {
    send: (url, outgoing) => sendBy({ ...connection, agent }, url, outgoing),
    close: () => agent.destroy(),
  }
}

/** For a listener at 127.0.0.1. */
export function makeServerCertificate(authority: TestCertificate): Promise<TestCertificate> {
  return makeLeaf(authority, {
    subject: 'CN=127.0.0.1',
    extendedKeyUsage: [SERVER_AUTH],
    names: [{ type: 'ip', value: '127.0.0.1' }],
  })
}

function agentOf(authority: TestCertificate, { certificate, chain = [] }: Connection): Agent {
  const shown = certificate && {
    cert: [certificate, ...chain].map(({ pem }) => pem).join(''),
    key: certificate.keyPem,
  }
  return new Agent({ keepAlive: true, maxSockets: 1, ca: authority.pem, ...shown })
}

type Outgoing = Parameters<Send>[1]

/** Lines of a name that are sent as several stay several. */
function sendBy(
  { agent, localAddress, port, lines = [] }: Connection & { readonly agent: Agent },
  url: string,
  { method, body, headers }: Outgoing,
): Promise<Response> {
  const options: RequestOptions = {
    method,
    agent,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(port === undefined ? {} : { port }),
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const own = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])
        const text = Buffer.concat(chunks).toString('utf8')
        const status = incoming.statusCode ?? 0
        // A Response of these has no body.
        const hasNone = [204, 304].includes(status)
        resolve(new Response(hasNone ? null : text, { status, headers: own as [string, string][] }))
      })
    })
    outgoing.on('error', reject)
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
    for (const [name, value] of lines) outgoing.appendHeader(name, value)
    outgoing.end(body)
  })
}
