/** Requests as they are written: good HTTP over connections that are kept, and bytes that are none over one that is not. */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { connect } from 'node:tls'

export interface Sent {
  readonly method: string
  readonly url: string
  /** Lines, in their order; names may repeat. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array | undefined
}

export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly milliseconds: number
}

/** What happened instead of an answer. */
export type NoAnswer = { readonly status: 0; readonly because: 'closed' | 'unsendable' | 'late' }

/** Milliseconds a request may take: a server under fuzzing is busy, not slow. */
const LATE = 20_000
/** Of a body that comes in pieces. */
const PAUSE = 20

export class Wire {
  readonly #agent: Agent
  readonly #ca: { readonly ca?: string }

  constructor(caFile: string | undefined) {
    this.#ca = caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16, ...this.#ca })
  }

  /** Never rejects. */
  send(
    { method, url, headers, body }: Sent,
    pace: 'at once' | 'slowly' = 'at once',
  ): Promise<Answer | NoAnswer> {
    const begun = performance.now()
    return new Promise((resolve) => {
      const fail = (because: NoAnswer['because']): void => resolve({ status: 0, because })
      try {
        const outgoing = request(url, { method, agent: this.#agent }, (incoming) => {
          const chunks: Buffer[] = []
          const done = (): void => {
            clearTimeout(timer)
            resolve({
              status: incoming.statusCode ?? 0,
              headers: Object.fromEntries(
                Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
              ),
              text: Buffer.concat(chunks).toString('utf8'),
              milliseconds: performance.now() - begun,
            })
          }
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', () => fail('closed'))
          incoming.on('end', done)
          // A stream of events has no end: that it began is the answer.
          if (incoming.headers['content-type']?.startsWith('text/event-stream') === true) {
            done()
            outgoing.destroy()
          }
        })
        const timer = setTimeout(() => {
          fail('late')
          outgoing.destroy()
        }, LATE)
        outgoing.on('error', () => {
          clearTimeout(timer)
          fail('closed')
        })
        for (const [name, value] of headers) outgoing.appendHeader(name, value)
        if (pace === 'at once' || body === undefined) outgoing.end(body)
        else void trickle(outgoing, body)
      } catch {
        // Node's own client refuses what no header may have.
        fail('unsendable')
      }
    })
  }

  /** Bytes as they are, and what comes back until the server closes; undefined where it does not. */
  sendBytes(url: string, bytes: Uint8Array): Promise<string | undefined> {
    const { hostname, port } = new URL(url)
    return new Promise((resolve) => {
      let text = ''
      const socket = connect({ host: hostname, port: Number(port || 443), ...this.#ca })
      const timer = setTimeout(() => {
        socket.destroy()
        resolve(undefined)
      }, LATE)
      const end = (): void => {
        clearTimeout(timer)
        resolve(text)
      }
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1')
      })
      socket.on('error', end)
      socket.on('close', end)
      socket.on('secureConnect', () => socket.end(bytes))
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

async function trickle(
  outgoing: { write(chunk: Uint8Array): boolean; end(): unknown; readonly destroyed: boolean },
  body: Uint8Array,
): Promise<void> {
  const size = Math.ceil(body.length / 5)
  for (let at = 0; at < body.length && !outgoing.destroyed; at += size) {
    outgoing.write(body.subarray(at, at + size))
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
  outgoing.end()
}
