/** Every way to trust material through one function: the same attacks on each, with requests counted at a real server. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Config, readDevelopmentConfig } from '../server/config.ts'
import type { PublicJwk } from '../server/core/tenant.ts'
import type { TrustDomain } from '../server/core/trust.ts'
import type { TrustMaterial } from '../server/oauth/authentication/trust-material.ts'
import type { Log } from '../server/telemetry/log.ts'
import { createTrustMaterial } from '../server/trust-material.ts'
import { type JsonServer, startHttp } from './fetch/json-server.ts'

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = publicKey.export({ format: 'jwk' })
const keySet = (...kids: string[]) => ({ keys: kids.map((kid) => ({ ...jwk, kid })) })
const aBundle = (members: object, ...kids: string[]) => ({
  keys: kids.map((kid) => ({ ...jwk, kid, use: 'jwt-svid' })),
  ...members,
})

let hub: JsonServer
let folder: string
/** What the hub says at a path; a text is sent as it is, a number is a status. */
let said: Record<string, unknown>
let asked: string[]
let logged: { event: string; tenant?: string; reason?: string }[]
let now: number
let trust: TrustMaterial

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-trust-'))
  for (const tenant of ['acme', 'other']) mkdirSync(join(folder, tenant))
  hub = await startHttp((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const answer = said[path]
    if (typeof answer === 'number' || answer === undefined) {
      response.writeHead(answer ?? 404, { location: `${hub.origin}/secret` }).end('{}')
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
  })
})
afterAll(async () => {
  await hub.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  said = {
    '/jwks': keySet('a'),
    '/bundle': aBundle({}, 'a'),
    [DISCOVERY]: { issuer: `${hub.origin}/issuer`, jwks_uri: `${hub.origin}/found` },
    '/found': keySet('a'),
  }
  asked = []
  logged = []
  now = 1_795_316_400
  trust = trustWith({ loopbackOrigins: [hub.origin] })
})

const DISCOVERY = '/issuer/.well-known/openid-configuration'
const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews'

function trustWith(changes: Partial<Config>): TrustMaterial {
  const config = readDevelopmentConfig() as Config
  const note = (fields: (typeof logged)[number]) => logged.push(fields)
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log }
  return createTrustMaterial(
    { ...config, trustFolder: folder, internalOrigins: [], ...changes },
    {
      log,
      clock: { now: () => now },
    },
  )
}

const kidsOf = (keys: readonly PublicJwk[]) => keys.map(({ kid }) => kid)
const domain = (bundle: TrustDomain['bundle']): TrustDomain => ({
  name: 'prod.acme.example',
  bundle,
  crl: undefined,
  maxLifetime: 300,
})

interface Way {
  readonly name: string
  /** Paths asked for the first time it is needed, and when it is looked for again. */
  readonly first: readonly string[]
  readonly again: readonly string[]
  /** Where the keys are. */
  readonly at: string
  readonly event: string
  readonly document: (...kids: string[]) => object
  readonly ask: (isRetry?: boolean, tenant?: string, origin?: string) => Promise<unknown>
}

const WAYS: readonly Way[] = [
  {
    name: 'the key set of an issuer',
    first: ['/jwks'],
    again: ['/jwks'],
    at: '/jwks',
    event: 'issuer_keys_unavailable',
    document: keySet,
    ask: async (isRetry = false, tenant = 'acme', origin = hub.origin) =>
      kidsOf(await trust.issuerKeys(tenant, { keys: { jwksUri: `${origin}/jwks` } }, isRetry)),
  },
  {
    name: 'the key set that an issuer names',
    first: [DISCOVERY, '/found'],
    again: ['/found'],
    at: '/found',
    event: 'issuer_keys_unavailable',
    document: keySet,
    ask: async (isRetry = false, tenant = 'acme', origin = hub.origin) =>
      kidsOf(await trust.issuerKeys(tenant, { keys: { discover: `${origin}/issuer` } }, isRetry)),
  },
  {
    name: 'the bundle of a trust domain',
    first: ['/bundle'],
    again: ['/bundle'],
    at: '/bundle',
    event: 'bundle_unavailable',
    document: (...kids) => aBundle({}, ...kids),
    ask: async (isRetry = false, tenant = 'acme', origin = hub.origin) =>
      kidsOf((await trust.bundle(tenant, domain({ url: `${origin}/bundle` }), isRetry)).jwtKeys),
  },
]

describe.each(WAYS)('$name', ({ first, again, at, event, document, ask }) => {
  test('is asked for once by any number of callers, and again when it is old', async () => {
    expect(await Promise.all([ask(), ask(), ask(true)])).toEqual([['a'], ['a'], ['a']])
    now += 299
    await ask()
    expect(asked).toEqual(first)
    now += 1
    said[at] = document('b')
    expect(await ask()).toEqual(['b'])
    expect(asked).toEqual([...first, ...first])
  })

  test('K05 is asked for once in 30 seconds by a flood of unknown key ids, and a new key is found', async () => {
    await ask()
    said[at] = document('a', 'b')
    now += 29
    for (let flood = 0; flood < 50; flood += 1) expect(await ask(true)).toEqual(['a'])
    expect(asked).toEqual(first)
    now += 1
    for (let flood = 0; flood < 50; flood += 1) expect(await ask(true)).toEqual(['a', 'b'])
    expect(asked).toEqual([...first, ...again])
  })

  test.each([
    ['half a document', '{"keys": ['],
    ['nothing of it', {}],
    ['a private member', { keys: [{ ...jwk, kid: 'a', d: 'AAAA' }] }],
    ['a megabyte', ' '.repeat(1024 * 1024)],
    ['a redirect', 302],
    ['an error', 500],
  ])('K02 is kept for an hour while there is %s', async (_, broken) => {
    await ask()
    said[at] = broken
    now += 3599
    expect(await ask()).toEqual(['a'])
    expect(logged).toEqual([{ event, tenant: 'acme', reason: expect.any(String) }])
    now += 1
    await expect(ask()).rejects.toMatchObject({ message: 'fetch failed' })
    expect(asked).not.toContain('/secret')
  })

  test('K02 is asked for every five seconds while it is down', async () => {
    said = {}
    for (let flood = 0; flood < 50; flood += 1) await expect(ask()).rejects.toThrow('fetch failed')
    expect(asked).toHaveLength(1)
    now += 5
    await expect(ask()).rejects.toThrow('fetch failed')
    expect(asked).toHaveLength(2)
  })

  test.each([
    'https://127.0.0.1',
    'https://localhost',
    'https://[::1]',
    'https://[::ffff:7f00:1]',
    'https://0x7f.1',
    'https://2130706433',
    'https://１２７.0.0.1',
    'https://169.254.169.254',
    'https://10.0.0.1',
    'https://user@127.0.0.1',
    'https://idp.example:22',
    'http://idp.example',
    'file:///etc',
  ])('K01 is never looked for at %s', async (origin) => {
    await expect(ask(false, 'acme', origin)).rejects.toMatchObject({
      code: expect.stringMatching(/^(address_refused|url_refused)$/),
    })
    expect(asked).toEqual([])
  })

  test("F06 is each tenant's own: neither an outage nor a flood of another is felt", async () => {
    said[at] = 500
    await expect(ask(false, 'other')).rejects.toThrow('fetch failed')
    said[at] = document('a')
    expect(await ask(false, 'acme')).toEqual(['a'])
    expect(logged).toEqual([{ event, tenant: 'other', reason: 'status_refused' }])
  })
})

describe('K01 an address that an issuer names in its discovery document', () => {
  test.each([
    ['loopback', 'https://127.0.0.1/jwks'],
    ['metadata', 'https://169.254.169.254/latest'],
    ['plain http', 'http://idp.example/jwks'],
    ['a file', 'file:///etc/passwd'],
    ['port 22', 'https://idp.example:22/'],
  ])('is not asked where it is %s', async (_, url) => {
    said[DISCOVERY] = { issuer: `${hub.origin}/issuer`, jwks_uri: url }
    const ask = trust.issuerKeys('acme', { keys: { discover: `${hub.origin}/issuer` } }, false)
    await expect(ask).rejects.toMatchObject({
      code: expect.stringMatching(/^(address_refused|url_refused)$/),
    })
    expect(asked).toEqual([DISCOVERY])
  })

  test("is not believed in a document of another issuer's", async () => {
    said[DISCOVERY] = { issuer: `${hub.origin}/other`, jwks_uri: `${hub.origin}/found` }
    const ask = trust.issuerKeys('acme', { keys: { discover: `${hub.origin}/issuer` } }, false)
    await expect(ask).rejects.toMatchObject({ code: 'document_refused' })
    expect(asked).toEqual([DISCOVERY])
  })
})

describe('SPCA-key-03: a bundle is polled as it asks for', () => {
  const ask = async () =>
    kidsOf((await trust.bundle('acme', domain({ url: `${hub.origin}/bundle` }), false)).jwtKeys)

  test.each([
    ['by its hint', 60, 60],
    ['at least every 30 minutes', 86_400, 1800],
    ['at most every second', 0, 1],
  ])('%s: a key that was taken out is gone at the next poll', async (_, hint, seconds) => {
    said['/bundle'] = aBundle({ spiffe_refresh_hint: hint }, 'a', 'b')
    expect(await ask()).toEqual(['a', 'b'])
    said['/bundle'] = aBundle({ spiffe_refresh_hint: hint }, 'b')
    now += seconds - 1
    expect(await ask()).toEqual(['a', 'b'])
    now += 1
    expect(await ask()).toEqual(['b'])
    expect(asked).toHaveLength(2)
  })

  test('SPB-4-01: an empty list revokes all', async () => {
    await ask()
    said['/bundle'] = { keys: [] }
    now += 300
    expect(await ask()).toEqual([])
  })

  test('an older bundle does not bring a key back, until the newer one no longer counts', async () => {
    said['/bundle'] = aBundle({ spiffe_sequence: 7 }, 'b')
    await ask()
    said['/bundle'] = aBundle({ spiffe_sequence: 6 }, 'a', 'b')
    now += 300
    expect(await ask()).toEqual(['b'])
    expect(logged).toMatchObject([{ event: 'bundle_unavailable', reason: 'document_refused' }])
    now += 3300
    expect(await ask()).toEqual(['a', 'b'])
  })

  test('it is the same object while it says the same', async () => {
    const read = async () => trust.bundle('acme', domain({ url: `${hub.origin}/bundle` }), false)
    const bundle = await read()
    now += 300
    expect(await read()).toBe(bundle)
  })
})

describe('SPCA-key-01, SPF-4.2-01: every trust domain has a bundle of its own', () => {
  test('a key id that two of them have is each its own key', async () => {
    const { publicKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const theirs = { ...other.export({ format: 'jwk' }), kid: 'a', use: 'jwt-svid' }
    said['/other'] = { keys: [theirs] }
    const xOf = async (path: string) => {
      const bundle = await trust.bundle('acme', domain({ url: `${hub.origin}${path}` }), false)
      return bundle.jwtKeys.map(({ x }) => x)
    }
    expect([await xOf('/bundle'), await xOf('/other')]).toEqual([[jwk.x], [theirs.x]])
  })

  test.each([
    ['plain http', 'http://spiffe.example/bundle'],
    ['userinfo', 'https://user@spiffe.example/bundle'],
  ])('SPCA-key-02, SPF-5.2-01: its address is https without userinfo, not %s', async (_, url) => {
    await expect(trust.bundle('acme', domain({ url }), false)).rejects.toMatchObject({
      code: 'url_refused',
    })
  })

  test('SPF-5.2-01: a redirect is not followed, wherever it leads', async () => {
    said['/bundle'] = 302
    await expect(
      trust.bundle('acme', domain({ url: `${hub.origin}/bundle` }), false),
    ).rejects.toMatchObject({ code: 'status_refused' })
    expect(asked).toEqual(['/bundle'])
  })
})

describe('what is not fetched', () => {
  test('a bundle in a file, a newer one, a broken one, and none', async () => {
    const write = (value: unknown) =>
      writeFileSync(join(folder, 'acme', 'prod.json'), JSON.stringify(value))
    const ask = async () =>
      kidsOf((await trust.bundle('acme', domain({ file: 'prod.json' }), false)).jwtKeys)
    write(aBundle({ spiffe_sequence: 2 }, 'a'))
    expect(await ask()).toEqual(['a'])
    // A file is what the operator put there, whatever its number.
    write(aBundle({ spiffe_sequence: 1 }, 'b'))
    expect(await ask()).toEqual(['a'])
    now += 2
    expect(await ask()).toEqual(['b'])
    write({ keys: 'broken' })
    now += 3599
    expect(await ask()).toEqual(['b'])
    now += 1
    await expect(ask()).rejects.toMatchObject({ code: 'document_refused' })
    expect(asked).toEqual([])
  })

  test('a bundle and keys written in the facts', async () => {
    const inline = aBundle({}, 'a')
    const bundle = await trust.bundle('acme', domain({ inline }), false)
    expect(kidsOf(bundle.jwtKeys)).toEqual(['a'])
    expect(await trust.bundle('acme', domain({ inline }), true)).toBe(bundle)
    await expect(trust.bundle('acme', domain({ inline: {} }), false)).rejects.toThrow(
      'fetch failed',
    )
    const { keys } = keySet('a')
    expect(await trust.issuerKeys('acme', { keys: { jwks: keys } }, true)).toBe(keys)
  })

  test("a revocation list, the same bytes until it changes, and never another tenant's", async () => {
    writeFileSync(join(folder, 'acme', 'prod.crl'), 'list 1')
    const list = await trust.revocationList('acme', 'prod.crl')
    now += 2
    expect(await trust.revocationList('acme', 'prod.crl')).toBe(list)
    writeFileSync(join(folder, 'acme', 'prod.crl'), 'list 2')
    now += 2
    expect(Buffer.from(await trust.revocationList('acme', 'prod.crl')).toString()).toBe('list 2')
    await expect(trust.revocationList('other', 'prod.crl')).rejects.toMatchObject({
      code: 'unreachable',
    })
    await expect(trust.revocationList('other', '../acme/prod.crl')).rejects.toMatchObject({
      code: 'url_refused',
    })
  })
})

describe('a cluster that is asked about a token', () => {
  const audience = 'https://actchain.example/t/acme'
  const review = () => ({ url: hub.origin, ca: undefined, token: 'token' })
  const ask = async (question = review()) =>
    trust.reviewToken('acme', question, { text: 'theirs', audience })

  beforeEach(() => {
    writeFileSync(join(folder, 'acme', 'token'), 'eyJ.ours.1\n')
    said[REVIEW] = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      status: { authenticated: true, user: { username: 'planner' }, audiences: [audience] },
    }
  })

  test('answers each time anew', async () => {
    expect(await ask()).toEqual({ username: 'planner', uid: undefined, audiences: [audience] })
    said[REVIEW] = { ...(said[REVIEW] as object), status: { error: 'gone' } }
    expect(await ask()).toBeUndefined()
    expect(asked).toEqual([REVIEW, REVIEW])
  })

  test.each([
    ['a redirect', () => (said[REVIEW] = 307)],
    ['an error', () => (said[REVIEW] = 500)],
    ['half an answer', () => (said[REVIEW] = '{')],
    ['no bearer token', () => rmSync(join(folder, 'acme', 'token'))],
    ['a broken bearer token', () => writeFileSync(join(folder, 'acme', 'token'), 'a\r\nHost: b')],
  ])('K02 is a fault where there is %s', async (_, breakIt) => {
    breakIt()
    await expect(ask()).rejects.toThrow('fetch failed')
    expect(logged.at(-1)).toMatchObject({ event: 'token_review_unavailable', tenant: 'acme' })
    expect(JSON.stringify(logged)).not.toMatch(/ours|theirs/)
  })

  test("K01 the operator's token goes to no address the operator did not list", async () => {
    for (const url of [
      'https://evil.example',
      'https://10.0.0.1',
      'http://127.0.0.1:1',
      'cluster',
    ]) {
      await expect(ask({ ...review(), url })).rejects.toMatchObject({ code: 'url_refused' })
    }
    expect(asked).toEqual([])
  })
})
