/** One request with its target exactly as written: clients would tidy dots, slashes and fragments before they send. */
import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly headers: string
  readonly body: string
}

export interface RawRequest {
  readonly method?: string
  readonly target: string
  /** Undefined: the server's own; `null`: no such header. */
  readonly host?: string | null
  readonly headers?: readonly string[]
  readonly body?: string
}

export function sendRaw(origin: string, request: RawRequest): Promise<RawAnswer> {
  const { hostname, port, host: own } = new URL(origin)
  const { method = 'GET', target, host = own, headers = [], body = '' } = request
  const head = [
    `${method} ${target} HTTP/1.1`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...headers,
    'Connection: close',
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    })
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => {
      const end = text.indexOf('\r\n\r\n')
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1])
      resolve({ status, headers: text.slice(0, end), body: text.slice(end + 4) })
    })
  })
}
