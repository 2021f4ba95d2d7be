import fc from 'fast-check'
import { base64url } from 'jose'
import { expect, test } from 'vitest'
import { decodeBase64url, decodeByAtob, encodeBase64url } from '../../lib/src/base64url.ts'
import { readCompactJws } from '../../lib/src/compact-jws.ts'

const jws = (header: string, payload = '{"sub":"alice"}', signature = 'AAAA'): string =>
  `${base64url.encode(header)}.${base64url.encode(payload)}.${signature}`

test('reads header, payload, signing input and signature of a canonical token', () => {
  const token = jws('{"alg":"ES256","typ":"at+jwt","kid":"k1"}')
  expect(readCompactJws(token)).toEqual({
    header: {
      alg: 'ES256',
      typ: 'at+jwt',
      kid: 'k1',
      members: { alg: 'ES256', typ: 'at+jwt', kid: 'k1' },
    },
    payload: { sub: 'alice' },
    signingInput: token.slice(0, -5),
    signature: new Uint8Array(3),
  })
})

const good = jws('{"alg":"ES256"}')
const [header = '', payload = ''] = good.split('.')
test.each([
  ['one part', header],
  ['two parts', `${header}.${payload}`],
  ['four parts', `${good}.AAAA`],
  ['five parts, a JWE', `${good}.AAAA.AAAA`],
  ['empty header', `.${payload}.AAAA`],
  ['empty payload', `${header}..AAAA`],
  ['empty signature', `${header}.${payload}.`],
  ['padding', `${header}.${payload}.AA==`],
  ['space in the signature', `${header}.${payload}.AA AA`],
  ['newline at the end', `${good}\n`],
  ['leading space', ` ${good}`],
  ['standard base64', `${header}.${payload}.AA+/`],
  ['trailing bits', `${header}.${payload}.AB`],
  ['trailing bits of two bytes', `${header}.${payload}.AAB`],
  ['one character over', `${header}.${payload}.AAAAA`],
  ['non-ASCII', `${header}.${payload}.AAAÀ`],
  ['JSON serialisation', `{"payload":"${payload}"}`],
  ['empty', ''],
  ['dots', '.'.repeat(1000)],
])('refuses a spelling that is not canonical: %s', (_, token) => {
  expect(readCompactJws(token)).toBeUndefined()
})

test.each([
  ['empty crit', '{"alg":"ES256","crit":[]}'],
  ['unknown crit', '{"alg":"ES256","crit":["x"],"x":1}'],
  ['crit of exp', '{"alg":"ES256","crit":["exp"],"exp":1}'],
  ['b64 false', '{"alg":"ES256","crit":["b64"],"b64":false}'],
  ['b64 true', '{"alg":"ES256","b64":true}'],
])('J03 refuses %s', (_, text) => {
  expect(readCompactJws(jws(text))).toBeUndefined()
})

test.each([
  ['no alg', '{}'],
  ['empty alg', '{"alg":""}'],
  ['alg list', '{"alg":["ES256"]}'],
  ['kid number', '{"alg":"ES256","kid":1}'],
  ['kid array', '{"alg":"ES256","kid":["k1"]}'],
  ['kid null', '{"alg":"ES256","kid":null}'],
  ['kid of 257 characters', `{"alg":"ES256","kid":"${'k'.repeat(257)}"}`],
  ['typ number', '{"alg":"ES256","typ":1}'],
  ['array', '["ES256"]'],
])('refuses a header that is mistyped: %s', (_, text) => {
  expect(readCompactJws(jws(text))).toBeUndefined()
})

test.each([
  ['payload', jws('{"alg":"ES256"}', '{"iss":"a","iss":"b"}')],
  ['header', jws('{"alg":"ES256","alg":"none"}')],
])('J06 refuses duplicate members in the %s', (_, token) => {
  expect(readCompactJws(token)).toBeUndefined()
})

test('J05 refuses a token above the limit before decoding it', () => {
  const long = jws('{"alg":"ES256"}', `{"a":"${'x'.repeat(12_300)}"}`)
  expect(long.length).toBeGreaterThan(16_384)
  expect(readCompactJws(long)).toBeUndefined()
  expect(readCompactJws(long, { maxLength: 32_768 })).toBeDefined()
  expect(readCompactJws('.'.repeat(50_000_000))).toBeUndefined()
})

test('base64url round-trips every length', () => {
  for (let length = 0; length < 70; length++) {
    const octets = crypto.getRandomValues(new Uint8Array(length))
    const text = encodeBase64url(octets)
    expect(text).toBe(base64url.encode(octets))
    expect(decodeBase64url(text)).toEqual(octets)
    expect(decodeByAtob(text)).toEqual(octets)
  }
})

test('both decoders take exactly the canonical spelling of any text', () => {
  const letter = fc.constantFrom(
    ...'AQgwBCzZ019-_'.split(''),
    '=',
    '+',
    '/',
    ' ',
    '\n',
    '\t',
    '\0',
    'À',
    'Ā',
    '😀',
  )
  fc.assert(
    fc.property(fc.string({ unit: letter, maxLength: 12 }), (text) => {
      const plain = /^[\w-]*$/.test(text) && text.length % 4 !== 1
      const octets = Buffer.from(text, 'base64url')
      const canonical = plain && octets.toString('base64url') === text
      const wanted = canonical ? new Uint8Array(octets) : undefined
      expect(decodeBase64url(text)).toEqual(wanted)
      if (wanted !== undefined) expect(decodeByAtob(text)).toEqual(wanted)
      expect(decodeBase64url(`.${text}.`, 1, text.length + 1)).toEqual(wanted)
    }),
    { numRuns: 5_000 },
  )
})
