/** Security events on their way out (RFC 8935): to one configured https address, and nowhere an answer points to. */
import type { RequestListener } from 'node:http'
import { buildConnector } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import { createEventSender, type SendAnswer } from '../../server/fetch/event-sender.ts'
import type { WayOutDeps } from '../../server/fetch/way-out.ts'
import { type JsonServer, startHttp, startHttps } from './json-server.ts'

const PUBLIC = '93.184.215.14'
const servers: JsonServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function http(listener: RequestListener): Promise<JsonServer> {
  const server = await startHttp(listener)
  servers.push(server)
  return server
}

async function sendTo(
  server: JsonServer,
  { path = '/events', ...deps }: WayOutDeps & { readonly path?: string } = {},
): Promise<SendAnswer> {
  const send = createEventSender({ loopbackOrigins: new Set([server.origin]), ...deps })
  return send({ endpoint: `${server.origin}${path}`, token: 'a.b.c', authorization: undefined })
}

const answer =
  (
    status: number,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }

test('8935-2-01: a POST of the token as it is; 202 is success', async () => {
  let told: unknown
  const server = await http((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, headers } = request
      told = { method, url, headers, body: Buffer.concat(chunks).toString() }
      response.writeHead(202).end()
    })
  })
  const send = createEventSender({ loopbackOrigins: new Set([server.origin]) })
  const event = { endpoint: `${server.origin}/in?a=b`, token: 'a.b.c', authorization: 'Bearer xyz' }
  expect(await send(event)).toEqual({ kind: 'accepted' })
  expect(told).toMatchObject({
    method: 'POST',
    url: '/in?a=b',
    body: 'a.b.c',
    headers: {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: 'Bearer xyz',
    },
  })
})

describe('what else a receiver says', () => {
  test.each([
    [
      '400 with a code',
      answer(400, { err: 'invalid_key' }),
      { kind: 'refused', err: 'invalid_key' },
    ],
    ['400 without one', answer(400, { error: 1 }), { kind: 'refused', err: 'malformed' }],
    [
      '400 with text for a log',
      answer(400, { err: 'a\nb' }),
      { kind: 'refused', err: 'malformed' },
    ],
    [
      '400 that is no JSON',
      answer(400, undefined, { 'content-type': 'text/html' }),
      { kind: 'failed', why: 'status_400' },
    ],
    [
      '400 without end',
      answer(400, { err: 'x'.repeat(10_000) }),
      { kind: 'failed', why: 'too_large' },
    ],
    ['200: not what says accepted', answer(200, {}), { kind: 'failed', why: 'status_200' }],
    ['503', answer(503), { kind: 'failed', why: 'status_503' }],
  ] as const)('%s', async (_, listener, expected) => {
    expect(await sendTo(await http(listener))).toEqual(expected)
  })

  test('a redirect is not followed', async () => {
    const target = await http(answer(202))
    const server = await http(answer(307, undefined, { location: `${target.origin}/events` }))
    expect(await sendTo(server)).toEqual({ kind: 'failed', why: 'status_307' })
    expect(target.requests()).toBe(0)
  })

  test('nothing: the deadline ends it', async () => {
    const server = await http(() => {})
    const deadline = () => AbortSignal.timeout(50)
    expect(await sendTo(server, { deadline })).toEqual({ kind: 'failed', why: 'timeout' })
  })
})

describe('8935-4-01: where it goes', () => {
  test.each([
    ['plain http', 'http://siem.example/events', 'url_refused'],
    ['loopback that is not listed', 'http://127.0.0.1:8462/events', 'url_refused'],
    ['a private network', 'https://10.0.0.1/events', 'address_refused'],
    ['metadata of a cloud', 'https://169.254.169.254/latest', 'address_refused'],
  ])('not to %s', async (_, endpoint, why) => {
    const event = { endpoint, token: 'a.b.c', authorization: undefined }
    expect(await createEventSender({})(event)).toEqual({ kind: 'failed', why })
  })

  test('over TLS to the name in the URL, and to no other name', async () => {
    const server = await startHttps('siem.example', answer(202))
    servers.push(server)
    const toServer = buildConnector({ allowH2: false, ca: server.certificate! })
    const connect: buildConnector.connector = (options, callback) =>
      toServer({ ...options, hostname: '127.0.0.1', port: String(server.port) }, callback)
    const lookup = async () => [PUBLIC]
    const send = createEventSender({ lookup, connect })
    const event = { token: 'a.b.c', authorization: undefined }
    const to = async (endpoint: string) => send({ ...event, endpoint })
    expect(await to('https://siem.example/events')).toEqual({ kind: 'accepted' })
    const refused = { kind: 'failed', why: 'unreachable' }
    expect(await to('https://other.example/events')).toEqual(refused)
    const strict = createEventSender({ lookup: async () => [PUBLIC, '10.0.0.1'], connect })
    const private_ = { kind: 'failed', why: 'address_refused' }
    expect(await strict({ ...event, endpoint: 'https://siem.example/events' })).toEqual(private_)
  })
})
