import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { FetchFault } from '../../server/fetch/fetch-fault.ts'
import { createFetcher } from '../../server/fetch/fetcher.ts'
import { createJwksSource, type JwksSource } from '../../server/fetch/jwks-source.ts'
import { findSigningKeys } from '../../server/fetch/key-set.ts'
import { type JsonServer, startHttp } from './json-server.ts'

const servers: JsonServer[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

function aKey(kid: string): Record<string, unknown> {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...publicKey.export({ format: 'jwk' }), kid }
}

interface Issuer {
  readonly source: JwksSource
  readonly clock: { now: number }
  readonly faults: string[]
  body: string
  readonly requests: () => number
}

/** An issuer with a real JWKS endpoint, whose body can be changed, and a source that reads it. */
async function anIssuer(set: unknown): Promise<Issuer> {
  const clock = { now: 1_795_316_400 }
  const faults: string[] = []
  const server = await startHttp((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(issuer.body)
  })
  servers.push(server)
  const source = createJwksSource({
    fetchJson: createFetcher({ loopbackOrigins: new Set([server.origin]) }),
    now: () => clock.now,
    url: `${server.origin}/jwks`,
    onFault: (code) => faults.push(code),
  })
  const issuer: Issuer = {
    source,
    clock,
    faults,
    body: JSON.stringify(set),
    requests: server.requests,
  }
  return issuer
}

const kidsOf = (keys: readonly Readonly<Record<string, unknown>>[]) => keys.map((key) => key['kid'])

describe('how often an issuer is asked', () => {
  test('once in five minutes', async () => {
    const issuer = await anIssuer({ keys: [aKey('a')] })

    expect(kidsOf(await issuer.source.keys())).toEqual(['a'])
    issuer.clock.now += 299
    await issuer.source.keys()
    expect(issuer.requests()).toBe(1)

    issuer.clock.now += 1
    issuer.body = JSON.stringify({ keys: [aKey('b')] })
    expect(kidsOf(await issuer.source.keys())).toEqual(['b'])
    expect(issuer.requests()).toBe(2)
  })

  test('once for any number of callers at a time', async () => {
    const issuer = await anIssuer({ keys: [aKey('a')] })
    const { source } = issuer

    const all = await Promise.all([
      source.keys(),
      source.refresh(),
      source.keys(),
      source.refresh(),
    ])

    expect(all.map(kidsOf)).toEqual([['a'], ['a'], ['a'], ['a']])
    expect(issuer.requests()).toBe(1)
  })

  test('K02: unknown key ids make one request in 30 seconds, and a new key is found', async () => {
    const issuer = await anIssuer({ keys: [aKey('a')] })
    await issuer.source.keys()
    issuer.body = JSON.stringify({ keys: [aKey('a'), aKey('b')] })

    issuer.clock.now += 29
    for (let flood = 0; flood < 20; flood += 1) {
      expect(kidsOf(await issuer.source.refresh())).toEqual(['a'])
    }
    expect(issuer.requests()).toBe(1)

    issuer.clock.now += 1
    for (let flood = 0; flood < 20; flood += 1) {
      expect(kidsOf(await issuer.source.refresh())).toEqual(['a', 'b'])
    }
    expect(issuer.requests()).toBe(2)
  })

  test('K02: an issuer that is down is not flooded, and is back as soon as it answers', async () => {
    const issuer = await anIssuer('no key set')

    for (let flood = 0; flood < 20; flood += 1) {
      await expect(issuer.source.keys()).rejects.toBeInstanceOf(FetchFault)
    }
    expect(issuer.requests()).toBe(1)

    issuer.clock.now += 5
    issuer.body = JSON.stringify({ keys: [aKey('a')] })
    expect(kidsOf(await issuer.source.keys())).toEqual(['a'])
    expect(issuer.requests()).toBe(2)
  })
})

describe('K02: a broken set never replaces a good one', () => {
  test('the last good keys stay for an hour after they were fetched, then there are none', async () => {
    const issuer = await anIssuer({ keys: [aKey('a')] })
    await issuer.source.keys()
    issuer.body = '{"keys": ['

    issuer.clock.now += 3599
    expect(kidsOf(await issuer.source.keys())).toEqual(['a'])
    expect(issuer.faults).toEqual(['not_json'])

    issuer.clock.now += 1
    await expect(issuer.source.keys()).rejects.toBeInstanceOf(FetchFault)
    await expect(issuer.source.refresh()).rejects.toBeInstanceOf(FetchFault)
  })

  test('the alarm tells a refused set from a failed fetch', async () => {
    const issuer = await anIssuer({ keys: [] })
    await expect(issuer.source.keys()).rejects.toBeInstanceOf(FetchFault)
    expect(issuer.faults).toEqual(['key_set_refused'])
  })

  const good = aKey('good')
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  test.each([
    ['empty', { keys: [] }],
    ['no keys member', { jwks: [good] }],
    ['a list', [good]],
    ['null', null],
    [
      '10 000 keys',
      { keys: Array.from({ length: 10_000 }, (_, n) => ({ ...good, kid: `k${n}` })) },
    ],
    ['65 keys', { keys: Array.from({ length: 65 }, (_, n) => ({ ...good, kid: `k${n}` })) }],
    ['a key id twice', { keys: [good, aKey('good')] }],
    ['a private key among them', { keys: [good, pair.privateKey.export({ format: 'jwk' })] }],
    ['an RSA prime', { keys: [good, { kty: 'RSA', n: 'AQ', e: 'AQAB', p: 'AQ' }] }],
    ['a symmetric key', { keys: [good, { kty: 'oct', k: 'c2VjcmV0' }] }],
    ['a symmetric key without its value', { keys: [good, { kty: 'oct' }] }],
    ['an encryption key', { keys: [good, { ...aKey('e'), use: 'enc' }] }],
    ['a key id that is no string', { keys: [good, { ...aKey('n'), kid: 7 }] }],
    ['a key that is no object', { keys: [good, 'key'] }],
    ['only keys of a kind not understood', { keys: [{ kty: 'AKP', kid: 'pq' }] }],
    ['only a weak key', { keys: [{ ...weak.export({ format: 'jwk' }), kid: 'weak' }] }],
    ['keys inherited through __proto__', JSON.parse('{"__proto__": {"keys": [{"kty": "EC"}]}}')],
  ])('%s is refused', (_, set) => {
    expect(findSigningKeys(set)).toBeUndefined()
  })

  test('keys not understood are left out (RFC 7517 section 5), and members not known are dropped', () => {
    const set = {
      keys: [
        { kty: 'AKP', kid: 'pq' },
        { ...good, x5u: 'https://elsewhere.example' },
      ],
    }
    expect(findSigningKeys(set)).toEqual([good])
  })
})
