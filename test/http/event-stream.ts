/** Listens to Server-Sent Events on a real socket, reading every line of the protocol as it came. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http'

export interface StreamEvent {
  readonly id: string
  readonly event: string
  readonly data: string
}

export class EventStream {
  readonly events: StreamEvent[] = []
  readonly response: IncomingMessage
  /** `whole`: the server ended it as HTTP says; `cut`: the connection went away. */
  readonly ended: Promise<'whole' | 'cut'>
  readonly #request: ClientRequest
  #text = ''
  #taken = 0
  #wake: (() => void)[] = []

  private constructor(asked: ClientRequest, response: IncomingMessage) {
    this.#request = asked
    this.response = response
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => this.#read(chunk))
    this.ended = new Promise((resolve) => {
      response.once('close', () => resolve(response.complete ? 'whole' : 'cut'))
      response.once('error', () => resolve('cut'))
    })
  }

  /** Resolves with the answer's head; a refusal is an answer too. */
  static open(
    url: string,
    options: {
      readonly headers?: Readonly<Record<string, string>>
      readonly localAddress?: string
      /** Reads nothing of the body. */
      readonly isDeaf?: boolean
    } = {},
  ): Promise<EventStream> {
    const { headers = {}, localAddress, isDeaf = false } = options
    return new Promise((resolve, reject) => {
      const asked = request(url, {
        agent: false,
        headers: { accept: 'text/event-stream', ...headers },
        ...(localAddress === undefined ? {} : { localAddress }),
      })
      asked.once('error', reject)
      asked.once('response', (response) => {
        asked.on('error', () => {})
        const stream = new EventStream(asked, response)
        if (isDeaf) response.pause()
        resolve(stream)
      })
      asked.end()
    })
  }

  get status(): number {
    return this.response.statusCode ?? 0
  }

  /** The next event nobody took yet; rejects when none comes in time, or the stream is over. */
  async next(milliseconds = 10_000): Promise<StreamEvent> {
    const deadline = Date.now() + milliseconds
    for (;;) {
      const event = this.events[this.#taken]
      if (event !== undefined) {
        this.#taken += 1
        return event
      }
      const left = deadline - Date.now()
      if (left <= 0 || this.response.destroyed) throw new Error('no event came')
      await this.#change(left)
    }
  }

  /** Of a refusal. */
  async body(): Promise<string> {
    await this.ended
    return this.#text
  }

  close(): void {
    this.#request.destroy()
  }

  #change(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.response.off('close', wake)
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      this.#wake.push(wake)
      this.response.once('close', wake)
    })
  }

  #read(chunk: string): void {
    this.#text += chunk
    if (!String(this.response.headers['content-type']).startsWith('text/event-stream')) return
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const lines = this.#text.slice(0, end).split('\n')
      this.#text = this.#text.slice(end + 2)
      const [id, event, data, ...more] = lines.map(
        (line) => /^(?:id|event|data): (.*)$/.exec(line)?.[1],
      )
      if (id === undefined || event === undefined || data === undefined || more.length > 0) {
        throw new Error(`not an event of ours: ${lines.join('|')}`)
      }
      this.events.push({ id, event, data })
    }
    for (const wake of this.#wake.splice(0)) wake()
  }
}
