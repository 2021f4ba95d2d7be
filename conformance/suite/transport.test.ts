/** What carries requests: TLS and nothing else, and no more of it than is good for a server. */
import { request } from 'node:http'
import { describe, expect } from 'vitest'
import { metadata } from './documents.ts'
import { FORM_TYPE, type Reply, send } from './http.ts'
import { exchange, second } from './scenario.ts'
import { verifies } from './verifies.ts'

/** What the same host and port say to a request without TLS; undefined where they say nothing. */
function plainly(url: string): Promise<number | undefined> {
  const { hostname, port, pathname } = new URL(url)
  return new Promise((resolve) => {
    const asking = request({ hostname, port, path: pathname, method: 'POST' }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asking.once('error', () => resolve(undefined))
    asking.end()
  })
}

describe('tokens', () => {
  verifies(
    ['8693-6-01', '6749-3.2-05'],
    'every endpoint is https, and answers nothing else',
    async () => {
      const urls = Object.entries(metadata).filter(([name]) => /_(?:endpoint|uri)$/.test(name))
      expect(urls.length).toBeGreaterThan(1)
      for (const [name, url] of urls) expect({ name, url }).toMatchObject({ url: /^https:/ })
      const status = await plainly(second.url('token'))
      // A hint to come by https is no answer of the endpoint.
      if (status !== undefined) expect([301, 308, 400, 403, 404, 421, 426]).toContain(status)
    },
    ['second'],
  )
})

describe('too much', () => {
  /** A body larger than any request has reason to be. Undefined: the connection was ended over it. */
  async function sent(url: string): Promise<Reply | undefined> {
    const body = `token=${'x'.repeat(2_000_000)}`
    const headers = { 'content-type': FORM_TYPE }
    return send(url, { method: 'POST', headers, body }).catch(() => undefined)
  }

  verifies(
    '7009-5-01',
    'is refused at revocation as at the token endpoint, and does no harm',
    async () => {
      for (const endpoint of ['token', 'revocation'] as const) {
        const reply = await sent(second.url(endpoint))
        if (reply !== undefined) expect([400, 401, 413, 429]).toContain(reply.status)
      }
      expect((await exchange()).status).toBe(200)
    },
    ['exchange', 'revocation'],
  )
})
