/**
 * Sentinels in everything a caller sends, and every text that is a credential: none of it comes out again, in no body, header,
 * log, audit entry, printed error or console.
 */
import crypto from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Stage, setStage } from './attacks/fixture.ts'
import { POSITION_NAMES, POSITIONS, signAsStranger } from './attacks/positions.ts'
import { PRODUCERS, type Reachable } from './attacks/producers.ts'
import { expectRefused } from './attacks/refusal.ts'
import { readLogs } from './support/embedded-store.ts'

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

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
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
})

/** Adds sentinels to a request where nobody asked for them, and keeps what it sends and receives. */
async function plantingFetch(
  url: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  const sent = typeof init.body === 'string' ? init.body : ''
  const form = new URLSearchParams(sent)
  for (const name of CREDENTIALS) for (const value of form.getAll(name)) addSecret(value)
  const headers = new Headers(init.headers)
  for (const name of ['dpop', 'authorization']) addSecret(headers.get(name) ?? '')
  headers.set('user-agent', `${SENTINEL}-agent`)
  headers.set('x-unknown', `${SENTINEL}-header`)
  const body = init.method === 'POST' ? `${sent}&unknown=${SENTINEL}-parameter` : null
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
  expect(stage.server.audit().length).toBeGreaterThan(60)
})

function expectNoLeak(): void {
  const audit = readLogs(stage.server.config.dataFolder).join('\n')
  const log = stage.server.logged.map((fields) => `${JSON.stringify(fields)}${inspect(fields)}`)
  const all = [...outputs, ...log, audit].join('\n')
  for (const secret of secrets) {
    if (all.includes(secret)) expect.fail(`a credential of ${secret.length} characters came out`)
  }
  expect(all).not.toContain(SENTINEL)
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
