/** Liveness and readiness, on the management port alone. */
import { type IncomingMessage, type ServerResponse } from 'node:http'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHealth, type HealthDeps } from '../../server/http/health.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'

const no = (): boolean => false
const listenerOf = (isReady: () => boolean, faults: Partial<HealthDeps> = {}) =>
  createHealth({
    isReady,
    isFailing: no,
    isDamaged: no,
    metrics: async () => ({ type: 'text/plain', text: 'metrics' }),
    ...faults,
  }).callback() as (req: IncomingMessage, res: ServerResponse) => void

describe('health', () => {
  test('a process that serves is alive and ready', async () => {
    const listener = listenerOf(() => true)
    const [live, ready] = [
      await request(listener).get('/livez'),
      await request(listener).get('/readyz'),
    ]
    expect([live.status, live.body]).toEqual([200, { status: 'alive' }])
    expect([ready.status, ready.body]).toEqual([200, { status: 'ready' }])
  })

  test('one that drains is alive, and not ready', async () => {
    const listener = listenerOf(() => false)
    const [live, ready] = [
      await request(listener).get('/livez'),
      await request(listener).get('/readyz'),
    ]
    expect([live.status, live.body]).toEqual([200, { status: 'alive' }])
    expect([ready.status, ready.body]).toEqual([503, { status: 'draining' }])
  })

  test('one whose record cannot be written is ready, for revocations, and says that it issues nothing', async () => {
    const listener = listenerOf(() => true, { isFailing: () => true })
    const ready = await request(listener).get('/readyz')
    expect([ready.status, ready.body]).toEqual([200, { status: 'ready', issuing: 'failing' }])
  })

  test('N02 a log that does not fit its checkpoint is said at each look', async () => {
    const listener = listenerOf(() => true, { isDamaged: () => true })
    const ready = await request(listener).get('/readyz')
    expect([ready.status, ready.body]).toEqual([200, { status: 'ready', audit: 'damaged' }])
  })

  test('readiness is asked anew at each look', async () => {
    let isReady = true
    const listener = listenerOf(() => isReady)
    const look = async (): Promise<number> => (await request(listener).get('/readyz')).status
    expect(await look()).toBe(200)
    isReady = false
    expect(await look()).toBe(503)
  })

  test('no answer is kept by a cache, and no other path is there', async () => {
    const listener = listenerOf(() => true)
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await request(listener).get(path)).headers['cache-control']).toBe('no-store')
    }
    for (const path of ['/', '/livez/', '/LIVEZ', '/metrics/', '/t/acme/jwks', '/t/acme/token']) {
      expect((await request(listener).get(path)).status, path).toBe(404)
    }
  })
})

describe('a running server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startAuthorizationServer()
  })
  afterAll(() => server.close())

  test('tells its health on the management port, where nothing else is', async () => {
    const management = `http://127.0.0.1:${server.config.managementPort}`
    expect((await request(management).get('/livez')).status).toBe(200)
    expect((await request(management).get('/readyz')).body).toEqual({ status: 'ready' })
    for (const path of ['/t/acme/jwks', '/.well-known/oauth-authorization-server/t/acme']) {
      expect((await request(management).get(path)).status).toBe(404)
    }
    expect((await request(management).post('/t/acme/token').type('form').send('')).status).toBe(404)
  })

  test('tells nothing of it on the public port', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await request(server.config.publicUrl).get(path)).status).toBe(404)
    }
  })
})
