import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readSpiffeBundle } from '../../server/core/spiffe-bundle.ts'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = publicKey.export({ format: 'jwk' })
const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
const jwtEntry = { ...jwk, kid: 'a', use: 'jwt-svid' }
const der = (text: string) => Buffer.from(text).toString('base64')
const x509Entry = { ...jwk, use: 'x509-svid', x5c: [der('first'), der('second')] }

const authoritiesOf = (bundle: unknown) =>
  readSpiffeBundle(bundle)?.authorities.map((bytes) => Buffer.from(bytes).toString())

describe('SPB-4-01: what a bundle must be', () => {
  test('keys of both kinds, each for its own use', () => {
    expect(readSpiffeBundle({ keys: [jwtEntry, x509Entry] })).toEqual({
      jwtKeys: [{ ...jwk, kid: 'a' }],
      authorities: [new Uint8Array(Buffer.from('first'))],
      refreshHint: undefined,
      sequence: undefined,
    })
  })

  test('SPJWT-2.1-01: keys of every curve that a JWT-SVID may be signed on', () => {
    for (const namedCurve of ['P-384', 'P-521']) {
      const other = generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' })
      const bundle = readSpiffeBundle({ keys: [{ ...other, kid: 'b', use: 'jwt-svid' }] })
      expect(bundle?.jwtKeys).toEqual([{ ...other, kid: 'b' }])
    }
  })

  test('an empty list trusts nothing, and is no fault', () => {
    expect(readSpiffeBundle({ keys: [] })).toMatchObject({ jwtKeys: [], authorities: [] })
  })

  test.each([
    ['an unknown kty', { kty: 'AKP', kid: 'pq', use: 'jwt-svid' }],
    ['an unknown use', { ...jwk, kid: 'b', use: 'wit-svid' }],
    ['the use of other key sets', { ...jwk, kid: 'b', use: 'sig' }],
    ['no use', { ...jwk, kid: 'b' }],
    ['a use that is no text', { ...jwk, kid: 'b', use: 7 }],
    ['SPJWT-6.2-01: no kid', { ...jwk, use: 'jwt-svid' }],
    ['an empty kid', { ...jwk, kid: '', use: 'jwt-svid' }],
    ['a curve that is not taken', { ...jwk, crv: 'secp256k1', kid: 'b', use: 'jwt-svid' }],
    ['half a point', { kty: 'EC', crv: 'P-521', x: 'AA', kid: 'b', use: 'jwt-svid' }],
    ['SPJWT-2.1-01: Ed25519', { ...ed25519, kid: 'b', use: 'jwt-svid' }],
    ['SPX-6.2-01: no x5c', { ...jwk, use: 'x509-svid' }],
    ['an empty x5c', { ...jwk, use: 'x509-svid', x5c: [] }],
  ])('an entry with %s is skipped, the others count', (_, entry) => {
    expect(readSpiffeBundle({ keys: [entry, jwtEntry, x509Entry] })).toEqual(
      readSpiffeBundle({ keys: [jwtEntry, x509Entry] }),
    )
  })

  test.each([
    ['without keys', {}],
    ['with keys that are no list', { keys: {} }],
    ['that is a list', [jwtEntry]],
    ['that is nothing', null],
    ['with keys inherited through __proto__', JSON.parse('{"__proto__": {"keys": []}}')],
    ['with an entry that is no object', { keys: ['key'] }],
    ['of 257 entries', { keys: Array.from({ length: 257 }, () => x509Entry) }],
    ['with a private key', { keys: [jwtEntry, { ...privateKey.export({ format: 'jwk' }) }] }],
    ['with a private key of no use here', { keys: [{ kty: 'oct', k: 'AA' }] }],
    ['with one kid twice', { keys: [jwtEntry, jwtEntry] }],
    ['with a certificate that is no base64', { keys: [{ ...x509Entry, x5c: ['_-_-'] }] }],
    ['with an x5c that is no list', { keys: [{ ...x509Entry, x5c: der('first') }] }],
  ])('K02: a bundle %s is refused whole', (_, bundle) => {
    expect(readSpiffeBundle(bundle)).toBeUndefined()
  })
})

test('SPX-6.2-01: the first value of x5c alone, and a kid twice is nothing there', () => {
  const other = { ...x509Entry, kid: 'a', x5c: [der('third')] }
  const bundle = { keys: [{ ...x509Entry, kid: 'a' }, other] }
  expect(authoritiesOf(bundle)).toEqual(['first', 'third'])
})

test.each([
  [{ spiffe_refresh_hint: 60, spiffe_sequence: 7 }, 60, 7],
  [{ spiffe_refresh_hint: 0, spiffe_sequence: 0 }, 0, 0],
  [{ spiffe_refresh_hint: '60', spiffe_sequence: '7' }, undefined, undefined],
  [{ spiffe_refresh_hint: -1, spiffe_sequence: 1.5 }, undefined, undefined],
])('what a bundle says of its refreshing: %o', (members, refreshHint, sequence) => {
  expect(readSpiffeBundle({ keys: [], ...members })).toMatchObject({ refreshHint, sequence })
})
