/** RFC 9449 §4: what a proof is, at the token endpoint and at the resource server, and that it is good once. */
import { describe, expect, test } from 'vitest'
import type { Fault } from './client.ts'
import { AT_TOKEN_ENDPOINT, apiToken, expectChallenge } from './dpop.ts'
import { profile } from './given.ts'
import type { Reply } from './http.ts'
import { epoch, newKey, respelt, tampered, unsigned } from './jwt.ts'
import {
  api,
  beyond,
  call,
  expectError,
  hashOf,
  isWhole,
  newId,
  request,
  second,
} from './scenario.ts'
import { verifies } from './verifies.ts'

interface Place {
  /** Of the request that a proof is for. */
  readonly method: string
  readonly url: string
}

interface Wrong {
  readonly faults?: (place: Place) => readonly Fault[]
  /** What becomes of a proof that is right for its place. */
  readonly changes?: readonly ((make: () => string) => string | readonly string[])[]
}

const TOKEN_ENDPOINT: Place = { method: 'POST', url: second.url('token') }
const FILES: Place = { method: 'GET', url: `${api.uri}/files` }

/** One requirement at both places, each a check of its own: a profile need not have a resource server. */
function verifiesRefusal(ids: string | readonly string[], title: string, wrong: Wrong): void {
  const { faults = () => [], changes = [] } = wrong
  verifies(
    ids,
    `${title}, at the token endpoint`,
    async () => {
      const wrongs: readonly Fault[] = [
        ...faults(TOKEN_ENDPOINT),
        ...changes.map((change) => ({ proofs: change(() => second.proof()) })),
      ]
      for (const fault of wrongs) {
        const { proof, proofHeader } = fault
        const what = JSON.stringify({ ...proof, ...proofHeader })
        expectError(await request({}, fault), 'invalid_dpop_proof', 400, what)
      }
    },
    AT_TOKEN_ENDPOINT,
  )
  verifies(ids, `${title}, at the resource server`, async () => {
    const right = await apiToken()
    const proof = { htm: FILES.method, htu: FILES.url, ath: hashOf(right) }
    const wrongs = [
      ...faults(FILES).map((fault) => ({ fault })),
      ...changes.map((change) => ({ proof: change(() => second.proof({ proof })) })),
    ]
    for (const shape of wrongs) {
      expectChallenge(await call(second, right, shape), 'invalid_dpop_proof')
    }
  })
}

/** Faults that are none, at both places. */
function verifiesAcceptance(
  ids: string | readonly string[],
  title: string,
  faults: (place: Place) => readonly Fault[],
): void {
  verifies(
    ids,
    `${title}, at the token endpoint`,
    async () => {
      for (const fault of faults(TOKEN_ENDPOINT)) await accepted(fault)
    },
    AT_TOKEN_ENDPOINT,
  )
  verifies(ids, `${title}, at the resource server`, async () => {
    for (const fault of faults(FILES)) {
      expect((await call(second, await apiToken(), { fault })).status).toBe(200)
    }
  })
}

const accepted = async (fault: Fault): Promise<void> =>
  expect((await request({}, fault)).status).toBe(200)

test.runIf(isWhole)('a good proof is accepted at both places', async () => {
  await accepted({})
  expect((await call(second, await apiToken())).status).toBe(200)
})

describe('form', () => {
  const typed = [undefined, 'JWT', 'at+jwt', 'dpop', 'client-authentication+jwt']
  verifiesRefusal(['9449-4.2-01', '9449-5-01'], 'the type of a proof', {
    faults: () => typed.map((typ) => ({ proofHeader: { typ } })),
  })

  const noAlgorithms = ['none', 'HS256', 'ES256K', 'ES512', '', undefined]
  verifiesRefusal('9449-4.2-02', 'asymmetric signatures only', {
    faults: () => noAlgorithms.map((alg) => ({ proofHeader: { alg } })),
    changes: [(make) => unsigned(make())],
  })

  const { publicJwk } = second.proofKey
  const noKeys = [
    { ...publicJwk, d: 'AAAA' },
    { kty: 'oct', k: 'AAAA' },
    ...beyond({ ...publicJwk, k: 'A' }),
    undefined,
    null,
    'x',
    {},
    [publicJwk],
  ]
  verifiesRefusal('9449-4.2-03', 'a public key, and no private or shared one', {
    faults: () => noKeys.map((jwk) => ({ proofHeader: { jwk } })),
  })

  verifiesRefusal('9449-4.2-04', 'all claims, of their types', {
    faults: ({ url }) =>
      [
        { jti: undefined },
        { jti: '' },
        { jti: 7 },
        { htm: undefined },
        { htm: 7 },
        { htu: undefined },
        { htu: [url] },
        { iat: undefined },
        { iat: String(epoch()) },
        { iat: null },
      ].map((proof) => ({ proof })),
  })

  verifiesRefusal('9449-4.3-01', 'one proof a request', {
    changes: [
      (make) => [make(), make()],
      (make) => `${make()},${make()}`,
      (make) => `${make()}, ${make()}`,
      () => 'garbage',
    ],
  })

  verifiesRefusal('9449-4.3-02', 'signed by its own key', {
    faults: ({ method }) => [
      { proofKey: newKey(), proofHeader: { jwk: publicJwk } },
      // A resource server may see first that this is not the key of the token.
      ...(method === 'POST' ? [{ proofHeader: { jwk: newKey().publicJwk } }] : []),
    ],
    changes: [tampered, ...beyond(respelt)].map((change) => (make) => change(make())),
  })
})

/** URLs that are not this one, however like it they look. */
function otherUrls(url: string): readonly string[] {
  const { protocol, host, pathname } = new URL(url)
  const swapped = protocol === 'https:' ? 'http:' : 'https:'
  return [
    new URL('introspect', url).href,
    `${protocol}//${host}${pathname}x`,
    `${protocol}//other.example${pathname}`,
    `${swapped}//${host}${pathname}`,
    `${protocol}//${host}1${pathname}`,
    `${protocol}//user@${host}${pathname}`,
    ...beyond(`${profile.other.issuer}/token`),
    pathname,
    'x',
  ]
}

describe('request', () => {
  verifiesRefusal('9449-4.3-03', 'for this method', {
    faults: ({ method }) =>
      ['PUT', 'post', 'get', '', method === 'GET' ? 'POST' : 'GET'].map((htm) => ({
        proof: { htm },
      })),
  })

  verifiesRefusal('9449-4.3-04', 'for this URL', {
    faults: ({ url }) => otherUrls(url).map((htu) => ({ proof: { htu } })),
  })
  verifiesAcceptance('9449-4.3-04', 'without query and fragment', ({ url }) => [
    { proof: { htu: `${url}?x=1#y` } },
  ])
  verifies(
    '9449-4.3-04',
    'whatever the query of the token request',
    () => accepted({ query: '?x=1' }),
    AT_TOKEN_ENDPOINT,
  )
  verifies('9449-4.3-04', 'whatever the query of a call', async () => {
    const path = '/files?x=1'
    expect((await call(second, await apiToken(), { path })).status).toBe(200)
  })

  verifiesAcceptance('9449-4.3-05', 'URLs in normal form', ({ url }) => {
    const { protocol, host, pathname } = new URL(url)
    const letter = `%${pathname.slice(-1).charCodeAt(0).toString(16)}`
    return [
      { proof: { htu: `${protocol.toUpperCase()}//${host}${pathname}` } },
      { proof: { htu: `${protocol}//${host}${pathname.slice(0, -1)}${letter}` } },
    ]
  })

  // The RFC names no figure; the longest in use is five minutes.
  const outside = [-3600, 3600, -400, 400, ...beyond(-90, 90)]
  verifiesRefusal('9449-4.3-06', 'made within a short window', {
    faults: () =>
      [...outside.map((seconds) => epoch() + seconds), 1e300, -1].map((iat) => ({
        proof: { iat },
      })),
  })
  verifiesAcceptance('9449-4.3-06', 'by clocks that differ a little', () =>
    [-10, 10].map((seconds) => ({ proof: { iat: epoch() + seconds } })),
  )
})

describe('single use', () => {
  const one = (replies: readonly Reply[]): number =>
    replies.filter(({ status }) => status === 200).length

  verifies(
    '9449-11.1-01',
    'once at the token endpoint, however many copies race',
    async () => {
      const proofs = second.proof()
      await accepted({ proofs })
      expectError(await request({}, { proofs }), 'invalid_dpop_proof')
      const raced = second.proof()
      const copies = Array.from({ length: 20 }, () => request({}, { proofs: raced }))
      expect(one(await Promise.all(copies))).toBe(1)
      // A proof that was never good spends nothing.
      const jti = newId()
      expectError(await request({}, { proof: { jti, htm: 'GET' } }), 'invalid_dpop_proof')
      await accepted({ proof: { jti } })
      expectError(await request({}, { proof: { jti: 'x'.repeat(5000) } }), 'invalid_dpop_proof')
    },
    AT_TOKEN_ENDPOINT,
  )

  verifies('9449-11.1-01', 'once at the resource server, however many copies race', async () => {
    const good = await apiToken()
    const { method: htm, url: htu } = FILES
    const proof = second.proof({ proof: { htm, htu, ath: hashOf(good) } })
    const calls = Array.from({ length: 20 }, () => call(second, good, { proof }))
    expect(one(await Promise.all(calls))).toBe(1)
    // An id may serve at another URL.
    const jti = newId()
    await accepted({ proof: { jti } })
    expect((await call(second, good, { fault: { proof: { jti } } })).status).toBe(200)
  })
})
