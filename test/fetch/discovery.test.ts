import { expect, test } from 'vitest'
import { discoveryUrl, findKeySetUrl } from '../../server/fetch/discovery.ts'

test.each([
  ['https://idp.example', 'https://idp.example/.well-known/openid-configuration'],
  ['https://idp.example/', 'https://idp.example/.well-known/openid-configuration'],
  ['https://idp.example/a/b', 'https://idp.example/a/b/.well-known/openid-configuration'],
])('%s says where its keys are at %s', (issuer, url) => {
  expect(discoveryUrl(issuer)).toBe(url)
})

const ISSUER = 'https://idp.example'
const JWKS = 'https://idp.example/keys'

test('the address is taken from the document of exactly this issuer', () => {
  expect(findKeySetUrl(ISSUER, { issuer: ISSUER, jwks_uri: JWKS, other: 1 })).toBe(JWKS)
})

test.each([
  ['another issuer', { issuer: 'https://evil.example', jwks_uri: JWKS }],
  ['the issuer with a slash', { issuer: `${ISSUER}/`, jwks_uri: JWKS }],
  ['the issuer in capitals', { issuer: 'https://IDP.example', jwks_uri: JWKS }],
  ['no issuer', { jwks_uri: JWKS }],
  ['two issuers', { issuer: [ISSUER], jwks_uri: JWKS }],
  ['no address', { issuer: ISSUER }],
  ['an address that is no text', { issuer: ISSUER, jwks_uri: [JWKS] }],
  ['members inherited', JSON.parse(`{"__proto__": {"issuer": "${ISSUER}", "jwks_uri": "a"}}`)],
  ['a list', [ISSUER]],
  ['nothing', null],
])('K02: a document with %s is refused', (_, document) => {
  expect(findKeySetUrl(ISSUER, document)).toBeUndefined()
})
