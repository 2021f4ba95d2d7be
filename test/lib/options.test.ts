import { expect, test } from 'vitest'
import { createVerifier } from '../../lib/src/verifier.ts'
import { API, aKey, ISSUER } from '../support/chain-token.ts'

const GOOD = { issuer: ISSUER, audience: API, revocation: 'off' as const }
const build = (options: unknown) => () => createVerifier(options as typeof GOOD)

test('a verifier needs an issuer, an audience and a word on revocation, and nothing else', () => {
  expect(createVerifier(GOOD).facts).toEqual({
    issuer: ISSUER,
    audience: API,
    maxHops: 8,
    bearer: 'refused',
    certificateOf: undefined,
    algorithms: ['ES256', 'EdDSA', 'RS256'],
    realm: API,
    resourceMetadata: undefined,
  })
})

test.each([
  ['nothing', undefined],
  ['null', null],
  ['no issuer', { audience: API, revocation: 'off' }],
  ['no audience', { issuer: ISSUER, revocation: 'off' }],
  ['revocation undefined', { ...GOOD, revocation: undefined }],
  ['revocation on', { ...GOOD, revocation: 'on' }],
  ['undefined issuer', { ...GOOD, issuer: undefined }],
  ['undefined audience', { ...GOOD, audience: undefined }],
  ['empty audience', { ...GOOD, audience: '' }],
  ['two audiences', { ...GOOD, audience: [API] }],
  ['http issuer', { ...GOOD, issuer: 'http://as.example.com/t/acme' }],
  ['http loopback issuer without the option', { ...GOOD, issuer: 'http://127.0.0.1:8460/t/acme' }],
  [
    'http issuer that looks like loopback',
    { ...GOOD, issuer: 'http://127.0.0.1.evil.example/', allowInsecureLoopback: true },
  ],
  ['issuer with query', { ...GOOD, issuer: `${ISSUER}?x=1` }],
  ['issuer with fragment', { ...GOOD, issuer: `${ISSUER}#x` }],
  ['issuer with user', { ...GOOD, issuer: 'https://u@as.example.com/' }],
  ['relative issuer', { ...GOOD, issuer: '/t/acme' }],
  ['maxHops 0', { ...GOOD, maxHops: 0 }],
  ['maxHops 9', { ...GOOD, maxHops: 9 }],
  ['maxHops 1.5', { ...GOOD, maxHops: 1.5 }],
  ['maxHops undefined', { ...GOOD, maxHops: undefined }],
  ['algorithm none', { ...GOOD, algorithms: ['none'] }],
  ['algorithm HS256', { ...GOOD, algorithms: ['ES256', 'HS256'] }],
  ['no algorithms', { ...GOOD, algorithms: [] }],
  ['replay on', { ...GOOD, replay: 'on' }],
  ['replay undefined', { ...GOOD, replay: undefined }],
  ['nonces undefined', { ...GOOD, nonces: undefined }],
  ['nonces as a secret', { ...GOOD, nonces: 's'.repeat(32) }],
  ['certificateOf undefined', { ...GOOD, certificateOf: undefined }],
  ['certificateOf on', { ...GOOD, certificateOf: true }],
  ['bearer true', { ...GOOD, bearer: true }],
  ['tolerance of a minute', { ...GOOD, clockTolerance: 60 }],
  ['cache without end', { ...GOOD, cacheSize: Number.POSITIVE_INFINITY }],
  ['misspelt option', { ...GOOD, maxhops: 2 }],
  ['option of every object', { ...GOOD, toString: 1 }],
  ['realm with a quote', { ...GOOD, realm: 'a"b' }],
  ['realm with a line break', { ...GOOD, realm: 'a\r\nx: y' }],
  ['metadata URL with a quote', { ...GOOD, resourceMetadata: 'https://x/"' }],
  ['jwks without keys', { ...GOOD, jwks: {} }],
  ['jwks empty', { ...GOOD, jwks: { keys: [] } }],
  ['jwks with a secret only', { ...GOOD, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }],
  ['http jwksUri', { ...GOOD, jwksUri: 'http://as.example.com/jwks' }],
  ['audience that is no URL, without publicUrl', { ...GOOD, audience: 'urn:ledger' }],
  ['publicUrl that is no URL', { ...GOOD, publicUrl: 'ledger' }],
  ['now as a number', { ...GOOD, now: 1 }],
])('misuse is a TypeError at construction: %s', (_, options) => {
  expect(build(options)).toThrow(TypeError)
})

test('whether revocation is checked is said, never left out', () => {
  expect(build({ issuer: ISSUER, audience: API })).toThrow('missing option: revocation')
})

test('jwks and jwksUri exclude each other', async () => {
  const { publicJwk } = await aKey()
  expect(build({ ...GOOD, jwks: { keys: [publicJwk] }, jwksUri: `${ISSUER}/jwks` })).toThrow(
    'jwks or jwksUri',
  )
})

test('loopback may be plain http where the option says so', () => {
  for (const host of ['127.0.0.1:8460', '[::1]:8460', 'localhost:8460'])
    expect(
      createVerifier({ ...GOOD, issuer: `http://${host}/t/acme`, allowInsecureLoopback: true })
        .facts.issuer,
    ).toBe(`http://${host}/t/acme`)
})

test('an audience that is no URL is fine with a publicUrl', () => {
  expect(build({ ...GOOD, audience: 'urn:ledger', publicUrl: 'https://x.example' })).not.toThrow()
})
