/** Threats K: addresses the server must not ask, key sets it must not believe, leftovers it must not start with, clocks. */
import { createPrivateKey, sign } from 'node:crypto'
import { createRequire } from 'node:module'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { isProblems, readConfig } from '../../server/config.ts'
import { startServer } from '../../server/main.ts'
import { StartRefused } from '../../server/start-refused.ts'
import { type JsonServer, sendJson, startHttp } from '../fetch/json-server.ts'
import { freePort, startAuthorizationServer } from '../support/authorization-server.ts'
import { encode, epoch, newKey, payloadOf, type TestKey } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { type IssuerServer, startWithJwksUri } from './issuer-server.ts'
import { OWN_WORK } from './positions.ts'
import { expectGranted, expectRefusal, expectRefused } from './refusal.ts'

describe('K01 key addresses that lead inside', () => {
  let calls = 0
  let port = 0
  let listening: Server[] = []
  beforeAll(async () => {
    port = await freePort()
    const count = (): Server =>
      createServer((socket) => {
        calls += 1
        socket.destroy()
      })
    listening = [count(), count()]
    await new Promise<void>((resolve) => listening[0]?.listen(port, '127.0.0.1', resolve))
    await new Promise<void>((resolve) => {
      listening[1]?.once('error', () => resolve()).listen(port, '::1', resolve)
    })
  })
  afterAll(() => {
    for (const server of listening) server.close()
  })

  test.each([
    ['loopback', 'https://127.0.0.1:PORT/jwks'],
    ['loopback by name', 'https://localhost:PORT/jwks'],
    ['IPv6 loopback', 'https://[::1]:PORT/jwks'],
    ['mapped IPv4', 'https://[::ffff:127.0.0.1]:PORT/jwks'],
    ['mapped IPv4 in hex', 'https://[::ffff:7f00:1]:PORT/jwks'],
    ['a hex octet', 'https://0x7f.1:PORT/jwks'],
    ['a decimal address', 'https://2130706433:PORT/jwks'],
    ['an octal address', 'https://0177.0.0.1:PORT/jwks'],
    ['a short address', 'https://127.1:PORT/jwks'],
    ['the unspecified address', 'https://0.0.0.0:PORT/jwks'],
    ['full-width digits', 'https://\uff11\uff12\uff17.0.0.1:PORT/jwks'],
    ['a trailing dot', 'https://localhost.:PORT/jwks'],
    ['plain http on loopback', 'http://127.0.0.1:PORT/jwks'],
    ['link-local metadata', 'https://169.254.169.254/latest/meta-data'],
    ['metadata over http', 'http://169.254.169.254/latest/meta-data'],
    ['a private network', 'https://10.0.0.1/jwks'],
    ['another private network', 'https://192.168.0.1/jwks'],
    ['unique local IPv6', 'https://[fd00::1]/jwks'],
    ['file', 'file:///etc/passwd'],
    ['data', 'data:application/json,{}'],
    ['port 22', 'https://idp.example:22/jwks'],
    ['userinfo', 'https://user:secret@127.0.0.1:PORT/jwks'],
  ])('K01 never asks %s: the start or the request is refused', async (_, template) => {
    const before = calls
    // The one listed loopback origin is another port.
    const outcome = await startWithJwksUri(template.replace('PORT', String(port)), 1).catch(
      (fault: unknown) => fault,
    )
    if (outcome instanceof StartRefused) {
      // The place of jwks_uri in its file.
      expect(outcome.sentences).toEqual([expect.stringMatching(/acme\/tenant\.yaml:5:15: /)])
      expect(outcome.message).not.toContain('secret')
    } else {
      const server = outcome as IssuerServer
      try {
        const answer = await server.planner.open(server.userToken(newKey(), 'any'))
        expectRefused(answer, 'unavailable')
        const faults = server.logged.filter(({ event }) => event === 'issuer_keys_unavailable')
        expect(faults.map(({ reason }) => reason)).toEqual([
          expect.stringMatching(/^(address_refused|url_refused|unreachable)$/),
        ])
      } finally {
        await server.close()
      }
    }
    expect(calls).toBe(before)
  })

  test('K01 does not follow a redirect', async () => {
    const idp = await startHttp((_, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${port}/jwks` }).end()
    })
    const server = await startWithJwksUri(`${idp.origin}/jwks`, idp.port)
    const before = calls
    try {
      expectRefused(await server.planner.open(server.userToken(newKey(), 'any')), 'unavailable')
      expect(idp.requests()).toBe(1)
      expect(calls).toBe(before)
    } finally {
      await Promise.all([server.close(), idp.close()])
    }
  })
})

describe('K02 and K05 the key set of an issuer', () => {
  const good = newKey('good')
  const next = newKey('next')
  let idp: JsonServer
  let server: IssuerServer
  let set: unknown = { keys: [good.publicJwk] }

  beforeAll(async () => {
    idp = await startHttp((request, response) => sendJson(set)(request, response))
    server = await startWithJwksUri(`${idp.origin}/jwks`, idp.port)
  })
  afterAll(() => Promise.all([server.close(), idp.close()]))
  afterEach(() => {
    vi.useRealTimers()
  })

  const open = (key: TestKey, kid: string) => server.planner.open(server.userToken(key, kid))
  const later = (seconds: number): void => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
  }

  test.each<[string, unknown]>([
    ['an empty set', { keys: [] }],
    ['no keys', {}],
    ['a list', []],
    ['10 000 keys', { keys: Array.from({ length: 10_000 }, () => ({ kty: 'EC', crv: 'P-256' })) }],
    ['a key id twice', { keys: [newKey('same').publicJwk, newKey('same').publicJwk] }],
    ['a private key', { keys: [good.privateKey.export({ format: 'jwk' })] }],
    ['a key for encryption', { keys: [{ ...good.publicJwk, use: 'enc' }] }],
    ['a symmetric key', { keys: [{ kty: 'oct', k: 'AAAA', kid: 'good' }] }],
    ['a string', 'keys'],
  ])('K02 believes nobody while its issuer publishes %s', async (_, bad) => {
    set = bad
    const fresh = await startWithJwksUri(`${idp.origin}/jwks`, idp.port)
    try {
      for (const kid of ['good', 'same']) {
        expectRefused(await fresh.planner.open(fresh.userToken(good, kid)), 'unavailable')
      }
    } finally {
      await fresh.close()
    }
  })

  test.each<[string, number, string, string]>([
    ['no JSON', 200, 'application/json', '{"keys":['],
    ['HTML', 200, 'text/html', '<html></html>'],
    ['an error', 500, 'application/json', '{"keys":[]}'],
  ])(
    'K02 answers 503 without a detail while its issuer answers with %s',
    async (_, status, type, body) => {
      const broken = await startHttp((_request, response) => {
        response.writeHead(status, { 'content-type': type }).end(body)
      })
      const fresh = await startWithJwksUri(`${broken.origin}/jwks`, broken.port)
      try {
        expectRefused(await fresh.planner.open(fresh.userToken(good, 'good')), 'unavailable')
        expect(broken.requests()).toBe(1)
      } finally {
        await Promise.all([fresh.close(), broken.close()])
      }
    },
  )

  test('K02 keeps the last good set for an hour, then there is none', async () => {
    set = { keys: [good.publicJwk] }
    const fresh = await startWithJwksUri(`${idp.origin}/jwks`, idp.port)
    try {
      tokenOf(await fresh.planner.open(fresh.userToken(good, 'good')))
      set = { keys: [] }
      later(600)
      tokenOf(await fresh.planner.open(fresh.userToken(good, 'good')))
      vi.useRealTimers()
      later(3700)
      expectRefused(await fresh.planner.open(fresh.userToken(good, 'good')), 'unavailable')
    } finally {
      await fresh.close()
    }
  })

  test('K05 a flood of unknown key ids asks once, and a new key is found after the cooldown', async () => {
    set = { keys: [good.publicJwk] }
    tokenOf(await open(good, 'good'))
    const before = idp.requests()
    set = { keys: [good.publicJwk, next.publicJwk] }
    const flood = await Promise.all(
      Array.from({ length: 100 }, (_, at) => open(newKey(), `unknown-${at}`)),
    )
    for (const answer of flood) expectRefused(answer, 'subject_token_unacceptable')
    expect(idp.requests() - before).toBeLessThanOrEqual(1)
    later(31)
    tokenOf(await open(next, 'next'))
    expect(idp.requests() - before).toBeLessThanOrEqual(2)
    await Promise.all(Array.from({ length: 20 }, (_, at) => open(newKey(), `more-${at}`)))
    expect(idp.requests() - before).toBeLessThanOrEqual(2)
    tokenOf(await open(good, 'good'))
  })
})

describe('K06 leftovers of development', () => {
  test('K06 does not start in production with development keys and loopback issuers', async () => {
    const dev = await startAuthorizationServer()
    await dev.stop()
    dev.rewrite('acme', ({ agents, tenant }) => {
      const [planner] = agents.agents
      if (planner !== undefined) {
        planner['auth'] = { method: 'private_key_jwt', development_keys: true }
      }
      tenant['trusted_issuers'] = [
        { id: 'idp', issuer: 'http://127.0.0.1:8462', jwks_uri: 'http://127.0.0.1:8462/jwks' },
      ]
    })
    const config = readConfig({
      ACTCHAIN_PORT: String(await freePort()),
      ACTCHAIN_MANAGEMENT_PORT: String(await freePort()),
      ACTCHAIN_PUBLIC_URL: 'https://as.example',
      ACTCHAIN_KEY_SECRET: 'x'.repeat(32),
      ACTCHAIN_DATA: dev.config.dataFolder,
      ACTCHAIN_TENANTS: dev.config.tenantsFolder,
    })
    if (isProblems(config)) throw new Error(JSON.stringify(config))
    const refused = await startServer(config).catch((fault: unknown) => fault)
    await dev.close()
    expect(refused).toBeInstanceOf(StartRefused)
    const text = String((refused as StartRefused).message)
    expect(text).toContain('acme/agents.yaml: planner: auth')
    expect(text).toContain('acme/tenant.yaml: trusted_issuers idp')
  })

  test.each([
    ['plain http', { ACTCHAIN_PUBLIC_URL: 'http://as.example' }, 'ACTCHAIN_PUBLIC_URL'],
    ['no public URL', { ACTCHAIN_PUBLIC_URL: '' }, 'ACTCHAIN_PUBLIC_URL'],
    ['no key secret', { ACTCHAIN_KEY_SECRET: '' }, 'ACTCHAIN_KEY_SECRET'],
    ['a short key secret', { ACTCHAIN_KEY_SECRET: 'short' }, 'ACTCHAIN_KEY_SECRET'],
    ['a memory store', { ACTCHAIN_STORE: 'memory' }, 'ACTCHAIN_STORE'],
  ])('K06 names the setting of a production start with %s', (_, wrong, setting) => {
    const env = { ACTCHAIN_PUBLIC_URL: 'https://as.example', ACTCHAIN_KEY_SECRET: 'x'.repeat(32) }
    const problems = readConfig({ ...env, ...wrong })
    expect(isProblems(problems) ? problems.map((problem) => problem.setting) : []).toEqual([
      setting,
    ])
  })
})

describe('K06 and K07 at a running server', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await setStage()
  })
  afterAll(() => stage.close())
  afterEach(() => {
    vi.useRealTimers()
  })

  test('K06 a token signed with the key pair the base library publishes is refused', async () => {
    const { server, researcher } = stage
    const jwk = await publishedKey()
    const claims = payloadOf(await stage.first())
    for (const kid of ['keystore-CHANGE-ME', stage.tokenHeader()['kid'], undefined]) {
      const input = `${encode({ alg: 'RS256', typ: 'at+jwt', kid })}.${encode(claims)}`
      const key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
      const token = `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
      await expectRefusal(server, { reason: 'subject_token_unacceptable' }, () =>
        researcher.exchange(token),
      )
      expect((await researcher.introspect(token)).text).toBe('{"active":false}')
    }
    const jwks = await (await fetch(`${server.issuer()}/jwks`)).text()
    expect(jwks).not.toContain('CHANGE-ME')
  })

  const assertionAt = (offset: number) => ({ iat: epoch() + offset, exp: epoch() + offset + 60 })

  test.each([
    ['five seconds ahead', 5, 200],
    ['thirty seconds ahead', 30, 401],
    ['ten minutes ahead', 600, 401],
    ['a minute behind', -60, 200],
    ['ten minutes behind', -600, 401],
  ])('K07 an assertion of a client whose clock is %s', async (_, offset, status) => {
    const { planner } = stage
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    const answer = await planner.token(OWN_WORK, { assertion: assertionAt(offset) })
    expect(answer.status).toBe(status)
  })

  test.each([
    ['sixty seconds ahead', 60, 200],
    ['61 seconds ahead', 61, 400],
    ['sixty seconds behind', -60, 200],
    ['61 seconds behind', -61, 400],
    ['ten minutes behind', -600, 400],
  ])('K07 a proof of a client whose clock is %s', async (_, offset, status) => {
    const { planner } = stage
    vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / 1000) * 1000 })
    const answer = await planner.token(OWN_WORK, { proof: { iat: epoch() + offset } })
    expect(answer.status).toBe(status)
  })

  test('K07 a step back of the clock revives no assertion, proof or revoked token', async () => {
    const { server, planner, researcher } = stage
    const now = Math.floor(Date.now() / 1000)
    vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 })
    const form = { ...OWN_WORK, client_assertion: planner.assertion() }
    const headers = { dpop: planner.proof() }
    await expectGranted(server, () => planner.token(form, { headers }))
    const revoked = await stage.first()
    await planner.revoke(revoked)
    vi.setSystemTime((now - 3) * 1000)
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      planner.token(form),
    )
    vi.setSystemTime((now - 30) * 1000)
    await expectRefusal(server, { reason: 'proof_replayed' }, () =>
      planner.token(OWN_WORK, { headers }),
    )
    await expectRefusal(server, { reason: 'subject_token_revoked' }, () =>
      researcher.exchange(revoked),
    )
  })

  test('K07 an exchange after a step back is never older than its parent', async () => {
    const { server, researcher } = stage
    const now = Math.floor(Date.now() / 1000)
    vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 })
    const first = await stage.first()
    vi.setSystemTime((now - 20) * 1000)
    const claims = await expectGranted(server, () => researcher.exchange(first))
    expect(claims['iat']).toBeGreaterThanOrEqual(payloadOf(first)['iat'])
    expect(claims['exp']).toBeLessThanOrEqual(payloadOf(first)['exp'])
  })
})

/** As it is written in the source of the base library, for anybody to read. */
async function publishedKey(): Promise<unknown> {
  const main = createRequire(import.meta.url).resolve('oidc-provider')
  const file = join(dirname(main), 'consts', 'dev_keystore.js')
  const source = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    default: { keys: unknown[] }
  }
  return source.default.keys[0]
}
