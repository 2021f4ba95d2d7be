/** What a running server tells of its requests: to its record, its metrics, its collector and its log. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { entriesPath, logFolder } from '../../server/audit/log-paths.ts'
import { createLog } from '../../server/telemetry/log.ts'
import { operatorOf } from '../support/admin-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { newKey } from '../support/signing.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = `00-${TRACE}-00f067aa0ba902b7-01`

interface Watched {
  readonly server: TestServer
  readonly receiver: OtlpReceiver
  /** Lines of the log, as they were written. */
  readonly lines: string[]
  /** Ends the server, so that all it traced has been sent. */
  end(): Promise<void>
}

async function startWatched(): Promise<Watched> {
  const receiver = await startOtlpReceiver()
  const lines: string[] = []
  const to = { write: (line: string) => void lines.push(line) }
  const server = await startAuthorizationServer({
    environment: { ACTCHAIN_OTLP_URL: receiver.url },
    log: createLog({ mode: 'production', level: 'debug', to }),
  })
  return {
    server,
    receiver,
    lines,
    end: async () => {
      await server.close()
      await receiver.close()
    },
  }
}

function metricsOf({ config }: TestServer): Promise<string> {
  return fetch(`http://127.0.0.1:${config.managementPort}/metrics`).then((answer) => answer.text())
}

describe('a request of an agent', () => {
  let watched: Watched
  let ref: string
  beforeAll(async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-leaked=sentinel')
    vi.stubEnv('OTEL_EXPORTER_OTLP_COMPRESSION', 'gzip')
    watched = await startWatched()
    const { server } = watched
    const planner = server.client('planner')
    const headers = { traceparent: CALLER, tracestate: 'vendor=sentinel' }
    const form = { audience: 'researcher-a2a', scope: 'files:read' }
    expect((await planner.open(server.idToken(), form, { headers })).status).toBe(200)
    const refused = await planner.open(server.idToken(), { audience: 'nowhere' }, { headers })
    expect(refused.status).toBe(400)
    ref = String(refused.body['error_ref'])
    await planner.token({ grant_type: 'x' }, { headers: { traceparent: `${CALLER}\t` } })
    await planner.token({ grant_type: 'x' }, { headers: { traceparent: `01${CALLER.slice(2)}` } })
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await watched.end()
  })

  test('keeps its caller’s well-formed traceparent in its entry, and no other', () => {
    const entries = watched.server.audit().filter(({ event }) => event === 'token')
    const kept = entries.map(({ traceparent }) => traceparent as unknown)
    // A tab at the end of a header is none of it (RFC 9110 §5.5).
    expect(kept).toEqual([CALLER, CALLER, CALLER, undefined])
  })

  test('is counted', async () => {
    const text = await metricsOf(watched.server)
    const series = 'actchain_requests_total{endpoint="token",tenant="acme",'
    expect(text).toContain(`${series}outcome="permit",reason="none"} 1`)
    expect(text).toContain(`${series}outcome="refuse",reason="grant_unsupported"} 2`)
    expect(text).toContain('actchain_tokens_issued_total{tenant="acme",way_in="root"} 1')
    expect(text).toContain('actchain_audit_entries_total{tenant="acme",code="token.issued"} 1')
    expect(text).toMatch(/^actchain_audit_commit_entries_count [1-9]/m)
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m)
  })

  test('is one line at debug, with its time', () => {
    const answers = watched.lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => event === 'answered')
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 400])
    expect(answers[1]).toEqual({
      level: 'debug',
      time: expect.any(String),
      event: 'answered',
      endpoint: 'token',
      tenant: 'acme',
      client: 'planner',
      outcome: 'refuse',
      reason: 'target_not_permitted',
      ref,
      status: 400,
      ms: expect.any(Number),
    })
  })

  test('is a span under its caller’s, and so are its parts', async () => {
    const { server, receiver } = watched
    await server.stop()
    const spans = receiver.spans().filter(({ traceId }) => traceId === TRACE)
    const [opened] = spans.filter(({ attributes }) => attributes['actchain.outcome'] === 'permit')
    expect(opened).toMatchObject({ name: 'token', kind: 2, parentSpanId: '00f067aa0ba902b7' })
    const partsOf = (id: string | undefined) =>
      spans.filter(({ parentSpanId }) => parentSpanId === id)
    const parts = partsOf(opened?.spanId)
    expect(parts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['authenticate', 'prove', 'decide']),
    )
    const decide = parts.find(({ name }) => name === 'decide')
    expect(partsOf(decide?.spanId).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['store', 'sign', 'audit']),
    )
    expect(new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)))).toEqual(
      new Set([
        'actchain.endpoint',
        'actchain.tenant',
        'actchain.outcome',
        'actchain.reason',
        'actchain.client',
        'actchain.ref',
        'actchain.txn',
        'http.response.status_code',
      ]),
    )
  })

  test('is sent as the settings say, whatever else the environment says', () => {
    expect(watched.receiver.headers.length).toBeGreaterThan(0)
    for (const headers of watched.receiver.headers) {
      expect(headers['x-leaked']).toBeUndefined()
      expect(headers['content-encoding']).toBeUndefined()
    }
    expect(process.env['OTEL_EXPORTER_OTLP_HEADERS']).toBeUndefined()
  })
})

test('a request of the management API is counted, traced and on record like any other', async () => {
  const watched = await startWatched()
  const { server } = watched
  const operator = await operatorOf(server)
  const headers = { traceparent: CALLER }
  expect((await operator.get('/tenants', { headers })).status).toBe(200)
  expect((await operator.get('/tenants/nobody-at-all/agents', { headers })).status).toBe(404)
  expect((await operator.get('/nowhere', { headers })).status).toBe(404)
  const text = await metricsOf(server)
  expect(text).toContain(
    'actchain_requests_total{endpoint="sign_in",tenant="_platform",outcome="permit",reason="none"} 1',
  )
  // The name of a tenant there is not is a text of the caller.
  expect(text).toContain(
    'actchain_requests_total{endpoint="management",tenant="_platform",outcome="refuse",reason="not_found"} 2',
  )
  const entries = server.audit().filter(({ event }) => event === 'management')
  const traced = entries.filter(({ traceparent }) => traceparent === CALLER)
  expect(traced.map(({ action }) => action as unknown)).toEqual(['list_agents'])
  await watched.end()
  expect(watched.receiver.texts.join('')).not.toContain('nobody-at-all')
  expect(text).not.toContain('nobody-at-all')
})

test('a client that is only named, and did not prove it, is named nowhere', async () => {
  const watched = await startWatched()
  const { server } = watched
  const headers = { traceparent: CALLER }
  const forged = { assertionKey: newKey('planner-1'), headers }
  const planner = server.client('planner')
  expect((await planner.token({ grant_type: 'client_credentials' }, forged)).status).toBe(401)
  await watched.end()
  const [line] = watched.lines.filter((text) => text.includes('"answered"'))
  expect(JSON.parse(line ?? '')).toMatchObject({ reason: 'client_authentication_failed' })
  expect(line).not.toContain('planner')
  expect(watched.receiver.spans().map(({ name }) => name)).toContain('token')
  expect(watched.receiver.texts.join('')).not.toContain('planner')
})

test('who listens to the feed is counted while it does', async () => {
  const server = await startAuthorizationServer()
  const leave = new AbortController()
  const { signal } = leave
  await fetch(`${server.issuer()}/events`, { signal, headers: { accept: 'text/event-stream' } })
  expect(await metricsOf(server)).toContain('actchain_feed_listeners 1\n')
  leave.abort()
  await vi.waitFor(async () =>
    expect(await metricsOf(server)).toContain('actchain_feed_listeners 0\n'),
  )
  await fetch(`${server.issuer()}/status`)
  await fetch(`${server.issuer()}/jwks`)
  expect(await metricsOf(server)).toMatch(
    /^actchain_public_requests_total{endpoint="documents",status="2xx"} 1$/m,
  )
  await server.close()
})

test('N02 a log whose tail was cut is told at /readyz, in the metrics and in the log', async () => {
  const server = await startAuthorizationServer()
  const { dataFolder, managementPort } = server.config
  const ask = () => server.client('planner').token({ grant_type: 'x' })
  await ask()
  await server.stop()
  const path = entriesPath(logFolder(dataFolder, 'acme'))
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.lastIndexOf('\n', -2) + 1))
  await server.start()
  expect((await ask()).status).toBe(400)
  const ready = `http://127.0.0.1:${managementPort}/readyz`
  await vi.waitFor(async () => {
    const answer = await fetch(ready)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { status: 'ready', audit: 'damaged' },
    ])
  }, 10_000)
  expect(await metricsOf(server)).toContain('actchain_audit_damaged{log="acme"} 1')
  expect(server.logged.map(({ event }) => event)).toContain('audit_damaged')
  await server.close()
})

test('a collector that refuses is told once, and stops nobody', async () => {
  const watched = await startWatched()
  const { server, receiver } = watched
  receiver.answerWith(401)
  const planner = server.client('planner')
  const ask = () =>
    planner.open(server.idToken(), { audience: 'researcher-a2a', scope: 'files:read' })
  expect((await ask()).status).toBe(200)
  await vi.waitFor(() => expect(receiver.texts).toHaveLength(1), 5000)
  expect((await ask()).status).toBe(200)
  expect(await metricsOf(server)).toContain('actchain_trace_export_failures_total 1')
  await watched.end()
  expect(receiver.texts).toHaveLength(2)
  const told = watched.lines.filter((line) => line.includes('traces_not_exported'))
  expect(told).toHaveLength(1)
})

test('who names no collector does not load what could trace', () => {
  const folder = resolve(import.meta.dirname, '../../server')
  const loading = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== join('telemetry', 'traces.ts'))
    .filter((path) =>
      /^import (?!type ).*(?:@opentelemetry\/|telemetry\/traces\.ts|\.\/traces\.ts)/m.test(
        readFileSync(join(folder, path), 'utf8'),
      ),
    )
  expect(loading).toEqual([])
})
