import { createServer, type Server } from 'node:http'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { VerifierFault } from '../../lib/src/fault.ts'
import { RemoteKeys } from '../../lib/src/jwks.ts'
import { createVerifier, type Verifier } from '../../lib/src/verifier.ts'
import {
  API,
  aKey,
  aProof,
  type Claims,
  chainClaims,
  ISSUER,
  NOW,
  signToken,
  type TestKey,
} from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED, reasonOf } from '../support/verifier-fixture.ts'

const METADATA = 'https://as.example.com/.well-known/oauth-authorization-server/t/acme'
const JWKS = `${ISSUER}/jwks`

let f: Fixture
let rotated: TestKey
beforeAll(async () => {
  f = await aFixture()
  rotated = await aKey('ES256', 'k2')
})

/** An issuer behind an injected fetch, with a clock the test sets. */
function anIssuer() {
  const issuer = {
    now: NOW,
    requests: [] as string[],
    faults: [] as VerifierFault[],
    keys: [f.issuerKey.publicJwk] as object[],
    metadata: { issuer: ISSUER, jwks_uri: JWKS } as object,
    answer: (url: string): Response | Promise<Response> =>
      Response.json(url === METADATA ? issuer.metadata : { keys: issuer.keys }),
    count: (url: string) => issuer.requests.filter((requested) => requested === url).length,
    verifier: undefined as unknown as Verifier,
    /** Outcome of a token signed by `key`, with a kid of its own if one is given. */
    outcome: async (key = f.issuerKey, header: Claims = {}) => {
      const claims = f.claims({ now: issuer.now })
      const token = await signToken(key, claims, header)
      const proof = await aProof(f.agentKey, { token, claims: { iat: issuer.now } })
      return reasonOf(
        issuer.verifier.verify({ token, proof, method: 'GET', url: '/api/entries' }, NEED),
      )
    },
  }
  issuer.verifier = f.with({
    now: () => issuer.now,
    onFault: (fault) => issuer.faults.push(fault),
    fetch: async (url) => {
      issuer.requests.push(url)
      return issuer.answer(url)
    },
  })
  return issuer
}

describe('the keys of the issuer', () => {
  test('are found through its metadata, where RFC 8414 puts it', async () => {
    const issuer = anIssuer()
    expect(await issuer.outcome()).toBe('accepted')
    expect(issuer.requests).toEqual([METADATA, JWKS])
  })

  test('are read once for many tokens at a time, and kept for ten minutes', async () => {
    const issuer = anIssuer()
    expect(await Promise.all([1, 2, 3, 4].map(() => issuer.outcome()))).toEqual(
      Array.from({ length: 4 }, () => 'accepted'),
    )
    issuer.now += 599
    expect(await issuer.outcome()).toBe('accepted')
    expect(issuer.count(JWKS)).toBe(1)
    issuer.now += 1
    expect(await issuer.outcome()).toBe('accepted')
    expect(issuer.count(JWKS)).toBe(2)
    expect(issuer.count(METADATA)).toBe(1)
  })

  test('have an age in the report', async () => {
    const issuer = anIssuer()
    await issuer.outcome()
    issuer.now += 42
    const token = await signToken(f.issuerKey, f.claims({ now: issuer.now }))
    const proof = await aProof(f.agentKey, { token, claims: { iat: issuer.now } })
    const input = { token, proof, method: 'GET', url: '/api/entries' }
    expect((await issuer.verifier.verify(input, NEED)).ages).toEqual({ keys: 42 })
  })

  test.each([
    ['a slash', `${ISSUER}/`],
    ['another case', ISSUER.toUpperCase()],
    ['another host', 'https://evil.example/t/acme'],
    ['nothing', undefined],
  ])('are not read from metadata of another issuer: %s', async (_, name) => {
    const issuer = anIssuer()
    issuer.metadata = { issuer: name, jwks_uri: JWKS }
    expect(await issuer.outcome()).toBe('keys_unavailable')
    expect(issuer.requests).toEqual([METADATA])
    expect(issuer.faults).toEqual([
      { kind: 'keys_unreadable', detail: `metadata is not of ${ISSUER}` },
    ])
  })

  test.each([
    'http://as.example.com/jwks',
    'file:///etc/passwd',
    '/jwks',
    7,
    undefined,
    'https://u:p@x.example/',
  ])('are not read from %j', async (jwks_uri) => {
    const issuer = anIssuer()
    issuer.metadata = { issuer: ISSUER, jwks_uri }
    expect(await issuer.outcome()).toBe('keys_unavailable')
    expect(issuer.requests).toEqual([METADATA])
  })

  test('are asked for where the option says', async () => {
    const requests: string[] = []
    const verifier = f.with({
      jwksUri: 'https://keys.example/set',
      fetch: async (url) => {
        requests.push(url)
        return Response.json({ keys: [f.issuerKey.publicJwk] })
      },
    })
    expect(await f.outcome(f.claims(), {}, verifier)).toBe('accepted')
    expect(requests).toEqual(['https://keys.example/set'])
  })

  test('are found again when the issuer moves them', async () => {
    const issuer = anIssuer()
    expect(await issuer.outcome()).toBe('accepted')
    issuer.metadata = { issuer: ISSUER, jwks_uri: `${ISSUER}/moved` }
    const { answer } = issuer
    issuer.answer = (url) => (url === JWKS ? new Response('', { status: 404 }) : answer(url))
    issuer.now += 600
    expect(await issuer.outcome()).toBe('accepted')
    issuer.now += 30
    expect(await issuer.outcome()).toBe('accepted')
    expect(issuer.count(`${ISSUER}/moved`)).toBe(1)
  })
})

describe('K02 a bad key set', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ ...f.issuerKey.publicJwk, kid: `k${at}` }))
  const text = (body: string | Uint8Array<ArrayBuffer>, init?: ResponseInit) => () =>
    new Response(body, init)
  const BAD: readonly (readonly [string, () => Response | Promise<Response>])[] = [
    ['empty', () => Response.json({ keys: [] })],
    ['10 000 keys', () => Response.json({ keys: many(10_000) })],
    ['65 keys', () => Response.json({ keys: many(65) })],
    ['duplicate kid', () => Response.json({ keys: [...many(2), ...many(1)] })],
    ['numeric kid', () => Response.json({ keys: [{ ...f.issuerKey.publicJwk, kid: 1 }] })],
    [
      'private members only',
      () => Response.json({ keys: [{ ...f.issuerKey.publicJwk, d: 'AAAA' }] }),
    ],
    ['symmetric only', () => Response.json({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'k1' }] })],
    [
      'for encryption only',
      () => Response.json({ keys: [{ ...f.issuerKey.publicJwk, use: 'enc' }] }),
    ],
    [
      'for another algorithm only',
      () => Response.json({ keys: [{ ...f.issuerKey.publicJwk, alg: 'ES384' }] }),
    ],
    ['invalid JSON', text('{"keys":[')],
    ['a list', text('[]')],
    ['keys no list', text('{"keys":{}}')],
    ['a key no object', text('{"keys":["x"]}')],
    ['two key lists', text('{"keys":[],"keys":[]}')],
    ['300 KB', text(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`)],
    ['HTML', text('<html>')],
    ['nothing', text('')],
    ['invalid UTF-8', text(Uint8Array.of(0x7b, 0xff, 0x7d))],
    ['a redirect', text('', { status: 302, headers: { location: 'https://evil.example' } })],
    ['an error', text('{}', { status: 500 })],
    ['no answer', () => Promise.reject(new TypeError('fetch failed'))],
  ]

  test.each(BAD)('K02 verifies nothing: %s', async (_, answer) => {
    const issuer = anIssuer()
    const good = issuer.answer
    issuer.answer = (url) => (url === JWKS ? answer() : good(url))
    expect(await issuer.outcome()).toBe('keys_unavailable')
    expect(issuer.faults.map((fault) => fault.kind)).toContain('keys_unreadable')
  })

  test.each(BAD)('K02 leaves the last good one in use until its limit: %s', async (_, answer) => {
    const issuer = anIssuer()
    expect(await issuer.outcome()).toBe('accepted')
    const good = issuer.answer
    issuer.answer = (url) => (url === JWKS ? answer() : good(url))
    issuer.now += 600
    expect(await issuer.outcome()).toBe('accepted')
    expect(issuer.faults.map((fault) => fault.kind)).toContain('keys_unreadable')
    issuer.now += 2999
    expect(await issuer.outcome()).toBe('accepted')
    issuer.now += 1
    expect(await issuer.outcome()).toBe('keys_unavailable')
    issuer.answer = good
    issuer.now += 30
    expect(await issuer.outcome()).toBe('accepted')
  })

  test('K02 keys that are not for this are left out of a good one, and a secret is reported', async () => {
    const issuer = anIssuer()
    issuer.keys = [
      { ...rotated.publicJwk, d: 'AAAA' },
      { ...rotated.publicJwk, kid: 'enc', use: 'enc' },
      { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'short' },
      f.issuerKey.publicJwk,
    ]
    expect(await issuer.outcome()).toBe('accepted')
    expect(await issuer.outcome(rotated)).toBe('key_unknown')
    expect(await issuer.outcome(rotated, { kid: 'enc' })).toBe('key_unknown')
    expect(issuer.faults.map((fault) => fault.kind)).toEqual(['key_ignored'])
  })

  test('K02 a key whose point is not on the curve verifies nothing', async () => {
    const issuer = anIssuer()
    const off = { ...f.issuerKey.publicJwk, y: 'A'.repeat(43) }
    issuer.keys = [off, rotated.publicJwk]
    expect(await issuer.outcome()).toBe('key_unknown')
    expect(await issuer.outcome(rotated)).toBe('accepted')
  })

  test('K02 a body that drips is given up after five seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const issuer = anIssuer()
    const dripping = new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) })
    const asked = new Promise<void>((resolve) => {
      issuer.answer = () => {
        resolve()
        return new Response(dripping)
      }
    })
    const outcome = issuer.outcome()
    await asked
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await outcome).toBe('keys_unavailable')
  })
})

afterEach(() => vi.useRealTimers())

test('K05 ten thousand random kids cause one fetch per cooldown, and a new key is still found', async () => {
  const issuer = anIssuer()
  expect(await issuer.outcome()).toBe('accepted')
  issuer.now += 30
  const token = await signToken(rotated, f.claims())
  const [, payload, signature] = token.split('.')
  const flood = async (count: number) => {
    const outcomes = Array.from({ length: count }, (_, at) => {
      const header = btoa(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: `x${at}` }))
      const forged = `${header.replace(/=+$/, '')}.${payload}.${signature}`
      return reasonOf(issuer.verifier.verify({ token: forged, method: 'GET', url: '/' }, NEED))
    })
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['key_unknown']))
  }
  await flood(10_000)
  await flood(100)
  expect(issuer.count(JWKS)).toBe(2)
  issuer.keys = [f.issuerKey.publicJwk, rotated.publicJwk]
  issuer.now += 29
  expect(await issuer.outcome(rotated)).toBe('key_unknown')
  expect(issuer.count(JWKS)).toBe(2)
  issuer.now += 1
  expect(await issuer.outcome(rotated)).toBe('accepted')
  expect(issuer.count(JWKS)).toBe(3)
})

test('K05 an issuer that is down is asked once per cooldown', async () => {
  const issuer = anIssuer()
  issuer.answer = () => new Response('', { status: 503 })
  for (let request = 0; request < 20; request++)
    expect(await issuer.outcome()).toBe('keys_unavailable')
  expect(issuer.requests.length).toBe(1)
  issuer.now += 5
  expect(await issuer.outcome()).toBe('keys_unavailable')
  expect(issuer.requests.length).toBe(2)
})

test('an unknown key is an outage, not a bad token, while the issuer cannot be asked', async () => {
  const issuer = anIssuer()
  expect(await issuer.outcome()).toBe('accepted')
  issuer.answer = () => new Response('', { status: 503 })
  issuer.now += 30
  expect(await issuer.outcome(rotated)).toBe('keys_unavailable')
  expect(await issuer.outcome()).toBe('accepted')
})

test('K07 a clock that steps back makes a set old, not young for ever', async () => {
  const issuer = anIssuer()
  expect(await issuer.outcome()).toBe('accepted')
  issuer.now -= 7200
  expect(await issuer.outcome()).toBe('accepted')
  expect(issuer.count(JWKS)).toBe(2)
})

describe('a remembered token', () => {
  const setUp = async () => {
    const issuer = anIssuer()
    const token = await signToken(f.issuerKey, f.claims())
    const outcome = async () => {
      const proof = await aProof(f.agentKey, { token, claims: { iat: issuer.now } })
      return reasonOf(
        issuer.verifier.verify({ token, proof, method: 'GET', url: '/api/entries' }, NEED),
      )
    }
    expect(await outcome()).toBe('accepted')
    return { issuer, outcome, token }
  }

  test('costs no second signature check', async () => {
    const { outcome } = await setUp()
    const verify = vi.spyOn(crypto.subtle, 'verify')
    expect(await outcome()).toBe('accepted')
    // The one that is left is the proof's.
    expect(verify).toHaveBeenCalledTimes(1)
    verify.mockRestore()
  })

  test('does not outlive its end', async () => {
    const { issuer, outcome } = await setUp()
    issuer.now += 292
    expect(await outcome()).toBe('accepted')
    issuer.now += 1
    expect(await outcome()).toBe('token_expired')
  })

  test('does not outlive its key', async () => {
    const { issuer, outcome } = await setUp()
    issuer.keys = [rotated.publicJwk]
    expect(await outcome()).toBe('accepted')
    issuer.now += 31
    expect(await issuer.outcome(rotated)).toBe('accepted')
    expect(await outcome()).toBe('key_unknown')
  })

  test('does not pass for another key of the same name', async () => {
    const { issuer, outcome } = await setUp()
    issuer.keys = [
      { ...rotated.publicJwk, kid: 'k1' },
      { ...rotated.publicJwk, kid: 'new' },
    ]
    issuer.now += 31
    expect(await issuer.outcome(rotated, { kid: 'new' })).toBe('accepted')
    expect(await outcome()).toBe('signature_invalid')
  })

  test('is not found by another spelling', async () => {
    const { issuer, token } = await setUp()
    const proof = await aProof(f.agentKey, { token: `${token}=`, claims: { iat: issuer.now } })
    const input = { token: `${token}=`, proof, method: 'GET', url: '/api/entries' }
    expect(await reasonOf(issuer.verifier.verify(input, NEED))).toBe('token_malformed')
  })

  test('makes room for another: the least recently used leaves', async () => {
    const verifier = f.with({ cacheSize: 2, replay: 'off' })
    const verify = vi.spyOn(crypto.subtle, 'verify')
    const tokens = await Promise.all([1, 2, 3].map(() => signToken(f.issuerKey, f.claims())))
    const checks = async (at: number) => {
      verify.mockClear()
      expect(await f.outcomeOf(tokens[at] ?? '', verifier)).toBe('accepted')
      return verify.mock.calls.length - 1
    }
    expect([await checks(0), await checks(1), await checks(0), await checks(2)]).toEqual([
      1, 1, 0, 1,
    ])
    expect([await checks(0), await checks(1)]).toEqual([0, 1])
    verify.mockRestore()
  })
})

describe('over a real socket', () => {
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
  })

  async function listen(handler: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(handler)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }

  test('reads metadata and keys, and follows no redirect', async () => {
    const paths: string[] = []
    const origin = await listen((request, response) => {
      paths.push(request.url ?? '')
      const issuer = `${origin}${request.url?.endsWith('/moved') ? '/moved' : '/t/acme'}`
      if (request.url === '/jwks') response.end(JSON.stringify({ keys: [f.issuerKey.publicJwk] }))
      else if (request.url === '/redirect') response.writeHead(302, { location: '/jwks' }).end()
      else
        response.end(
          JSON.stringify({
            issuer,
            jwks_uri: `${origin}/${issuer.endsWith('/moved') ? 'redirect' : 'jwks'}`,
          }),
        )
    })
    for (const [path, outcome] of [
      ['/t/acme', 'accepted'],
      ['/moved', 'keys_unavailable'],
    ] as const) {
      const issuer = `${origin}${path}`
      const verifier = createVerifier({
        revocation: 'off',
        issuer,
        audience: API,
        allowInsecureLoopback: true,
        now: () => NOW,
      })
      const claims = chainClaims({ issuer, cnf: { jkt: f.agentKey.thumbprint } })
      expect(await f.outcome(claims, {}, verifier)).toBe(outcome)
    }
    expect(paths).toEqual([
      '/.well-known/oauth-authorization-server/t/acme',
      '/jwks',
      '/.well-known/oauth-authorization-server/moved',
      '/redirect',
    ])
  })
})

describe('K04 keys that the issuer names', () => {
  /** The issuer's key set over an injected fetch; `published` is what it answers with. */
  function keysOf(published: () => readonly TestKey[]) {
    return new RemoteKeys({
      issuer: ISSUER,
      jwksUri: JWKS,
      allowInsecureLoopback: false,
      fetch: async () => Response.json({ keys: published().map(({ publicJwk }) => publicJwk) }),
      now: () => now,
      onFault: () => undefined,
    })
  }
  const isKnown = async (keys: RemoteKeys, kid: string): Promise<boolean> =>
    typeof (await keys.find(kid, 'ES256')) !== 'string'
  let now = NOW
  /** Where the next reading of the set is not too soon. */
  const readAgain = (keys: RemoteKeys): Promise<unknown> => {
    now += 2
    return keys.refresh()
  }

  test('one that comes after a kill counts as soon as it is published, before it was ever named', async () => {
    let published = [f.issuerKey]
    const keys = keysOf(() => published)
    expect(await isKnown(keys, 'k1')).toBe(true)
    keys.retain(['k1'])
    published = [rotated]
    await readAgain(keys)
    expect([await isKnown(keys, 'k2'), await isKnown(keys, 'k1')]).toEqual([true, false])
  })

  test('one that was taken back is gone at once, and no set from a cache brings it back', async () => {
    const keys = keysOf(() => [f.issuerKey, rotated])
    expect([await isKnown(keys, 'k1'), await isKnown(keys, 'k2')]).toEqual([true, true])
    keys.retain(['k2'])
    expect([await isKnown(keys, 'k1'), await isKnown(keys, 'k2')]).toEqual([false, true])
    for (let reading = 0; reading < 3; reading += 1) {
      await readAgain(keys)
      now += 700
      expect([await isKnown(keys, 'k1'), await isKnown(keys, 'k2')]).toEqual([false, true])
    }
  })

  test('one that is named again counts again', async () => {
    const keys = keysOf(() => [f.issuerKey, rotated])
    expect(await isKnown(keys, 'k1')).toBe(true)
    keys.retain(['k2'])
    keys.retain(['k1', 'k2'])
    await readAgain(keys)
    expect(await isKnown(keys, 'k1')).toBe(true)
  })
})
