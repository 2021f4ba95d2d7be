/** A short text on its way out: to one configured address, and little comes back (attack case P04). */
import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { createTextSender, type TextAnswer } from '../../server/fetch/text-sender.ts'
import type { WayOutDeps } from '../../server/fetch/way-out.ts'
import { type JsonServer, startHttp } from './json-server.ts'

const servers: JsonServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function http(listener: RequestListener): Promise<JsonServer> {
  const server = await startHttp(listener)
  servers.push(server)
  return server
}

const OPEN = new AbortController().signal

async function sendTo(
  { origin }: JsonServer,
  deps: WayOutDeps = {},
  closing = OPEN,
): Promise<TextAnswer> {
  const send = createTextSender({ loopbackOrigins: new Set([origin]), ...deps }, closing)
  return send({ url: `${origin}/in?a=b`, text: 'a text \u2014\n', authorization: 'Bearer xyz' })
}

const answer =
  (
    status: number,
    body: string | Buffer = '',
    headers: Readonly<Record<string, string>> = {},
  ): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers).end(body)
  }

test('a POST of the text as it is; status, type and text come back', async () => {
  let told: unknown
  const server = await http((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, headers } = request
      told = { method, url, headers, body: Buffer.concat(chunks).toString() }
      response.writeHead(409, { 'content-type': 'Text/X.tlog.size; a=b' }).end('12\n')
    })
  })
  expect(await sendTo(server)).toEqual({
    kind: 'answered',
    status: 409,
    type: 'text/x.tlog.size',
    text: '12\n',
  })
  expect(told).toMatchObject({
    method: 'POST',
    url: '/in?a=b',
    body: 'a text \u2014\n',
    headers: { 'content-type': 'text/plain; charset=utf-8', authorization: 'Bearer xyz' },
  })
})

describe('what is no short text', () => {
  test.each([
    ['too long', answer(200, 'x'.repeat(20_000)), 'too_large'],
    ['no UTF-8', answer(200, Buffer.from([0xff])), 'document_refused'],
    ['encoded', answer(200, 'x', { 'content-encoding': 'gzip' }), 'document_refused'],
    ['a reset', ((_, response) => response.destroy()) as RequestListener, 'unreachable'],
  ])('%s', async (_, listener, why) => {
    expect(await sendTo(await http(listener))).toEqual({ kind: 'failed', why })
  })

  test('without end: no more is read than may be', async () => {
    let sent = 0
    const server = await http((_, response) => {
      const more = (): void => {
        sent += 1
        if (!response.destroyed) response.write('x'.repeat(1024), () => setImmediate(more))
      }
      more()
    })
    expect(await sendTo(server)).toEqual({ kind: 'failed', why: 'too_large' })
    expect(sent).toBeLessThan(10_000)
  })

  test('nothing: the deadline ends it, and so does the end of the process', async () => {
    const server = await http(() => {})
    const deadline = () => AbortSignal.timeout(50)
    expect(await sendTo(server, { deadline })).toEqual({ kind: 'failed', why: 'timeout' })
    const closing = new AbortController()
    const sending = sendTo(server, {}, closing.signal)
    closing.abort()
    expect(await sending).toEqual({ kind: 'failed', why: 'timeout' })
  })
})

test('P04 a redirect is not followed, and takes nothing along', async () => {
  const target = await http(answer(200))
  const server = await http(answer(307, '', { location: `${target.origin}/in` }))
  expect(await sendTo(server)).toMatchObject({ kind: 'answered', status: 307 })
  expect(target.requests()).toBe(0)
})

test.each([
  ['http://log.example/', 'url_refused'],
  ['http://127.0.0.1:8460/', 'url_refused'],
  ['https://user@log.example/', 'url_refused'],
  ['https://10.0.0.1/', 'address_refused'],
  ['https://169.254.169.254/', 'address_refused'],
])('K01 not to %s', async (url, why) => {
  const send = createTextSender({}, OPEN)
  expect(await send({ url, text: '', authorization: undefined })).toEqual({ kind: 'failed', why })
})
