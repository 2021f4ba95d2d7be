/** An anchor by HTTP over real sockets: the note goes there as it is, and nowhere else. */
import type { RequestListener } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createTextSender } from '../../server/fetch/text-sender.ts'
import type { AnchorAnswer } from '../../server/use-cases/checkpoint-anchor.ts'
import { createHttpAnchor } from '../../server/use-cases/post-checkpoint.ts'
import { type JsonServer, startHttp } from '../fetch/json-server.ts'

const servers: JsonServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function listen(listener: RequestListener): Promise<JsonServer> {
  const server = await startHttp(listener)
  servers.push(server)
  return server
}

async function offerTo(
  { origin }: JsonServer,
  authorization: () => Promise<string | undefined> = async () => undefined,
): Promise<AnchorAnswer> {
  const send = createTextSender(
    { loopbackOrigins: new Set([origin]) },
    new AbortController().signal,
  )
  const anchor = createHttpAnchor({
    url: `${origin}/checkpoints`,
    post: async (url, text, credential) => send({ url, text, authorization: credential }),
    authorization,
  })
  expect(anchor.name).toBe(`http ${new URL(origin).host}`)
  return anchor.offer({ log: 'acme', note: 'a note\n', size: 3, newestSize: async () => 3 })
}

const say =
  (status: number, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end()

test('the note is the body, and the credential the operator named goes with it', async () => {
  const seen: unknown[] = []
  const server = await listen((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => {
      seen.push([request.method, request.url, request.headers.authorization, body])
      response.writeHead(201).end()
    })
  })
  expect(await offerTo(server, async () => 'Bearer first')).toEqual({ kind: 'kept' })
  expect(await offerTo(server)).toEqual({ kind: 'kept' })
  expect(seen).toEqual([
    ['POST', '/checkpoints', 'Bearer first', 'a note\n'],
    ['POST', '/checkpoints', undefined, 'a note\n'],
  ])
})

test.each([
  [204, { kind: 'kept' }],
  [401, { kind: 'refused', why: 'status_401' }],
  [409, { kind: 'refused', why: 'status_409' }],
  [429, { kind: 'failed', why: 'status_429' }],
  [500, { kind: 'failed', why: 'status_500' }],
] as const)('%i', async (status, expected) => {
  expect(await offerTo(await listen(say(status)))).toEqual(expected)
})

test('P04 a redirect takes neither note nor credential anywhere', async () => {
  const target = await listen(say(200))
  const server = await listen(say(307, { location: `${target.origin}/checkpoints` }))
  const answer = await offerTo(server, async () => 'Bearer secret')
  expect(answer).toEqual({ kind: 'failed', why: 'status_307' })
  expect(target.requests()).toBe(0)
})

test('without the credential it asks for, nothing is sent', async () => {
  const server = await listen(say(200))
  const missing = async () => Promise.reject(new Error('/run/secrets/anchor'))
  expect(await offerTo(server, missing)).toEqual({ kind: 'failed', why: 'token_unreadable' })
  expect(server.requests()).toBe(0)
})
