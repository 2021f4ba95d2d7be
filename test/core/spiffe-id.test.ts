import { expect, test } from 'vitest'
import {
  isSpiffePattern,
  isTrustDomainName,
  matchesSpiffeId,
  parseSpiffeId,
} from '../../server/core/spiffe-id.ts'

const isId = (text: string): boolean => parseSpiffeId(text) !== undefined
const matches = (pattern: string, text: string): boolean => {
  const id = parseSpiffeId(text)
  if (id === undefined) throw new Error(`no id: ${text}`)
  return matchesSpiffeId(pattern, id)
}

test('reads trust domain and path', () => {
  expect(parseSpiffeId('spiffe://prod.acme.example/agents/planner')).toEqual({
    text: 'spiffe://prod.acme.example/agents/planner',
    trustDomain: 'prod.acme.example',
    path: '/agents/planner',
  })
  expect(parseSpiffeId('spiffe://d')).toEqual({
    text: 'spiffe://d',
    trustDomain: 'd',
    path: '',
  })
})

// SPID-2-01
test.each([
  'http://d/x',
  'spiffe:/d/x',
  'spiffe:d/x',
  'SPIFFE://d/x',
  'Spiffe://d/x',
  ' spiffe://d/x',
  'spiffe://d/x ',
  'spiffe://',
  'spiffe:///',
  'spiffe:///x',
  'spiffe://d/x?y',
  'spiffe://d/x#z',
  'spiffe://d?y',
  'spiffe://d#z',
  '',
])('SPID-2-01: %j is no SPIFFE ID', (text) => {
  expect(isId(text)).toBe(false)
})

// SPID-2.1-01
test('SPID-2.1-01: a trust domain has lower case letters, digits, dots, dashes and underscores', () => {
  for (const name of ['D', 'u@d', 'd:80', 'd:', '%61', 'd%2e', 'dömäne', '[::1]', '*', '']) {
    expect(isTrustDomainName(name), name).toBe(false)
    expect(isId(`spiffe://${name}/x`), name).toBe(false)
  }
  for (const name of ['d', 'a.b-c_d', '10.0.0.1', 'x'.repeat(255)]) {
    expect(isTrustDomainName(name), name).toBe(true)
    expect(isId(`spiffe://${name}/x`), name).toBe(true)
  }
  expect(isTrustDomainName('x'.repeat(256))).toBe(false)
})

// SPID-2.1-01, SPID-2.2-01
test('SPID-2.2-01: of the 256 bytes exactly the allowed ones may stand in a name and a path', () => {
  const bytes = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
  const allowedIn = (text: (byte: string) => string): string =>
    bytes.filter((byte) => isId(text(byte))).join('')
  expect(allowedIn((byte) => `spiffe://d${byte}d/x`)).toBe(
    '-./0123456789_abcdefghijklmnopqrstuvwxyz',
  )
  expect(allowedIn((byte) => `spiffe://d/x${byte}x`)).toBe(
    '-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz',
  )
  // Alone in its segment a dot is no name.
  expect(allowedIn((byte) => `spiffe://d/${byte}`)).toBe(
    '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz',
  )
})

// SPID-2.2-01
test('SPID-2.2-01: a path has no empty, dot or percent-encoded segment and does not end in a slash', () => {
  const wrong = ['/', '//', '/a/', '/a//b', '//a', '/.', '/..', '/./a', '/../a', '/a/.', '/a/..']
  for (const path of [...wrong, '/%61', '/a%2fb', '/ä', '/a\0', '/a\n']) {
    expect(isId(`spiffe://d${path}`), JSON.stringify(path)).toBe(false)
  }
  for (const path of ['/a', '/a/b', '/...', '/.a', '/a.', '/..a', '/-', '/_']) {
    expect(isId(`spiffe://d${path}`), path).toBe(true)
  }
})

// SPID-2.3-01
test('SPID-2.3-01: 2048 bytes are supported, and no more', () => {
  const idOf = (length: number): string => `spiffe://d/${'x'.repeat(length - 11)}`
  expect(isId(idOf(2048))).toBe(true)
  expect(isId(idOf(2049))).toBe(false)
})

// SPID-2.4-01
test('SPID-2.4-01: paths compare with their case', () => {
  expect(matches('spiffe://d/A', 'spiffe://d/a')).toBe(false)
  expect(matches('spiffe://d/A', 'spiffe://d/A')).toBe(true)
})

// SPCA-reg-01
test('SPCA-reg-01: /* names what is beneath, by whole segments', () => {
  const pattern = 'spiffe://d/a/*'
  expect(matches(pattern, 'spiffe://d/a/b')).toBe(true)
  expect(matches(pattern, 'spiffe://d/a/b/c')).toBe(true)
  expect(matches(pattern, 'spiffe://d/ab')).toBe(false)
  expect(matches(pattern, 'spiffe://d/a')).toBe(false)
  expect(matches(pattern, 'spiffe://d/ab/c')).toBe(false)
  expect(matches(pattern, 'spiffe://e/a/b')).toBe(false)
  expect(matches('spiffe://d/*', 'spiffe://d/a')).toBe(true)
  expect(matches('spiffe://d/*', 'spiffe://d')).toBe(false)
  expect(matches('spiffe://d/*', 'spiffe://d.evil/a')).toBe(false)
})

test('a pattern that is none names nobody', () => {
  const id = 'spiffe://d/a/b'
  const wrong = ['*', '/*', 'spiffe://*', 'spiffe://*/a/b', 'spiffe://d/a*', 'spiffe://d/*/b']
  for (const pattern of [...wrong, 'spiffe://d/a/**', 'spiffe://d/a/', '', 'spiffe://d']) {
    expect(isSpiffePattern(pattern), pattern).toBe(false)
    expect(matches(pattern, id), pattern).toBe(false)
  }
  expect(matchesSpiffeId('spiffe://d', { text: 'spiffe://d', trustDomain: 'd', path: '' })).toBe(
    false,
  )
})
