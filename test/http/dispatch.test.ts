/** The first look at a request: which tenant and endpoint, by exact path; which method; how much and what kind of body. */
import { Agent, request as httpRequest } from 'node:http'
import request from 'supertest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { REASONS, type Reason } from '../../server/core/refusal.ts'
import { createDispatch, type RequestListener } from '../../server/http/dispatch.ts'
import { type AgentClient, ASSERTION_TYPE } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { sendRaw } from './raw-request.ts'

describe('a path', () => {
  let seen: unknown[]
  let listener: RequestListener
  beforeEach(() => {
    seen = []
    listener = createDispatch({
      receive: () => {},
      oauthOf: (tenant) =>
        tenant === 'nobody'
          ? undefined
          : (req, res) => {
              const { originalUrl } = req as { originalUrl?: string }
              seen.push({ tenant, originalUrl, url: req.url })
              res.end()
            },
      admin: (req, res) => {
        seen.push({ admin: req.url })
        res.end()
      },
      status: (req, res) => {
        seen.push({ status: req.url })
        res.end()
      },
      events: (req, res) => {
        seen.push({ events: req.url })
        res.end()
      },
      documents: (req, res) => {
        seen.push({ document: req.url })
        res.end()
      },
    })
  })

  test.each(['/t/acme/token', '/admin/v1/x', '/t/acme/status', '/t/acme/ssf/jwks', '/nothing'])(
    '%s is received before anybody else sees it',
    async (path) => {
      const order: string[] = []
      const answer: RequestListener = (_, res) => {
        order.push('answered')
        res.end()
      }
      const one = createDispatch({
        receive: () => void order.push('received'),
        oauthOf: () => answer,
        admin: answer,
        status: answer,
        events: answer,
        documents: answer,
      })
      await request(one).post(path)
      expect(order).toEqual(['received', 'answered'])
    },
  )

  test.each(['token', 'introspect', 'revoke'])(
    'of the %s endpoint goes to its tenant, without the query',
    async (endpoint) => {
      for (const query of ['', '?', '?grant_type=client_credentials', '?a=/t/globex/token']) {
        await request(listener).post(`/t/acme/${endpoint}${query}`)
      }
      const expected = {
        tenant: 'acme',
        originalUrl: `/t/acme/${endpoint}`,
        url: `/${endpoint}`,
      }
      expect(seen).toEqual([expected, expected, expected, expected])
    },
  )

  test.each(['stream', 'status', 'verify', 'poll/x'].map((path) => `/t/acme/ssf/${path}`))(
    '%s goes to the management API',
    async (path) => {
      await request(listener).post(path)
      expect(seen).toEqual([{ admin: path }])
    },
  )

  test.each([
    '/.well-known/ssf-configuration/t/acme',
    '/t/acme/ssf/jwks',
    '/t/acme/ssf/receive/hr',
  ])('%s goes to the transmitter', async (path) => {
    await request(listener).post(path)
    expect(seen).toEqual([{ events: path }])
  })

  test.each(['/admin/v1/token', '/admin/v1/', '/admin/v1/tenants?limit=1', '/openapi.json?x'])(
    '%s goes to the management API',
    async (path) => {
      await request(listener).post(path)
      expect(seen).toEqual([{ admin: path }])
    },
  )

  test.each(['/t/acme/status', '/t/acme/status/g1-a', '/t/acme/status/', '/t/acme/events?x'])(
    '%s goes to the status lists and their feed',
    async (path) => {
      await request(listener).get(path)
      expect(seen).toEqual([{ status: path }])
    },
  )

  test.each([
    '/admin/v1',
    '/admin/v2/token',
    '/Admin/v1/token',
    '//admin/v1/token',
    '/openapi.json/',
    '/t/acme',
    '/t/acme/',
    '/t/acme/token/',
    '/t/acme/token/x',
    '/t/acme/tokens',
    '/t/acme/Token',
    '/t/Acme/token',
    '/t/nobody/token',
    '/token',
    '/t/acme/me',
    '/t/acme/auth',
    '/t/acme/device/auth',
    '/t/acme/request',
    '/t/acme/events/',
    '/t/acme/statuses',
    '/t/Acme/status',
    '/status',
  ])('%s is for the documents to refuse', async (path) => {
    await request(listener).post(path)
    expect(seen).toEqual([{ document: path }])
  })

  test.each(['get', 'head', 'put', 'patch', 'delete', 'options'] as const)(
    'of an endpoint is not asked with %s',
    async (method) => {
      for (const endpoint of ['token', 'introspect', 'revoke']) {
        const { status, headers } = await request(listener)[method](`/t/acme/${endpoint}`)
        expect(status).toBe(405)
        expect(headers).toMatchObject({ allow: 'POST', 'cache-control': 'no-store' })
      }
      expect(seen).toEqual([])
    },
  )

  test('of an endpoint that is asked with GET is told why', async () => {
    const { body, type } = await request(listener).get('/t/acme/token?grant_type=x')
    expect(type).toBe('application/json')
    expect(body).toEqual({
      error: 'invalid_request',
      error_description: 'this endpoint takes POST',
      reason: 'request_malformed',
    })
  })
})

describe('a request to the token endpoint', () => {
  let server: TestServer
  let origin: string
  let planner: AgentClient
  beforeAll(async () => {
    server = await startAuthorizationServer()
    origin = server.config.publicUrl
    planner = server.client('planner')
  })
  afterAll(() => server.close())

  /** An honest request's parameters, and `more`. */
  const form = (more: Readonly<Record<string, string>> = {}): string =>
    new URLSearchParams({
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: planner.assertion(),
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: server.idToken(),
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      ...more,
    }).toString()

  function expectRefused(
    answer: { readonly status: number; readonly body: unknown; readonly headers: object },
    reason: Reason,
  ): void {
    const { error, status, text } = REASONS[reason]
    expect({ status: answer.status, body: answer.body }).toEqual({
      status,
      body: { error, error_description: text, reason, error_ref: expect.any(String) },
    })
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' })
  }
  const post = () => request(origin).post('/t/acme/token').set('DPoP', planner.proof())

  test('is served as a form', async () => {
    const answer = await post().type('form').send(form())
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ token_type: 'DPoP' })
  })

  test('is served with a charset, and with another case of the type', async () => {
    for (const type of [
      'application/x-www-form-urlencoded;charset=UTF-8',
      'Application/X-WWW-Form-Urlencoded',
    ]) {
      expect((await post().set('Content-Type', type).send(form())).status, type).toBe(200)
    }
  })

  test('is refused with a body of 57 KB, and served with one just below the limit', async () => {
    const large = form({ note: 'x'.repeat(57 * 1024) })
    expectRefused(await post().type('form').send(large), 'request_too_large')
    const most = 56 * 1024
    const start = form({ note: '' })
    const fitting = `${start}${'x'.repeat(most - start.length)}`
    expect(fitting).toHaveLength(most)
    expect((await post().type('form').send(fitting)).status).toBe(200)
    const again = form({ note: '' })
    const above = `${again}${'x'.repeat(most + 1 - again.length)}`
    expectRefused(await post().type('form').send(above), 'request_too_large')
  })

  test('is refused with a large body in chunks, whatever is in it', async () => {
    const answer = await sendChunks(form({ note: 'x'.repeat(100 * 1024) }))
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.text)).toMatchObject({ error: 'invalid_request' })
    expect(answer.text).not.toContain('access_token')
  })

  test('is served with a small body in chunks', async () => {
    const answer = await sendChunks(form())
    expect(answer.status).toBe(200)
  })

  test.each([
    ['application/json', JSON.stringify({ grant_type: 'client_credentials' })],
    ['application/json', '{'],
    ['text/plain', 'grant_type=client_credentials'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/x-www-form-urlencoded-not', 'grant_type=client_credentials'],
    ['application/x-www-form-urlencoded, application/json', 'grant_type=client_credentials'],
    ['form', 'grant_type=client_credentials'],
  ])('is refused as %s', async (type, body) => {
    const answer = await sendRaw(origin, {
      method: 'POST',
      target: '/t/acme/token',
      headers: [`Content-Type: ${type}`],
      body,
    })
    expectRefused(
      { ...answer, body: JSON.parse(answer.body), headers: headersOf(answer.headers) },
      'request_malformed',
    )
  })

  test('without a content type has no parameters: nobody is authenticated', async () => {
    const target = '/t/acme/token'
    const answer = await sendRaw(origin, { method: 'POST', target, body: form() })
    expect(answer.status).not.toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({ reason: 'client_authentication_failed' })
  })

  test('without a body is refused', async () => {
    expectRefused(await post().type('form').send(''), 'client_authentication_failed')
  })

  test('takes nothing from the query', async () => {
    const query = form()
    const answer = await post().query(query).type('form').send('')
    expectRefused(answer, 'client_authentication_failed')
    const more = await post()
      .query({ scope: 'files:write', audience: 'coder-a2a' })
      .type('form')
      .send(form({ scope: 'files:read', audience: 'researcher-a2a' }))
    expect(more.body).toMatchObject({ scope: 'files:read' })
  })

  test('is refused with a method in the body or a header', async () => {
    const { status } = await request(origin)
      .get('/t/acme/token')
      .set('X-HTTP-Method-Override', 'POST')
      .query(form())
    expect(status).toBe(405)
  })

  test.each(['nobody', 'ACME', 'acme.', 'acme%00'])('finds no tenant %s', async (tenant) => {
    const answer = await sendRaw(origin, {
      method: 'POST',
      target: `/t/${tenant}/token`,
      headers: ['Content-Type: application/x-www-form-urlencoded', `DPoP: ${planner.proof()}`],
      body: form(),
    })
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.body)).toMatchObject({ reason: 'not_found' })
  })

  test('is not read over two lengths, nor over a length and chunks', async () => {
    for (const headers of [
      ['Content-Length: 5', 'Content-Length: 6'],
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked, identity'],
    ]) {
      const answer = await sendRaw(origin, { method: 'POST', target: '/t/acme/token', headers })
      expect(answer.status).toBe(400)
      expect(answer.body).toBe('')
    }
  })

  /** Without a Content-Length: the body goes in chunks. */
  function sendChunks(body: string): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const agent = new Agent()
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'transfer-encoding': 'chunked',
        dpop: planner.proof(),
      }
      const sending = httpRequest(`${origin}/t/acme/token`, { method: 'POST', headers, agent })
      sending.on('error', reject)
      sending.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => {
          agent.destroy()
          resolve({ status: response.statusCode ?? 0, text })
        })
      })
      for (let at = 0; at < body.length; at += 8192) sending.write(body.slice(at, at + 8192))
      sending.end()
    })
  }
})

function headersOf(text: string): Record<string, string> {
  const lines = text.split('\r\n').slice(1)
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 2),
    ]),
  )
}
