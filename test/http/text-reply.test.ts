/** Answers that are texts one after the other: no faster than they are read, and cut where they fail. */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sendTexts } from '../../server/http/management/text-reply.ts'

let server: Server | undefined
afterEach(() => server?.close())

interface Served {
  readonly url: string
  readonly outcome: Promise<unknown>
}

/** Answers the first request with these texts; the outcome is what `sendTexts` threw, or undefined. */
async function serve(texts: AsyncIterable<string>): Promise<Served> {
  const outcome = Promise.withResolvers<unknown>()
  server = createServer((_req, res) => {
    sendTexts(res, { status: 200, type: 'application/jsonl', texts }).then(
      () => outcome.resolve(undefined),
      (fault: unknown) => {
        if (!res.headersSent) res.writeHead(503).end()
        outcome.resolve(fault)
      },
    )
  })
  const listening = server
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const { port } = listening.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, outcome: outcome.promise }
}

const LARGE = 'x'.repeat(64 * 1024)

/** Counts what is asked of it, without end. */
function endless(): { readonly texts: AsyncIterable<string>; made: number; isReturned: boolean } {
  const state = { made: 0, isReturned: false }
  async function* texts(): AsyncGenerator<string> {
    try {
      for (;;) {
        state.made += 1
        yield LARGE
      }
    } finally {
      state.isReturned = true
    }
  }
  return Object.assign(state, { texts: texts() })
}

describe('texts', () => {
  test('are sent in their order, as what they are', async () => {
    async function* texts(): AsyncGenerator<string> {
      yield 'a\n'
      yield 'b\n'
    }
    const { url, outcome } = await serve(texts())
    const response = await fetch(url)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/jsonl',
    ])
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.text()).toBe('a\nb\n')
    expect(await outcome).toBeUndefined()
  })

  test('that fail before the first are a fault, and nothing was sent', async () => {
    async function* texts(): AsyncGenerator<string> {
      const none: Promise<string> = Promise.reject(new Error('no first'))
      yield await none
    }
    const { url, outcome } = await serve(texts())
    expect((await fetch(url)).status).toBe(503)
    expect(await outcome).toEqual(new Error('no first'))
  })

  test('that fail later are cut off: what came is not taken for the whole', async () => {
    async function* texts(): AsyncGenerator<string> {
      yield 'a\n'
      throw new Error('no second')
    }
    const { url, outcome } = await serve(texts())
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow()
    expect(await outcome).toEqual(new Error('no second'))
  })

  test('are not made before they can be sent, nor once nobody reads', async () => {
    const source = endless()
    const { url, outcome } = await serve(source.texts)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await new Promise((resolve) => socket.once('readable', resolve))
    // It takes nothing more: what the system holds for it is all there will be.
    const held = await vi.waitFor(async () => {
      const before = source.made
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(source.made).toBe(before)
      return before
    })
    expect(held * LARGE.length).toBeLessThan(64 * 1024 * 1024)
    socket.destroy()
    expect(await outcome).toBeUndefined()
    expect(source.isReturned).toBe(true)
  })
})
