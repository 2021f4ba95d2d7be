import { base64url } from 'jose'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { VerifierFault } from '../../lib/src/fault.ts'
import type { Presentation } from '../../lib/src/presentation.ts'
import { type ReplayClaim, ReplayMemory } from '../../lib/src/replay.ts'
import { normalTarget } from '../../lib/src/url.ts'
import type { Verifier } from '../../lib/src/verifier.ts'
import { aRocaKey } from '../keys/public-keys.ts'
import {
  API,
  aKey,
  aProof,
  NOW,
  signText,
  signToken,
  type TestKey,
} from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'

let f: Fixture
let token: string
beforeAll(async () => {
  f = await aFixture()
  token = await signToken(f.issuerKey, f.claims())
})

const request = (proof?: string, more: Partial<Presentation> = {}): Presentation => ({
  token,
  proof,
  method: 'GET',
  url: URL_CALLED,
  ...more,
})
const outcomeOf = (proof?: string, more?: Partial<Presentation>, verifier = f.verifier) =>
  reasonOf(verifier.verify(request(proof, more), NEED))

test('I01 refuses a bound token without proof, or under Bearer', async () => {
  expect(await outcomeOf()).toBe('proof_missing')
  expect(await outcomeOf(undefined, { scheme: 'DPoP' })).toBe('proof_missing')
  expect(await outcomeOf(undefined, { scheme: 'Bearer' })).toBe('scheme_mismatch')
  expect(await outcomeOf(await aProof(f.agentKey, { token }), { scheme: 'Bearer' })).toBe(
    'scheme_mismatch',
  )
  const lenient = f.with({ bearer: 'allowed' })
  expect(await outcomeOf(undefined, { scheme: 'Bearer' }, lenient)).toBe('scheme_mismatch')
  expect(await outcomeOf(undefined, {}, lenient)).toBe('proof_missing')
})

test('I01 refuses an unbound token under DPoP, and at all unless bearer tokens are allowed', async () => {
  const unbound = await signToken(f.issuerKey, { ...f.claims(), cnf: undefined })
  const proof = await aProof(f.agentKey, { token: unbound })
  const lenient = f.with({ bearer: 'allowed' })
  const as = (scheme: 'DPoP' | 'Bearer' | undefined) => ({ token: unbound, scheme })
  expect(await outcomeOf(proof, as('DPoP'), lenient)).toBe('scheme_mismatch')
  expect(await outcomeOf(undefined, as('Bearer'))).toBe('binding_missing')
  expect(await outcomeOf(undefined, as(undefined))).toBe('binding_missing')
  expect(await outcomeOf(undefined, as('Bearer'), lenient)).toBe('accepted')
})

test('I02 refuses a good proof by another key', async () => {
  const other = await aKey()
  expect(await outcomeOf(await aProof(other, { token }))).toBe('proof_key_mismatch')
})

test('I02 refuses the bound key’s jwk over another key’s signature', async () => {
  const other = await aKey()
  const { kty, crv, x, y } = f.agentKey.publicJwk
  const proof = await aProof(other, { token, header: { jwk: { kty, crv, x, y } } })
  expect(await outcomeOf(proof)).toBe('proof_signature_invalid')
})

describe('I03 a proof is used once', () => {
  test('I03 twice', async () => {
    const verifier = f.with({})
    const proof = await aProof(f.agentKey, { token })
    expect(await outcomeOf(proof, {}, verifier)).toBe('accepted')
    expect(await outcomeOf(proof, {}, verifier)).toBe('proof_replayed')
  })

  test('I03 fifty at once', async () => {
    const proof = await aProof(f.agentKey, { token })
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcomeOf(proof)))
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'proof_replayed')).toHaveLength(49)
  })

  test('I03 the same jti signed again, but not for another URL or by another key', async () => {
    const again = () => aProof(f.agentKey, { token, claims: { jti: 'same' } })
    expect(await outcomeOf(await again())).toBe('accepted')
    expect(await outcomeOf(await again())).toBe('proof_replayed')
    const url = `${API}/other`
    const elsewhere = await aProof(f.agentKey, { token, url, claims: { jti: 'same' } })
    expect(await outcomeOf(elsewhere, { url })).toBe('accepted')
    const spelt = `${API.toUpperCase().replace('/API', '/api')}/%6fther?x=1`
    const respelt = await aProof(f.agentKey, { token, url: spelt, claims: { jti: 'same' } })
    expect(await outcomeOf(respelt, { url })).toBe('proof_replayed')
  })

  test('I03 across replicas that share a claim', async () => {
    const used = new Set<string>()
    const replay = async ({ id }: { id: string }) => !used.has(id) && used.add(id) !== undefined
    const proof = await aProof(f.agentKey, { token })
    const outcomes = await Promise.all(
      [f.with({ replay }), f.with({ replay })].map((verifier) => outcomeOf(proof, {}, verifier)),
    )
    expect(outcomes.toSorted()).toEqual(['accepted', 'proof_replayed'])
    expect([...used]).toEqual([expect.stringMatching(/^[\w-]{43}$/)])
  })

  test('I03 a proof that does not hold uses nothing up', async () => {
    const claims: ReplayClaim[] = []
    const replay = async (claim: ReplayClaim) => claims.push(claim) > 0
    const verifier = f.with({ replay })
    const other = await aKey()
    for (const shape of [
      { claims: { ath: 'x' } },
      { method: 'PUT' },
      { claims: { iat: NOW - 99 } },
    ])
      await outcomeOf(await aProof(f.agentKey, { token, ...shape }), {}, verifier)
    await outcomeOf(await aProof(other, { token }), {}, verifier)
    const proof = await aProof(f.agentKey, { token })
    await outcomeOf(`${proof.slice(0, -8)}AAAAAAAA`, {}, verifier)
    expect(claims).toEqual([])
    expect(await outcomeOf(proof, {}, verifier)).toBe('accepted')
    expect(claims).toEqual([{ id: expect.any(String), expiresAt: NOW + 61 }])
  })

  test('I03 only a plain true is a first use, and a lost store refuses', async () => {
    const faults: VerifierFault[] = []
    const onFault = (fault: VerifierFault) => faults.push(fault)
    const answers: readonly [unknown, string][] = [
      ['yes', 'proof_replayed'],
      [1, 'proof_replayed'],
      [undefined, 'proof_replayed'],
      [false, 'proof_replayed'],
      [true, 'accepted'],
    ]
    for (const [answer, outcome] of answers) {
      const verifier = f.with({ replay: async () => answer as boolean })
      expect(await outcomeOf(await aProof(f.agentKey, { token }), {}, verifier)).toBe(outcome)
    }
    const lost = f.with({ replay: () => Promise.reject(new Error('store is down')), onFault })
    expect(await outcomeOf(await aProof(f.agentKey, { token }), {}, lost)).toBe(
      'replay_unavailable',
    )
    expect(faults).toEqual([{ kind: 'replay_failed', detail: 'store is down' }])
  })

  test('I03 is not checked where the option says so', async () => {
    const verifier = f.with({ replay: 'off' })
    const proof = await aProof(f.agentKey, { token })
    expect(await outcomeOf(proof, {}, verifier)).toBe('accepted')
    expect(await outcomeOf(proof, {}, verifier)).toBe('accepted')
  })

  test('I03 a remembered token does not excuse the proof', async () => {
    const verifier = f.with({})
    expect(await outcomeOf(await aProof(f.agentKey, { token }), {}, verifier)).toBe('accepted')
    expect(await outcomeOf(undefined, {}, verifier)).toBe('proof_missing')
    expect(await outcomeOf(await aProof(await aKey(), { token }), {}, verifier)).toBe(
      'proof_key_mismatch',
    )
  })
})

describe('I04 every field of a proof counts', () => {
  const jwkOf = ({ publicJwk: { kty, crv, x, y } } = f.agentKey) => ({ kty, crv, x, y })
  const ath = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))

  test.each([
    ['ath missing', { ath: undefined }, 'proof_token_mismatch'],
    [
      'ath of another token',
      { ath: 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo' },
      'proof_token_mismatch',
    ],
    ['htm of another method', { htm: 'POST' }, 'proof_method_mismatch'],
    ['htm in lower case', { htm: 'get' }, 'proof_method_mismatch'],
    ['htm missing', { htm: undefined }, 'proof_malformed'],
    ['htm number', { htm: 1 }, 'proof_malformed'],
    ['htu other path', { htu: `${API}/other` }, 'proof_url_mismatch'],
    ['htu other host', { htu: 'https://evil.example/api/entries' }, 'proof_url_mismatch'],
    ['htu other scheme', { htu: 'http://ledger.acme.example/api/entries' }, 'proof_url_mismatch'],
    [
      'htu other port',
      { htu: 'https://ledger.acme.example:8443/api/entries' },
      'proof_url_mismatch',
    ],
    ['htu other case of path', { htu: `${API}/Entries` }, 'proof_url_mismatch'],
    [
      'htu with empty user',
      { htu: 'https://@ledger.acme.example/api/entries' },
      'proof_url_mismatch',
    ],
    [
      'htu with more slashes',
      { htu: 'https:////ledger.acme.example/api/entries' },
      'proof_url_mismatch',
    ],
    ['htu with user', { htu: 'https://u@ledger.acme.example/api/entries' }, 'proof_url_mismatch'],
    [
      'htu with backslash',
      { htu: 'https://ledger.acme.example\\api\\entries' },
      'proof_url_mismatch',
    ],
    ['htu relative', { htu: '/api/entries' }, 'proof_url_mismatch'],
    ['htu missing', { htu: undefined }, 'proof_malformed'],
    ['iat an hour ago', { iat: NOW - 3600 }, 'proof_time_refused'],
    ['iat in an hour', { iat: NOW + 3600 }, 'proof_time_refused'],
    ['iat 61 seconds ago', { iat: NOW - 61 }, 'proof_time_refused'],
    ['iat string', { iat: `${NOW}` }, 'proof_malformed'],
    ['iat missing', { iat: undefined }, 'proof_malformed'],
    ['jti missing', { jti: undefined }, 'proof_malformed'],
    ['jti empty', { jti: '' }, 'proof_malformed'],
    ['jti number', { jti: 7 }, 'proof_malformed'],
    ['jti of 257 characters', { jti: 'j'.repeat(257) }, 'proof_malformed'],
    ['jti of 1 MB', { jti: 'j'.repeat(1_000_000) }, 'proof_malformed'],
  ])('I04 %s', async (_, claims, outcome) => {
    expect(await outcomeOf(await aProof(f.agentKey, { token, claims }))).toBe(outcome)
  })

  test('I04 a padded ath is not the ath', async () => {
    const padded = `${base64url.encode(await ath(token))}=`
    const proof = await aProof(f.agentKey, { token, claims: { ath: padded } })
    expect(await outcomeOf(proof)).toBe('proof_token_mismatch')
  })

  test.each([
    ['typ missing', { typ: undefined }, 'proof_type_wrong'],
    ['typ JWT', { typ: 'JWT' }, 'proof_type_wrong'],
    ['typ at+jwt', { typ: 'at+jwt' }, 'proof_type_wrong'],
    ['alg none', { alg: 'none' }, 'proof_algorithm_refused'],
    ['alg HS256', { alg: 'HS256' }, 'proof_algorithm_refused'],
    ['alg of another key', { alg: 'EdDSA' }, 'proof_algorithm_refused'],
    ['alg PS256', { alg: 'PS256' }, 'proof_algorithm_refused'],
    ['crit', { crit: ['x'] }, 'proof_malformed'],
    ['b64', { b64: false }, 'proof_malformed'],
    ['no jwk', { jwk: undefined }, 'proof_key_refused'],
    ['jwk text', { jwk: 'x' }, 'proof_key_refused'],
    ['jwk symmetric', { jwk: { kty: 'oct', k: 'AAAA' } }, 'proof_key_refused'],
    ['jwk of no kind', { jwk: {} }, 'proof_key_refused'],
    [
      'jwk off the curve',
      { jwk: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } },
      'proof_key_mismatch',
    ],
    [
      'jwk of a short point',
      { jwk: { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' } },
      'proof_key_refused',
    ],
  ])('I04 %s', async (_, header, outcome) => {
    expect(await outcomeOf(await aProof(f.agentKey, { token, header }))).toBe(outcome)
  })

  test('I04 an embedded private key', async () => {
    const header = { jwk: { ...jwkOf(), d: 'AAAA' } }
    expect(await outcomeOf(await aProof(f.agentKey, { token, header }))).toBe('proof_key_refused')
  })

  test('I04 a key that says it is for something else', async () => {
    for (const more of [
      { use: 'enc' },
      { key_ops: ['sign'] },
      { alg: 'ES384' },
      { key_ops: 'verify' },
    ]) {
      const header = { jwk: { ...jwkOf(), ...more } }
      expect(await outcomeOf(await aProof(f.agentKey, { token, header }))).toBe('proof_key_refused')
    }
  })

  test('I04 a key that is bound but off the curve', async () => {
    const jwk = { crv: 'P-256', kty: 'EC', x: 'A'.repeat(43), y: 'A'.repeat(43) }
    const jkt = base64url.encode(await ath(JSON.stringify(jwk)))
    const bound = await signToken(f.issuerKey, f.claims({ cnf: { jkt } }))
    const proof = await aProof(f.agentKey, { token: bound, header: { jwk } })
    expect(await outcomeOf(proof, { token: bound })).toBe('proof_key_refused')
  })

  test('I04 what is no JWS at all, or two', async () => {
    const proof = await aProof(f.agentKey, { token })
    for (const bad of ['', 'x', 'a.b.c', `${proof}, ${proof}`, `${proof}=`, '.'.repeat(1_000_000)])
      expect(await outcomeOf(bad)).toBe('proof_malformed')
    const twice = await signText(
      f.agentKey,
      JSON.stringify({ alg: 'ES256', typ: 'dpop+jwt', jwk: jwkOf() }),
      `{"jti":"a","jti":"b","htm":"GET","htu":"${URL_CALLED}","iat":${NOW}}`,
    )
    expect(await outcomeOf(twice)).toBe('proof_malformed')
  })

  test('J09 an access token or an ID token is no proof', async () => {
    expect(await outcomeOf(token)).toBe('proof_type_wrong')
  })
})

test.each([
  ['upper-case host', 'HTTPS://LEDGER.acme.example/api/entries'],
  ['explicit port', 'https://ledger.acme.example:443/api/entries'],
  ['escaped letters', 'https://ledger.acme.example/%61pi/entries'],
  ['query and fragment', `${API}/entries?x=1#y`],
  ['dot segments', `${API}/x/../entries`],
])('accepts another spelling of the URL: %s', async (_, htu) => {
  const proof = await aProof(f.agentKey, { token, claims: { htu } })
  expect(await outcomeOf(proof, { url: `${URL_CALLED}?page=2` })).toBe('accepted')
})

test('normalises what RFC 3986 calls equivalent and nothing else', () => {
  expect(normalTarget('https://a.example/%7e%2f%c3%A9')).toBe('https://a.example/~%2F%C3%A9')
  expect(normalTarget('https://a.example')).toBe('https://a.example/')
  expect(normalTarget('https://a.example//b')).toBe('https://a.example//b')
  for (const bad of [
    '',
    'a',
    'ftp://a/',
    'https://a.example/ b',
    'https:/a',
    'https://a\\b',
    'urn:x',
  ])
    expect(normalTarget(bad)).toBeUndefined()
})

test.each([
  [-60, 'accepted'],
  [-10, 'accepted'],
  [10, 'accepted'],
  [60, 'accepted'],
])('accepts a proof made %i seconds from now', async (away, outcome) => {
  const proof = await aProof(f.agentKey, { token, claims: { iat: NOW + away } })
  expect(await outcomeOf(proof)).toBe(outcome)
})

test.each(['EdDSA', 'RS256'])('accepts a proof by a key of %s', async (alg) => {
  const key = await aKey(alg)
  const bound = await signToken(f.issuerKey, f.claims({ cnf: { jkt: key.thumbprint } }))
  expect(await outcomeOf(await aProof(key, { token: bound }), { token: bound })).toBe('accepted')
})

test.each([
  ['modulus of 1024 bits', { n: base64url.encode(new Uint8Array(128).fill(255)) }],
  ['modulus of 16384 bits', { n: base64url.encode(new Uint8Array(2048).fill(255)) }],
  ['modulus of 4104 bits', { n: base64url.encode(new Uint8Array(513).fill(255)) }],
  ['modulus of the generator of CVE-2017-15361', { n: aRocaKey()['n'] }],
  ['leading zero', { n: base64url.encode(new Uint8Array(256).fill(1, 1)) }],
  ['even modulus', { n: base64url.encode(new Uint8Array(256).fill(254)) }],
  ['exponent 1', { e: 'AQ' }],
  ['exponent 3', { e: 'Aw' }],
  ['even exponent', { e: 'AQAA' }],
  ['huge exponent', { e: base64url.encode(new Uint8Array(256).fill(255)) }],
])('M02 refuses an embedded RSA key before using it: %s', async (_, members) => {
  const rsa = await aKey('RS256')
  const { kty, n, e } = rsa.publicJwk
  const header = { alg: 'RS256', jwk: { kty, n, e, ...members } }
  expect(await outcomeOf(await aProof(rsa, { token, header }))).toMatch(
    /^(proof_key_refused|proof_malformed)$/,
  )
})

test('the URL of a proof is compared with the configured place, not with a Host header', async () => {
  const proof = await aProof(f.agentKey, { token })
  expect(await outcomeOf(proof, { url: 'https://evil.example/api/entries' })).toBe('accepted')
  const evil = await aProof(f.agentKey, { token, url: 'https://evil.example/api/entries' })
  expect(await outcomeOf(evil, { url: 'https://evil.example/api/entries' })).toBe(
    'proof_url_mismatch',
  )
  const behind = f.with({ publicUrl: 'https://edge.example/ledger/' })
  const edge = await aProof(f.agentKey, { token, url: 'https://edge.example/ledger/entries' })
  expect(await outcomeOf(edge, { url: '/entries?x' }, behind)).toBe('accepted')
  const slashes = await aProof(f.agentKey, { token, url: 'https://evil.example/x' })
  expect(await outcomeOf(slashes, { url: '//evil.example/x' })).toBe('proof_url_mismatch')
})

describe('what a token is bound to', () => {
  test.each([
    ['nothing', {}],
    ['kid', { kid: 'x' }],
    ['jwe', { jwe: 'x' }],
    ['jwk', { jwk: {} }],
    ['jku', { jku: 'https://x.example' }],
    ['a number', { jkt: 7 }],
    ['an empty thumbprint', { jkt: '' }],
    ['a padded thumbprint', { jkt: `${'A'.repeat(43)}=` }],
    ['prototype', { constructor: 'A'.repeat(43) }],
  ])('must be something that can be checked: %s', async (_, cnf) => {
    const lenient = f.with({ bearer: 'allowed' })
    expect(await f.outcome(f.claims({ cnf }), {}, lenient)).toBe('binding_unsupported')
  })

  test('must hold in every member', async () => {
    const print = 'A'.repeat(43)
    const both = f.claims({ cnf: { jkt: f.agentKey.thumbprint, 'x5t#S256': print } })
    const bound = await signToken(f.issuerKey, both)
    const fresh = () => aProof(f.agentKey, { token: bound })
    expect(await outcomeOf(await fresh(), { token: bound })).toBe('certificate_missing')
    const wrong = { token: bound, certificateThumbprint: 'B'.repeat(43) }
    expect(await outcomeOf(await fresh(), wrong)).toBe('certificate_mismatch')
    const right = { token: bound, certificateThumbprint: print }
    expect(await outcomeOf(undefined, right)).toBe('proof_missing')
    expect(await outcomeOf(await fresh(), right)).toBe('accepted')
    const unknown = f.claims({ cnf: { jkt: f.agentKey.thumbprint, kid: 'x' } })
    expect(await f.outcome(unknown)).toBe('binding_unsupported')
  })

  test('may be a certificate alone, under Bearer', async () => {
    const print = 'A'.repeat(43)
    const bound = await signToken(f.issuerKey, f.claims({ cnf: { 'x5t#S256': print } }))
    const with_ = (more: Partial<Presentation>) => outcomeOf(undefined, { token: bound, ...more })
    expect(await with_({ scheme: 'Bearer' })).toBe('certificate_missing')
    expect(await with_({ scheme: 'Bearer', certificateThumbprint: print })).toBe('accepted')
    expect(await with_({ scheme: 'DPoP', certificateThumbprint: print })).toBe('scheme_mismatch')
  })
})

describe('keys of proofs', () => {
  const importsOf = async (verifier: Verifier, key: TestKey) => {
    const imports = vi.spyOn(crypto.subtle, 'importKey')
    const bound = await signToken(f.issuerKey, f.claims({ cnf: { jkt: key.thumbprint } }))
    for (let time = 0; time < 3; time++) {
      const proof = await aProof(key, { token: bound })
      expect(await outcomeOf(proof, { token: bound }, verifier)).toBe('accepted')
    }
    const imported = imports.mock.calls.filter(([format]) => String(format) === 'jwk')
    imports.mockRestore()
    return imported.length
  }

  test('are imported once, as many as tokens are remembered', async () => {
    const [one, other] = [await aKey(), await aKey()]
    const verifier = f.with({ cacheSize: 1 })
    // The issuer's key is the other one.
    expect(await importsOf(verifier, one)).toBe(2)
    expect(await importsOf(verifier, one)).toBe(0)
    expect(await importsOf(verifier, other)).toBe(1)
    expect(await importsOf(verifier, one)).toBe(1)
    expect(await importsOf(f.with({ cacheSize: 0 }), one)).toBe(4)
  })

  test('I02 are no others for having been good before', async () => {
    const verifier = f.with({})
    const good = () => aProof(f.agentKey, { token })
    expect(await outcomeOf(await good(), {}, verifier)).toBe('accepted')
    const other = await aKey()
    const foreign = await aProof(other, { token })
    expect(await outcomeOf(foreign, {}, verifier)).toBe('proof_key_mismatch')
    const { kty, crv, x, y } = f.agentKey.publicJwk
    const { x: theirs } = other.publicJwk
    const shapes = [
      [{ kty, crv, x, y, use: 'enc' }, 'proof_key_refused'],
      [{ kty, crv, x: theirs, y }, 'proof_key_mismatch'],
      [{ kty, crv, x, y }, 'proof_signature_invalid'],
    ] as const
    for (const [jwk, reason] of shapes) {
      const proof = await aProof(other, { token, header: { jwk } })
      expect(await outcomeOf(proof, {}, verifier)).toBe(reason)
    }
    expect(await outcomeOf(await good(), {}, verifier)).toBe('accepted')
  })
})

describe('memory of used proofs', () => {
  test('M05 a full memory refuses and says so, until something ends', async () => {
    let now = NOW
    const memory = new ReplayMemory(() => now, 2)
    expect(await memory.claim({ id: 'a', expiresAt: NOW + 61 })).toBe(true)
    expect(await memory.claim({ id: 'b', expiresAt: NOW + 20 })).toBe(true)
    await expect(memory.claim({ id: 'c', expiresAt: NOW + 61 })).rejects.toThrow('too many proofs')
    expect(await memory.claim({ id: 'a', expiresAt: NOW + 61 })).toBe(false)
    now = NOW + 30
    expect(await memory.claim({ id: 'c', expiresAt: NOW + 91 })).toBe(true)
    await expect(memory.claim({ id: 'd', expiresAt: NOW + 91 })).rejects.toThrow('too many proofs')
  })

  test('M05 a full memory refuses a request with 503', async () => {
    const faults: VerifierFault[] = []
    const memory = new ReplayMemory(() => NOW, 1)
    const verifier = f.with({
      replay: (claim) => memory.claim(claim),
      onFault: (fault) => faults.push(fault),
    })
    expect(await outcomeOf(await aProof(f.agentKey, { token }), {}, verifier)).toBe('accepted')
    expect(await outcomeOf(await aProof(f.agentKey, { token }), {}, verifier)).toBe(
      'replay_unavailable',
    )
    expect(faults.map((fault) => fault.kind)).toEqual(['replay_full'])
  })

  test('K07 a clock that steps back does not bring a forgotten proof to life', async () => {
    let now = NOW
    const memory = new ReplayMemory(() => now)
    expect(await memory.claim({ id: 'a', expiresAt: NOW + 61 })).toBe(true)
    now = NOW + 70
    expect(await memory.claim({ id: 'b', expiresAt: NOW + 131 })).toBe(true)
    now = NOW + 5
    expect(await memory.claim({ id: 'a', expiresAt: NOW + 61 })).toBe(false)
    expect(await memory.claim({ id: 'c', expiresAt: NOW + 66 })).toBe(true)
  })
})
