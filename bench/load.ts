/** Sends requests that were signed beforehand: kept-alive connections, sixteen in flight, no work on the way. */
import { Agent, request } from 'node:http'

export const IN_FLIGHT = 16

export interface PreparedRequest {
  readonly path: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly milliseconds: number
}

/** Does all of it, sixteen at a time, as a server with some traffic has it. */
export async function inFlight<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  let at = 0
  const lane = async (): Promise<void> => {
    for (let next = items[at++]; next !== undefined; next = items[at++]) await work(next)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
}

function newAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
}

export class Driver {
  #agent = newAgent()
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  send({ path, body, headers }: PreparedRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const start = performance.now()
      const sent = request(
        { agent: this.#agent, host: '127.0.0.1', port: this.#port, path, method: 'POST', headers },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const milliseconds = performance.now() - start
            const text = Buffer.concat(chunks).toString('utf8')
            resolve({ status: response.statusCode ?? 0, text, milliseconds })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** Milliseconds of each answer. Throws when one of them is not 200: a refusal costs something else. */
  async sendAll(requests: readonly PreparedRequest[]): Promise<readonly number[]> {
    const latencies: number[] = []
    // A connection that rested since the last batch may be closed by the server while it is used again.
    this.close()
    this.#agent = newAgent()
    await inFlight(requests, async (request) => {
      const { status, text, milliseconds } = await this.send(request)
      if (status !== 200) throw new Error(`answered ${status}: ${text.slice(0, 300)}`)
      latencies.push(milliseconds)
    })
    return latencies
  }

  close(): void {
    this.#agent.destroy()
  }
}
