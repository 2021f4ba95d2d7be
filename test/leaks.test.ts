/**
 * Sentinels in everything a caller sends, and every text that is a credential: none of it comes out again, in no body, header,
 * line of the log at any level, metric, span, audit entry, printed error or console.
 */
import crypto from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { auditFolder } from '../server/audit/log-paths.ts'
import { createLog } from '../server/telemetry/log.ts'
import { type Stage, setStage, tokenOf } from './attacks/fixture.ts'
import { POSITION_NAMES, POSITIONS, signAsStranger } from './attacks/positions.ts'
import { PRODUCERS, type Reachable } from './attacks/producers.ts'
import { expectRefused } from './attacks/refusal.ts'
import { personOf, tenantFiles } from './support/admin-client.ts'
import { faultsOf } from './support/coded-entries.ts'
import { readLogs } from './support/embedded-store.ts'
import { clientOf, personAt } from './support/manage-client.ts'
import { type OtlpReceiver, startOtlpReceiver } from './support/otlp-receiver.ts'
import { epoch, payloadOf } from './support/signing.ts'

const SENTINEL = 'sentinel-2f1c9b'
const CREDENTIALS = [
  'client_assertion',
  'subject_token',
  'actor_token',
  'token',
  'refresh_token',
  'code',
]

/** Everything that was sent and must not come back, and everything that came out. */
const secrets = new Set<string>()
const outputs: string[] = []
const realFetch = globalThis.fetch

/** Lines of the log, as they were written. */
const lines: string[] = []

let stage: Stage
let collector: OtlpReceiver
beforeAll(async () => {
  collector = await startOtlpReceiver()
  const to = { write: (line: string) => void lines.push(line) }
  stage = await setStage({
    environment: { ACTCHAIN_OTLP_URL: collector.url },
    log: createLog({ mode: 'production', level: 'debug', to }),
  })
  vi.stubGlobal('fetch', plantingFetch)
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream)
    vi.spyOn(stream, 'write').mockImplementation((chunk: string | Uint8Array) => {
      outputs.push(Buffer.from(chunk).toString())
      return write(chunk)
    })
  }
})
afterAll(async () => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  await stage.close()
  await collector.close()
})

/** Adds sentinels to a request where nobody asked for them, and keeps what it sends and receives. */
async function plantingFetch(
  url: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  const { body: given } = init
  const plain = given instanceof URLSearchParams ? given.toString() : given
  const sent = typeof plain === 'string' ? plain : ''
  const form = new URLSearchParams(sent)
  for (const name of CREDENTIALS) for (const value of form.getAll(name)) addSecret(value)
  const headers = new Headers(init.headers)
  for (const name of ['dpop', 'authorization']) addSecret(headers.get(name) ?? '')
  headers.set('user-agent', `${SENTINEL}-agent`)
  if (init.body instanceof URLSearchParams) {
    headers.set('content-type', 'application/x-www-form-urlencoded')
  }
  headers.set('x-unknown', `${SENTINEL}-header`)
  headers.set('traceparent', `00-${SENTINEL}-01`)
  for (const name of ['tracestate', 'baggage']) headers.set(name, `name=${SENTINEL}`)
  const isJson = headers.get('content-type')?.includes('json') === true
  const planted = isJson ? sent : `${sent}&unknown=${SENTINEL}-parameter`
  const body = init.method === 'POST' ? planted : null
  const response = await realFetch(url, { ...init, headers, body })
  const text = await response.clone().text()
  const token = /"access_token":"([^"]+)"/.exec(text)?.[1] ?? ''
  addSecret(token)
  outputs.push(text.replaceAll(token === '' ? '\0' : token, ''), inspect([...response.headers]))
  return response
}

/** A token leaks as a whole, and by its payload or signature. A short text is too common to tell. */
function addSecret(text: string): void {
  const [, payload = '', signature = ''] = text.split('.')
  for (const part of [text, payload, signature]) if (part.length >= 24) secrets.add(part)
}

describe('what is refused does not come out', () => {
  test.each(Object.keys(PRODUCERS) as Reachable[])(
    'nothing of a request refused with %s',
    async (reason) => {
      const planted: Stage = {
        ...stage,
        server: {
          ...stage.server,
          idToken: (user, agent, claims) =>
            stage.server.idToken(user, agent, { ...claims, note: `${SENTINEL}-claim` }),
        },
      }
      await PRODUCERS[reason](planted)
      expectNoLeak()
    },
  )

  test.each(POSITION_NAMES)('nothing of a forged or malformed %s', async (name) => {
    const note = `${SENTINEL}-claim`
    const { make } = POSITIONS[name]
    const { header, payload, sign, send } = await make(stage)
    const marked = { ...payload, note, jti: `${SENTINEL}-id` }
    for (const text of [
      signAsStranger({ ...header, note }, marked),
      await sign({ ...header, crit: ['x'], note }, marked),
      await sign(header, `${JSON.stringify(marked)}${SENTINEL}`),
      `${SENTINEL}-text-that-is-no-token-at-all`,
      `${SENTINEL}.${SENTINEL}.${SENTINEL}-and-more-of-it`,
    ]) {
      await send(text)
    }
    expectNoLeak()
  })

  test('nothing of introspection and revocation', async () => {
    const { planner, rogue } = stage
    const first = await stage.first()
    for (const client of [planner, rogue]) {
      await client.introspect(`${SENTINEL}-token-of-nobody-at-all`)
      await client.revoke(first)
      await client.revoke(`${SENTINEL}-token-of-nobody-at-all`)
    }
    expectNoLeak()
  })
})

describe('what is done does not come out', () => {
  const words = `${SENTINEL} "words", \\n {"time":1} of a person`
  const open = async (tenant = 'acme') => {
    const { server } = stage
    const planner = server.client('planner', tenant)
    const { body } = await planner.open(server.idToken(), { purpose: words })
    return { planner, txn: String(payloadOf(String(body['access_token']))['txn']) }
  }

  test('N01 nothing of words with which tasks are opened, closed, revoked and resumed', async () => {
    const { server } = stage
    const desk = await personAt(server, 'dave', { roles: ['admin'] })
    for (const [verb, more] of [
      ['close', {}],
      ['revoke', {}],
      ['revoke', { place: 'planner' }],
    ] as const) {
      const { txn } = await open()
      const { status } = await desk.post(`tasks/${txn}/${verb}`, { reason: words, ...more })
      expect(status).toBe(200)
      expect((await desk.post(`tasks/${txn}/resume`, { reason: words })).status).not.toBe(200)
    }
    const [purposes, reasons] = ['purpose', 'because'].map((name) =>
      server.audit().filter(({ digests }) => digests?.[name] !== undefined),
    )
    expect([purposes?.length, reasons?.length]).toEqual([3, 3])
    expectNoLeak()
  })

  test('nor of words with which all of a subject is revoked, a key killed and a version added', async () => {
    const { server } = stage
    const admin = await personOf(server, 'globex', 'admin')
    const path = '/tenants/globex'
    const { body } = await admin.get(`${path}/keys`)
    const files = tenantFiles(server, 'globex')
    for (const [to, what] of [
      ['revocations', { subject: 'bob', reason: words }],
      ['versions', { files, note: words.replaceAll('\\n', '') }],
      ['keys', { private_key: `${SENTINEL}-that-is-no-key` }],
      ['revocations', { subject: 'bob', agent: SENTINEL, reason: words }],
      ['keys/kill', { kid: body['items'][0].kid, reason: words }],
    ] as const) {
      expect((await admin.post(`${path}/${to}`, what)).status).toBeLessThan(500)
    }
    expectNoLeak()
  })

  test('nor of what a resource server was called with', async () => {
    const { planner } = await open()
    const token = tokenOf(await planner.open(stage.server.idToken(), { audience: 'files-api' }))
    const { jti, txn } = payloadOf(token)
    const files = await clientOf(stage.server.client('files-api'))
    const told = { jti, txn, tool: 'list', target: '/files', outcome: 'succeeded' }
    const at = new Date(epoch() * 1000).toISOString()
    const records = [{ id: 'r'.repeat(22), ...told, at }]
    expect((await files.post('audit/records', { records })).body['accepted']).toHaveLength(1)
    const called = [{ id: 's'.repeat(22), ...told, at, input: SENTINEL }]
    expect((await files.post('audit/records', { records: called })).body['accepted']).toHaveLength(
      1,
    )
    const unknown = [{ id: 't'.repeat(22), ...told, at, body: SENTINEL }]
    expect((await files.post('audit/records', { records: unknown })).status).toBe(400)
    expectNoLeak()
  })

  test('no file of the record has any of it: entries, kept texts, index, journal', () => {
    const folder = auditFolder(stage.server.config.dataFolder)
    const files = filesUnder(folder)
    expect(files.some((file) => file.endsWith('texts.jsonl'))).toBe(true)
    for (const file of files) {
      const bytes = readFileSync(file)
      expect(bytes.includes(SENTINEL), file).toBe(false)
      for (const secret of secrets)
        if (bytes.includes(secret)) expect.fail(`a credential in ${file}`)
    }
  })
})

test('nothing of a fault inside the server, and no token: 503, told once, by reference', async () => {
  const { planner, server } = stage
  const text = `${SENTINEL}-inside-a-fault`
  const logged = server.logged.length
  const realSign = crypto.sign
  let signatures = 0
  // The client signs its assertion and its proof; the third signature is the server's.
  vi.spyOn(crypto, 'sign').mockImplementation(((...input: Parameters<typeof realSign>) => {
    signatures += 1
    if (signatures === 3) throw Object.assign(new Error(text), { token: text, cause: text })
    return realSign(...input)
  }) as typeof realSign)
  syncBuiltinESMExports()
  try {
    const answer = await planner.token({ grant_type: 'client_credentials' })
    expectRefused(answer, 'unavailable')
    expect(server.logged.slice(logged)).toEqual([
      expect.objectContaining({ event: 'request_failed', ref: answer.body['error_ref'] }),
    ])
  } finally {
    vi.mocked(crypto.sign).mockRestore()
    syncBuiltinESMExports()
  }
  expect(signatures).toBe(3)
  expectNoLeak()
})

describe('keys', () => {
  test('no private key and no sealing secret is in an output or readable on disk', () => {
    const { folder, config } = stage.server
    const sealing = readFileSync(join(config.dataFolder, 'key-secret'), 'utf8')
    const keys = [stage.planner.key, stage.planner.proofKey, stage.server.idpKey].map(
      ({ privateKey }) => String(privateKey.export({ format: 'jwk' }).d),
    )
    for (const secret of [sealing, ...keys]) secrets.add(secret)
    expectNoLeak()
    for (const file of filesUnder(join(folder, 'data'))) {
      const bytes = readFileSync(file, 'latin1')
      if (!file.endsWith('key-secret')) expect(bytes, file).not.toContain(sealing)
      // The operator's own, for the operator to take away (docs/admin.md).
      if (!file.endsWith('operator.jwk')) expect(bytes.includes('"d":'), file).toBe(false)
    }
  })
})

test('enough was sent and enough came out for the tests above to mean something', () => {
  expect(secrets.size).toBeGreaterThan(100)
  expect(outputs.length).toBeGreaterThan(100)
  const entries = stage.server.audit()
  expect(entries.length).toBeGreaterThan(60)
  expect(faultsOf(entries)).toEqual([])
})

function expectNoLeak(): void {
  const audit = readLogs(stage.server.config.dataFolder).join('\n')
  const log = stage.server.logged.map((fields) => `${JSON.stringify(fields)}${inspect(fields)}`)
  const all = [...outputs, ...lines, ...log, audit].join('\n')
  for (const secret of secrets) {
    if (all.includes(secret)) expect.fail(`a credential of ${secret.length} characters came out`)
  }
  expect(all).not.toContain(SENTINEL)
}

test('nothing comes out with the metrics and the traces of all that', async () => {
  const { server } = stage
  const { managementPort } = server.config
  const metrics = await realFetch(`http://127.0.0.1:${managementPort}/metrics`)
  outputs.push(await metrics.text())
  // Its last spans are sent when it ends.
  await server.stop()
  outputs.push(...collector.texts)
  expectNoLeak()
  expect(outputs.join('').match(/actchain_requests_total{/g)?.length).toBeGreaterThan(30)
  expect(collector.spans().length).toBeGreaterThan(300)
  expect(lines.filter((line) => line.includes('"event":"answered"')).length).toBeGreaterThan(100)
})

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
