import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { reviewToken } from '../../server/fetch/token-review.ts'
import type { WayOutDeps } from '../../server/fetch/way-out.ts'
import { type JsonServer, startHttp, startHttps } from './json-server.ts'

const AUDIENCE = 'https://actchain.example/t/acme'
const good = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  status: {
    authenticated: true,
    user: { username: 'system:serviceaccount:agents:planner', uid: 'u-1', groups: ['all'] },
    audiences: [AUDIENCE],
  },
}

let cluster: JsonServer
let answer: { status: number; type: string; body: string; location?: string }
let seen: { method: unknown; url: unknown; authorization: unknown; body: unknown }[] = []
beforeAll(async () => {
  cluster = await startHttp((request, response) => {
    void bodyOf(request).then((body) => {
      const { method, url, headers } = request
      seen.push({ method, url, authorization: headers.authorization, body: JSON.parse(body) })
      const { location } = answer
      response
        .writeHead(answer.status, { 'content-type': answer.type, ...(location && { location }) })
        .end(answer.body)
    })
  })
})
afterAll(async () => cluster.close())
beforeEach(() => {
  seen = []
  answer = { status: 201, type: 'application/json', body: JSON.stringify(good) }
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

async function ask(
  deps: WayOutDeps = { loopbackOrigins: new Set([cluster.origin]) },
  url = cluster.origin,
) {
  return reviewToken(deps, { url, bearer: 'ours', token: 'theirs', audience: AUDIENCE })
}

/** The good answer with another status. */
const withStatus = (status: unknown) => JSON.stringify({ ...good, status })
const { authenticated, user, audiences } = good.status

test('the cluster is asked once, as its API wants it', async () => {
  expect(await ask()).toEqual({
    username: 'system:serviceaccount:agents:planner',
    uid: 'u-1',
    audiences: [AUDIENCE],
  })
  expect(seen).toEqual([
    {
      method: 'POST',
      url: '/apis/authentication.k8s.io/v1/tokenreviews',
      authorization: 'Bearer ours',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token: 'theirs', audiences: [AUDIENCE] },
      },
    },
  ])
})

describe('what the cluster does not vouch for', () => {
  test.each([
    ['not authenticated', { authenticated: false, user: {}, error: 'token has expired' }],
    ['nothing said', { user, audiences }],
    ['authenticated in words', { authenticated: 'true', user, audiences }],
    ['for another audience', { authenticated, user, audiences: ['https://kubernetes'] }],
    ['for no audience', { authenticated, user }],
    ['for an audience that is no list', { authenticated, user, audiences: AUDIENCE }],
    ['inherited', JSON.parse('{"__proto__": {"authenticated": true}}')],
  ])('%s', async (_, status) => {
    answer.body = withStatus(status)
    expect(await ask()).toBeUndefined()
  })
})

describe('K02: what is no answer', () => {
  test.each([
    ['another kind', JSON.stringify({ ...good, kind: 'SubjectAccessReview' })],
    ['another version', JSON.stringify({ ...good, apiVersion: 'authentication.k8s.io/v1beta1' })],
    ['no status', JSON.stringify({ ...good, status: undefined })],
    ['a status in words', withStatus('authenticated')],
    ['nobody authenticated', withStatus({ authenticated, audiences })],
    ['no JSON', '{'],
    ['a list', '[]'],
  ])('%s', async (_, body) => {
    answer.body = body
    await expect(ask()).rejects.toMatchObject({ code: 'document_refused' })
  })

  test.each([202, 301, 307, 308, 400, 401, 403, 500])('K01: a %i', async (status) => {
    answer = { ...answer, status, location: `${cluster.origin}/elsewhere` }
    await expect(ask()).rejects.toMatchObject({ code: 'status_refused' })
    expect(seen).toHaveLength(1)
  })

  test('an answer in another form, or too large', async () => {
    answer.type = 'text/html'
    await expect(ask()).rejects.toMatchObject({ code: 'not_json' })
    answer = { status: 200, type: 'application/json', body: ' '.repeat(64 * 1024 + 1) }
    await expect(ask()).rejects.toMatchObject({ code: 'too_large' })
  })

  test('one that never comes ends at the deadline', async () => {
    const deps = { loopbackOrigins: new Set([cluster.origin]), deadline: () => AbortSignal.abort() }
    await expect(ask(deps)).rejects.toMatchObject({ code: 'timeout' })
    expect(seen).toEqual([])
  })
})

describe('K01: where the tokens go', () => {
  test.each([
    'http://127.0.0.1:1/',
    'https://127.0.0.1/',
    'https://169.254.169.254/',
    'https://10.0.0.1/',
    'https://[::ffff:7f00:1]/',
    'https://2130706433/',
    'https://user@cluster.example/',
    'https://cluster.example:22/',
    'file:///etc/passwd',
    'kubernetes',
  ])('not to %s', async (url) => {
    const connect = () => expect.unreachable()
    await expect(ask({ lookup: async () => ['10.0.0.1'], connect }, url)).rejects.toMatchObject({
      code: expect.stringMatching(/^(address_refused|url_refused)$/),
    })
  })

  test("to the cluster's own certificate alone", async () => {
    const own = await startHttps('127.0.0.1', (_, response) => {
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(good))
    })
    const other = await startHttps('other.example', () => undefined)
    try {
      const deps = { loopbackOrigins: new Set([own.origin]) }
      await expect(ask(deps, own.origin)).rejects.toMatchObject({ code: 'unreachable' })
      for (const ca of [other.certificate ?? '', 'no certificate']) {
        await expect(ask({ ...deps, ca }, own.origin)).rejects.toMatchObject({
          code: 'unreachable',
        })
      }
      expect(own.requests()).toBe(0)
    } finally {
      await Promise.all([own.close(), other.close()])
    }
  })

  test('and to one that the given authority signed', async () => {
    const own = await startHttps('cluster.example', (_, response) => {
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(good))
    })
    const origin = `https://cluster.example:${own.port}`
    const listed = { loopbackOrigins: new Set([origin]), lookup: async () => ['127.0.0.1'] }
    try {
      expect(await ask({ ...listed, ca: own.certificate ?? '' }, origin)).toMatchObject({
        uid: 'u-1',
      })
    } finally {
      await own.close()
    }
  })
})
