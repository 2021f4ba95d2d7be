import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { protect as protectExpress } from '../../lib/src/adapters/express.ts'
import { protect as protectFastify } from '../../lib/src/adapters/fastify.ts'
import { protect as protectFetch } from '../../lib/src/adapters/fetch.ts'
import { protect as protectKoa } from '../../lib/src/adapters/koa.ts'
import { proofNonces } from '../../lib/src/nonces.ts'
import type { VerificationReport } from '../../lib/src/report.ts'
import type { Verifier } from '../../lib/src/verifier.ts'
import { API, aProof, NOW, signToken } from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED } from '../support/verifier-fixture.ts'

const { origin: ORIGIN } = new URL(API)

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: unknown
}

type Fields = readonly (readonly [string, string])[]
type Send = (fields: Fields, body?: string) => Promise<Answer>

let f: Fixture
const closing: (() => unknown)[] = []
beforeAll(async () => {
  f = await aFixture()
})
afterAll(() => Promise.all(closing.map((close) => close())))

async function listen(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<Send> {
  const server: Server = createServer((request, response) => void listener(request, response))
  closing.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return (fields, body) => send(port, fields, body)
}

function send(port: number, fields: Fields, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = ['host', 'evil.example', ...fields.flat()]
    if (body !== undefined)
      headers.push(
        'content-type',
        'application/x-www-form-urlencoded',
        'content-length',
        `${body.length}`,
      )
    const method = body === undefined ? 'GET' : 'POST'
    const options = { port, host: '127.0.0.1', path: '/api/entries?page=2', method, headers }
    const request = httpRequest(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => {
        const json = /json/.test(response.headers['content-type'] ?? '')
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, body: json ? JSON.parse(text) : text })
      })
    })
    request.on('error', reject).end(body)
  })
}

const shown = (report: VerificationReport) => ({ actor: report.actor.sub, subject: report.subject })

/** One protected route in each framework; each answers with who called for whom. */
const FRAMEWORKS = {
  koa: (verifier: Verifier): Promise<Send> => {
    const app = new Koa()
    app.silent = true
    app.use(async (ctx, next) => {
      Reflect.set(ctx.request, 'body', ctx.method === 'POST' ? { access_token: 'x' } : undefined)
      await next()
    })
    app.use(protectKoa(verifier, NEED))
    app.use((ctx) => {
      ctx.body = shown(ctx.state['verification'] as VerificationReport)
    })
    return listen(app.callback())
  },
  express: (verifier: Verifier): Promise<Send> => {
    const app = express()
    app.use(express.urlencoded({ extended: false }))
    // Mounted, so that the router cuts the path of the request.
    const router = express.Router()
    router.use(protectExpress(verifier, NEED))
    router.use((_request, response) => {
      response.json(shown(response.locals['verification'] as VerificationReport))
    })
    app.use('/api', router)
    return listen(app)
  },
  fastify: async (verifier: Verifier): Promise<Send> => {
    const app = fastify()
    app.decorateRequest('verification', null)
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      async (_request: unknown, text: string) => Object.fromEntries(new URLSearchParams(text)),
    )
    const handler = (request: object) =>
      shown(Reflect.get(request, 'verification') as VerificationReport)
    const route = { url: '/api/entries', preHandler: protectFastify(verifier, NEED), handler }
    app.route({ ...route, method: ['GET', 'POST'] })
    await app.listen({ port: 0, host: '127.0.0.1' })
    closing.push(() => app.close())
    const { port } = app.server.address() as AddressInfo
    return (fields, body) => send(port, fields, body)
  },
}

describe.each(Object.entries(FRAMEWORKS))('%s', (_, start) => {
  let call: Send
  beforeAll(async () => {
    call = await start(f.verifier)
  })
  const credentials = async (shape = {}): Promise<Fields> => {
    const token = await signToken(f.issuerKey, f.claims())
    const dpop = await aProof(f.agentKey, { token, ...shape })
    return [
      ['authorization', `DPoP ${token}`],
      ['dpop', dpop],
    ]
  }

  test('lets a good request through with its report, whatever its Host header', async () => {
    const { status, body } = await call(await credentials())
    expect([status, body]).toEqual([200, { actor: 'writer', subject: 'alice' }])
  })

  test('answers a request without credentials with a challenge and no error', async () => {
    const { status, headers, body } = await call([])
    expect([status, body]).toEqual([
      401,
      { error_description: 'an access token is required', reason: 'token_missing' },
    ])
    expect(headers['www-authenticate']).toBe(
      `DPoP realm="${API}", scope="ledger:propose", algs="ES256 EdDSA RS256"`,
    )
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['content-type']).toMatch(/^application\/json/)
  })

  test('answers a bad proof with its reason', async () => {
    const { status, body } = await call(await credentials({ method: 'PUT' }))
    expect([status, body]).toEqual([
      401,
      {
        error: 'invalid_dpop_proof',
        error_description: 'the proof is for another method',
        reason: 'proof_method_mismatch',
      },
    ])
  })

  test('refuses a proof made for the Host header', async () => {
    const url = 'http://evil.example/api/entries'
    const { status, body } = await call(await credentials({ url }))
    expect([status, body]).toMatchObject([401, { reason: 'proof_url_mismatch' }])
  })

  test('I03 refuses the same request again', async () => {
    const fields = await credentials()
    expect((await call(fields)).status).toBe(200)
    expect((await call(fields)).body).toMatchObject({ reason: 'proof_replayed' })
  })

  test('refuses two Authorization headers with 400', async () => {
    const fields = await credentials()
    const twice: Fields = [...fields, ['Authorization', 'DPoP x']]
    const { status, body } = await call(twice)
    expect([status, body]).toMatchObject([
      400,
      { error: 'invalid_request', reason: 'request_ambiguous' },
    ])
  })

  test('refuses two proofs', async () => {
    const fields = await credentials()
    const { status, body } = await call([...fields, ['DPoP', 'x']])
    expect([status, body]).toMatchObject([401, { reason: 'proof_malformed' }])
  })

  test('refuses a second token in the body with 400', async () => {
    const { status, body } = await call(await credentials({ method: 'POST' }), 'access_token=x')
    expect([status, body]).toMatchObject([400, { reason: 'request_ambiguous' }])
  })

  test('9449-9-01 asks for a nonce, and sends the next one with a good answer', async () => {
    const nonces = proofNonces({ secret: 's'.repeat(32) })
    const strict = await start(f.with({ nonces }))
    const asked = await strict(await credentials())
    const nonce = asked.headers['dpop-nonce']
    expect([asked.status, asked.body]).toMatchObject([401, { error: 'use_dpop_nonce' }])
    const fresh = await strict(await credentials({ claims: { nonce } }))
    expect([fresh.status, fresh.headers['dpop-nonce']]).toEqual([200, undefined])
    const { next } = await nonces({ audience: API, now: () => NOW - 180 }).check(undefined)
    const ending = await strict(await credentials({ claims: { nonce: next } }))
    expect([ending.status, ending.headers['dpop-nonce']]).toEqual([200, nonce])
    expect(ending.headers['cache-control']).toBe('no-store')
  })

  test('hands a fault on instead of answering for it', async () => {
    const broken = { ...f.verifier, verify: () => Promise.reject(new Error('fault')) }
    const faulty = await start(broken)
    const { status } = await faulty(await credentials())
    expect(status).toBe(500)
  })
})

describe('a fetch handler', () => {
  const handle = (verifier: Verifier) =>
    protectFetch(verifier, NEED, (_request, report, env: string) =>
      Response.json({ ...shown(report), env }),
    )

  test('gets the report and everything else it is called with', async () => {
    const token = await signToken(f.issuerKey, f.claims())
    const dpop = await aProof(f.agentKey, { token })
    const headers = { authorization: `DPoP ${token}`, dpop }
    const request = new Request('http://evil.example/api/entries', { headers })
    const response = await handle(f.verifier)(request, 'env')
    expect(await response.json()).toEqual({ actor: 'writer', subject: 'alice', env: 'env' })
  })

  test('is not called for a refusal', async () => {
    const response = await handle(f.verifier)(new Request(`${ORIGIN}/api/entries`), 'env')
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('DPoP realm=')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toMatchObject({ reason: 'token_missing' })
  })
})
