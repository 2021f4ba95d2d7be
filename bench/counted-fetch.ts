/** A `fetch` that finds an issuer somewhere else than its name says, and counts what it reads of it. */
import type { Fetched } from './watch.ts'

type Kind = 'lists' | 'feed' | 'other'

export class CountedFetch {
  readonly #issuer: string
  readonly #origin: string
  readonly #bytes = { lists: 0, listCount: 0, feed: 0, other: 0 }

  constructor(issuer: string, origin: string) {
    this.#issuer = issuer
    this.#origin = origin
  }

  get fetched(): Fetched {
    return { ...this.#bytes }
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const there = `${this.#origin}${new URL(url).pathname}`
    const response = await globalThis.fetch(there, init)
    const kind = this.#kindOf(url)
    if (kind === 'lists' && response.status === 200) this.#bytes.listCount += 1
    if (response.body === null) return response
    const count = (chunk: Uint8Array): void => {
      this.#bytes[kind] += chunk.length
    }
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        count(chunk)
        controller.enqueue(chunk)
      },
    })
    const { status, headers } = response
    return new Response(response.body.pipeThrough(counter), { status, headers })
  }

  #kindOf(url: string): Kind {
    if (url.startsWith(`${this.#issuer}/status/`)) return 'lists'
    return url === `${this.#issuer}/events` ? 'feed' : 'other'
  }
}
