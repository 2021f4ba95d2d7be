/**
 * A proxy that commits faults: it stands before a good server and changes what it says, so that a check which cannot fail is found
 * out.
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import { buffer, text } from 'node:stream/consumers'
import type { RunCertificates } from './run-certificates.ts'

type Members = Record<string, unknown>

export interface Answer {
  status: number
  headers: Record<string, string | readonly string[] | undefined>
  /** Of a JSON answer. */
  json: Members | undefined
}

export interface Fault {
  readonly what: string
  /** The row that it breaks, and whether a lenient run lets it pass. */
  readonly row: string
  readonly isExcused?: boolean
  /** Changes the form of a request. */
  readonly ask?: (form: URLSearchParams) => void
  /** Changes the answer to a request at this path. */
  readonly answer?: (answer: Answer, path: string) => void
}

export interface Proxy {
  readonly stop: () => Promise<void>
}

/** Listens on `port` and asks the server on `behind`, both on loopback. */
export async function startFaultyProxy(
  { port, behind, tls }: { port: number; behind: number; tls: RunCertificates },
  faults: readonly Fault[],
): Promise<Proxy> {
  const [cert, key, ca] = [tls.cert, tls.key, tls.ca].map((path) => readFileSync(path, 'utf8'))
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    void forward(incoming, outgoing, { behind, ca: ca ?? '', faults })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Forwarding {
  readonly behind: number
  readonly ca: string
  readonly faults: readonly Fault[]
}

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { behind, ca, faults }: Forwarding,
): Promise<void> {
  const { method = 'GET', url = '/', rawHeaders } = incoming
  const form = new URLSearchParams(await text(incoming))
  for (const { ask } of faults) ask?.(form)
  const body = form.toString()
  const headers = rawHeaders.filter((_, at) => !/^content-length$/i.test(rawHeaders[at & ~1] ?? ''))
  const asking = request({ host: '127.0.0.1', port: behind, path: url, method, ca })
  for (let at = 0; at < headers.length; at += 2) {
    asking.appendHeader(headers[at] ?? '', headers[at + 1] ?? '')
  }
  if (body !== '') asking.setHeader('content-length', Buffer.byteLength(body))
  asking.end(body)
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    asking.once('response', resolve)
    asking.once('error', reject)
  })
  const said = await buffer(reply)
  const isJson = reply.headers['content-type']?.startsWith('application/json') === true
  const answer: Answer = {
    status: reply.statusCode ?? 502,
    headers: { ...reply.headers },
    json: isJson ? (JSON.parse(said.toString()) as Members) : undefined,
  }
  for (const fault of faults) fault.answer?.(answer, url.replace(/\?.*$/, ''))
  const told = answer.json === undefined ? said : Buffer.from(JSON.stringify(answer.json))
  delete answer.headers['transfer-encoding']
  answer.headers['content-length'] = String(told.length)
  const given = Object.entries(answer.headers).filter(([, value]) => value !== undefined)
  outgoing.writeHead(answer.status, Object.fromEntries(given) as Record<string, string>)
  outgoing.end(told)
}
